"""What unit and integration tests share: client files made from the documented example."""

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.settings import load_settings

DOCUMENT = Path(__file__).parents[1] / "docs" / "clients.md"

# Loops are compiled once for all workers, homes and runs of one state of the code: each home of a
# test would take half a minute for it. Set before anything imports numba, which reads it then.
os.environ |= load_settings(
    {}, home=Path(__file__).parents[1] / ".pytest_cache"
).libraries_environment()


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
