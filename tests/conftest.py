"""What unit and integration tests share: client files made from the documented example."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[1] / "docs" / "clients.md"


@pytest.fixture(scope="session")
def documented_example() -> str:
    """The CSV file that docs/clients.md shows."""
    block = re.search(r"```csv\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert block is not None
    return block[1]


@pytest.fixture
def client_file(tmp_path: Path, documented_example: str) -> Callable[..., Path]:
    """Write a client file: each argument is what a row changes in the example's first row."""
    example = next(csv.DictReader(documented_example.splitlines()))

    def write(*changes: dict[str, str], name: str = "clients.csv") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(example))
            writer.writeheader()
            writer.writerows({**example, **change} for change in changes)
        return path

    return write
