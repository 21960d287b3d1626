"""Which part of the panel a session's rows lie in; it follows from the build's session alone.

Years before the build's are one part each, months before its month, sessions of its month. So a
new session is a small part of its own, and is merged twice: when its month and its year are over.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.int32]
"""Dates as days since 1970-01-01, as Arrow stores them."""

_EPOCH = dt.date(1970, 1, 1)
_SUFFIX = ".parquet"


def day_of(date: dt.date) -> int:
    """Return a date as days since 1970-01-01."""
    return (date - _EPOCH).days


def date_of(day: int) -> dt.date:
    """Return the date that is so many days after 1970-01-01."""
    return _EPOCH + dt.timedelta(days=day)


@dataclass(frozen=True)
class Span:
    """A part: its file's name, the first day that is its own, and the first after those."""

    name: str
    begin: int
    end: int


def span_of(name: str) -> Span:
    """Return the days of the part in a file of that name: a year, a month or a day of it."""
    year, month, day = ([int(text) for text in name.removesuffix(_SUFFIX).split("-")] + [0, 0])[:3]
    first = dt.date(year, month or 1, day or 1)
    if day:
        after = first + dt.timedelta(days=1)
    else:
        after = dt.date(year + (month or 12) // 12, (month or 12) % 12 + 1, 1)
    return Span(name, day_of(first), day_of(after))


def spans(first: dt.date, session: dt.date) -> list[Span]:
    """Return the parts from a first date to the build's session, oldest first, without a gap."""
    names = [f"{year:04d}" for year in range(first.year, session.year)]
    names += [f"{session.year:04d}-{month:02d}" for month in range(1, session.month)]
    names += [f"{session:%Y-%m}-{day:02d}" for day in range(1, session.day + 1)]
    return [span_of(name + _SUFFIX) for name in names]


def bounds_of(parts: Sequence[Span]) -> Days:
    """Return the first day of each part, and the first after the last."""
    return np.array([parts[0].begin, *(part.end for part in parts)], np.int32)


def cut(days: Days, bounds: Days) -> Iterator[tuple[int, int, int]]:
    """Yield (number of the part, first row, row after the last) for sorted days of one symbol."""
    rows = np.searchsorted(days, bounds).tolist()
    for number, (begin, end) in enumerate(pairwise(rows)):
        if begin < end:
            yield number, begin, end
