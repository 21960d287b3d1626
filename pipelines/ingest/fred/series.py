"""The macro series to read, as data."""

import csv
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parents[1] / "data" / "macro_series.csv"


@dataclass(frozen=True)
class Series:
    """A series; ``revised`` says whether its values ever change after their release."""

    series_id: str
    revised: bool


def macro_series() -> list[Series]:
    """Return the series to read, from the bundled list."""
    with _FILE.open(encoding="utf-8", newline="") as stream:
        return [
            Series(row["series_id"], row["revised"] == "true") for row in csv.DictReader(stream)
        ]
