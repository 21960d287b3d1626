"""What the operations page shows, before it is HTML: panels with a verdict, a line and a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Verdict(StrEnum):
    """How something stands; what nobody could be asked about is unknown, never good."""

    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"
    UNKNOWN = "unknown"


_WORST_FIRST = (Verdict.BAD, Verdict.UNKNOWN, Verdict.ATTENTION, Verdict.GOOD)


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere.

    Parameters
    ----------
    leaves : whether it leads out of the frame that Airflow shows the page in: ``_self`` to another
        page of Airflow, ``_blank`` to another server; empty: it stays.
    """

    text: str
    href: str
    leaves: str = ""


@dataclass(frozen=True)
class Badge:
    """A word with a verdict's colour and sign."""

    text: str
    verdict: Verdict


Cell: TypeAlias = str | Link | Badge


@dataclass(frozen=True)
class Grid:
    """A table; columns whose name begins with ``#`` hold numbers."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Panel:
    """One subject: how it stands, in a few words, and what is behind that."""

    key: str
    title: str
    verdict: Verdict
    headline: str
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


def unknown(key: str, title: str, why: str) -> Panel:
    """Return the panel of something that could not be found out, and why."""
    return Panel(key, title, Verdict.UNKNOWN, "not known", notes=(why,))


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict that counts of several; good if there are none."""
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), Verdict.GOOD)
