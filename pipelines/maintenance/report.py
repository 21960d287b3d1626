"""What one part of the upkeep removed, or would remove."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Removal:
    """What became of one kind of thing.

    Attributes
    ----------
    what : in words, in the plural.
    removed : how many were, or in a dry run would be, removed.
    freed_bytes : on disk; 0 where that is not known.
    needed : how many are old and stay, because a published run needs them.
    note : what else there is to say.
    """

    what: str
    removed: int
    freed_bytes: int = 0
    needed: int = 0
    note: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, as one task hands it to another."""
        return asdict(self)

    @classmethod
    def of_plain(cls, values: dict[str, Any]) -> Self:
        """Return what :meth:`plain` was called on."""
        return cls(**values)

    def __str__(self) -> str:
        needed = f"; {self.needed:,} are old and needed" if self.needed else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.what}: {self.removed:,}, {self.freed_bytes / 1e6:,.1f} MB{needed}{note}"


def report_text(removals: Iterable[Removal], *, dry_run: bool) -> str:
    """Return a report of several parts, one line each."""
    title = "nothing was removed; without dry run it would be" if dry_run else "removed"
    return "\n".join([title, *(f"  {removal}" for removal in removals)])
