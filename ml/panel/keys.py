"""What the rows of a panel's parts speak of: symbols and sessions, as positions on two axes."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Days = NDArray[np.int32]
"""Dates as days since 1970-01-01."""
Positions = NDArray[np.int64]

Reader = Callable[[Sequence[str]], pa.Table]
"""Returns columns of a part; it is asked for the keys first, and for the numbers later."""

_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class PartKeys:
    """Symbol and session of the rows of a part.

    Attributes
    ----------
    wanted : which of the part's rows are spoken of; None if all.
    names : symbols, sorted, each once.
    codes : (wanted rows,), positions in ``names``.
    days : (wanted rows,).
    """

    wanted: NDArray[np.bool_] | None
    names: NDArray[np.str_]
    codes: NDArray[np.int32]
    days: Days

    @classmethod
    def read(cls, part: Reader, through: dt.date | None) -> "PartKeys":
        """Read the keys of a part up to a session."""
        table = part(("symbol", "session_date"))
        days = days_of(table)
        column = table["symbol"].cast(pa.dictionary(pa.int32(), pa.string()))
        column = column.unify_dictionaries().combine_chunks()
        codes, wanted = np.asarray(column.indices), None
        if through is not None and (days > day_number(through)).any():
            wanted = days <= day_number(through)
            codes, days = codes[wanted], days[wanted]
        used = np.flatnonzero(np.bincount(codes, minlength=len(column.dictionary)))
        names, order = np.unique(
            np.asarray(column.dictionary.take(pa.array(used)).to_pylist(), np.str_),
            return_inverse=True,
        )
        position = np.zeros(len(column.dictionary), np.int32)
        position[used] = order
        return cls(wanted, names, position[codes], days)

    def __len__(self) -> int:
        return len(self.days)

    def positions(self, days: Days, symbols: NDArray[np.str_]) -> tuple[Positions, Positions]:
        """Return where on the axes the rows belong."""
        return positions_in(days, self.days), np.searchsorted(symbols, self.names)[self.codes]


def days_of(table: pa.Table) -> Days:
    """Return the column ``session_date``."""
    column = table["session_date"].cast(pa.date32())
    return np.asarray(column.cast(pa.int32()).to_numpy(), np.int32)


def day_number(date: dt.date) -> int:
    """Return a date as days since 1970-01-01."""
    return (date - _EPOCH).days


def distinct(days: Days) -> Days:
    """Return each day once, ascending; without sorting millions that are thousands."""
    if not len(days):
        return days
    first = days.min()
    return (np.flatnonzero(np.bincount(days - first)) + first).astype(np.int32)


def positions_in(axis: Days, days: Days) -> Positions:
    """Return the position on an ascending axis of each of its days; of others, -1."""
    if not len(days):
        return np.zeros(0, np.int64)
    first = min(axis[0], days.min())
    table = np.full(max(axis[-1], days.max()) - first + 1, -1, np.int64)
    table[axis - first] = np.arange(len(axis))
    found: Positions = table[days - first]
    return found
