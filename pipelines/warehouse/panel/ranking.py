"""The measures that are ranked across symbols, kept while the symbols go by."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor

import numpy as np

from models.panel import RANKED
from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.layout import Days
from pipelines.warehouse.panel.members import Members
from pipelines.warehouse.panel.ranks import rank_sessions
from pipelines.warehouse.panel.rows import Array, Rows, Words, dtype_of


def measure(rank: str, columns: Mapping[str, Array] | Rows) -> Array:
    """Return what a rank ranks, from columns of the panel as they are stored."""
    name = RANKED[rank]
    if name == "reversal_21d":
        return -columns["log_return_21d"]
    return columns[name]


class Measures:
    """Every ranked measure of every symbol and session, in the precision that it is stored in."""

    def __init__(self, symbols: Sequence[str], days: Days) -> None:
        self._numbers = {symbol: number for number, symbol in enumerate(symbols)}
        self._days = days
        shape = (len(symbols), len(days))
        self._values = {rank: np.full(shape, np.nan, dtype_of(_stored(rank))) for rank in RANKED}

    def add(self, symbol: str, days: Days, columns: Mapping[str, Floats], members: Members) -> None:
        """Take a symbol's measures; the sessions at which it is not ranked are left out."""
        at = np.searchsorted(self._days, days)
        is_ranked = members.are_ranked(symbol, days)
        for rank, matrix in self._values.items():
            matrix[self._numbers[symbol], at[is_ranked]] = measure(rank, columns)[is_ranked]

    def rank(self, pool: Executor) -> None:
        """Replace the measures by their ranks."""
        for matrix in self._values.values():
            rank_sessions(matrix, pool)

    def fill(self, symbol: str, rows: Rows) -> None:
        """Fill the ranks of a symbol's rows."""
        at = np.searchsorted(self._days, rows["session_date"])
        for rank, matrix in self._values.items():
            rows[rank][:] = matrix[self._numbers[symbol], at]


def rank_rows(rows: Rows, words: Words, members: Members, pool: Executor) -> None:
    """Fill the ranks of all rows of some sessions, sorted by symbol and session."""
    symbols, symbol = np.unique(rows["symbol"], return_inverse=True)
    sessions, session = np.unique(rows["session_date"], return_inverse=True)
    is_ranked = members.rows_ranked(words.symbols, rows["symbol"], rows["session_date"])
    for rank in RANKED:
        matrix = np.full((len(symbols), len(sessions)), np.nan, dtype_of(_stored(rank)))
        matrix[symbol[is_ranked], session[is_ranked]] = measure(rank, rows)[is_ranked]
        rank_sessions(matrix, pool)
        rows[rank][:] = matrix[symbol, session]


def _stored(rank: str) -> str:
    return "log_return_21d" if RANKED[rank] == "reversal_21d" else RANKED[rank]
