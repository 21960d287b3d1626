"""How old a thing has to be to be removed."""

import datetime as dt
from dataclasses import dataclass

from pipelines.errors import SettingError

LEAST_DAYS = 1
"""What is younger may be under way: nothing that we do takes a day."""


@dataclass(frozen=True)
class Retention:
    """How many days are kept, and whether what is older is only counted.

    Attributes
    ----------
    before : the moment (UTC) before which things are old.
    """

    days: int
    before: dt.datetime
    dry_run: bool

    def is_old(self, changed_at: float) -> bool:
        """Say whether a thing that was last changed at a POSIX time is old."""
        return changed_at < self.before.timestamp()


def retention(days: int, now: dt.datetime, *, dry_run: bool = False) -> Retention:
    """Return the rule that keeps some days.

    Raises
    ------
    SettingError
        Less than a day is to be kept.
    """
    if days < LEAST_DAYS:
        raise SettingError(
            "days to keep", days, "what is younger may be under way", f"Keep {LEAST_DAYS} or more."
        )
    return Retention(days, now - dt.timedelta(days=days), dry_run)
