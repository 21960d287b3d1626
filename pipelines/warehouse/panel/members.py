"""Which bars take part in a session's ranks."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.warehouse.panel.layout import Days, day_of


@dataclass(frozen=True)
class Members:
    """Members of the source's universes, less what is never ranked.

    Attributes
    ----------
    spells : per symbol, first and last days of its memberships; None where the source has no
        universe, and every symbol counts.
    never : symbols that are not ranked whatever they are members of.
    """

    spells: Mapping[str, list[tuple[int, int]]] | None
    never: Collection[str]

    @classmethod
    def of(cls, memberships: pa.Table | None, never: Collection[str]) -> Self:
        """Take rows of ``stg_universe``; None if the source has no universe."""
        if memberships is None:
            return cls(None, never)
        spells: dict[str, list[tuple[int, int]]] = {}
        for row in memberships.to_pylist():
            last = row["member_until"] or dt.date.max
            spell = (day_of(row["member_from"]), day_of(last))
            spells.setdefault(row["symbol"], []).append(spell)
        return cls(spells, never)

    def are_ranked(self, symbol: str, days: Days) -> npt.NDArray[np.bool_]:
        """Say for each of these days whether the symbol takes part in its ranks."""
        if symbol in self.never:
            return np.zeros(len(days), bool)
        if self.spells is None:
            return np.ones(len(days), bool)
        ranked = np.zeros(len(days), bool)
        for first, last in self.spells.get(symbol, ()):
            ranked |= (first <= days) & (days <= last)
        return ranked

    def rows_ranked(
        self, symbols: Sequence[str], codes: npt.NDArray[np.int32], days: Days
    ) -> npt.NDArray[np.bool_]:
        """Say the same for rows sorted by symbol, whose codes are positions in ``symbols``."""
        ranked = np.zeros(len(days), bool)
        begins = np.flatnonzero(np.diff(codes, prepend=-1))
        for begin, end in pairwise([*begins.tolist(), len(codes)]):
            ranked[begin:end] = self.are_ranked(symbols[codes[begin]], days[begin:end])
        return ranked
