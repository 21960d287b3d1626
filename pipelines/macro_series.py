"""The macro series that we read and derive from, as data."""

import csv
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True)
class Series:
    """A series of FRED.

    Attributes
    ----------
    revised : whether its values ever change after their release.
    is_daily : whether it has a value per day; else one per month.
    stale_after_days : age of its newest observation, in days from the observation date, beyond
        which the value stands for the present no more: a daily one over a week of holidays, a
        monthly one while one release at most is overdue.
    """

    series_id: str
    name: str
    unit: str
    revised: bool
    is_daily: bool
    stale_after_days: int


def macro_series() -> list[Series]:
    """Return the series to read, from the bundled list."""
    with _FILE.open(encoding="utf-8", newline="") as stream:
        return [
            Series(
                row["series_id"],
                row["name"],
                row["unit"],
                row["revised"] == "true",
                row["frequency"] == "daily",
                int(row["stale_after_days"]),
            )
            for row in csv.DictReader(stream)
        ]
