"""Bars of several symbols with what a share of each became between them, in memory or on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import PriceBasis
from pipelines.lake.adjustment import comparable, share_steps
from pipelines.warehouse.panel.bars import Bars, Floats
from pipelines.warehouse.panel.market import Market
from pipelines.warehouse.panel.rows import Array, plain

_DAY_BITS = 32
_NUMBERS = ("open", "high", "low", "close", "volume")
COLUMNS = (
    *_NUMBERS,
    "session_date",
    "close_micros",
    "known_at",
    "price_basis",
    "known_at_basis",
)
"""What the panel's rows take over from a bar."""
PAST_COLUMNS = (*_NUMBERS, "session_date")
"""What later bars are computed from, and which actions lie between two bars."""


@dataclass(frozen=True)
class Batch:
    """Bars sorted by symbol and session.

    Attributes
    ----------
    symbols : those that have a bar, sorted.
    starts : (symbols + 1,), the first row of each, and the number of rows.
    columns : ``COLUMNS`` by name; text as codes, dates as days, moments as microseconds.
    changed : (changes,), rows before which a share became something else, ascending.
    share_ratio, cash : (changes,), see :class:`Bars`.
    """

    symbols: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    columns: Mapping[str, Array]
    changed: npt.NDArray[np.int64]
    share_ratio: Floats
    cash: Floats

    def bars(self, number: int, market: Market) -> Bars:
        """Return the bars of one of the symbols."""
        begin, end = self.starts[number : number + 2].tolist()
        share_ratio, cash = np.ones(end - begin), np.zeros(end - begin)
        first, after = np.searchsorted(self.changed, [begin, end]).tolist()
        share_ratio[self.changed[first:after] - begin] = self.share_ratio[first:after]
        cash[self.changed[first:after] - begin] = self.cash[first:after]
        return Bars(
            **{name: self.columns[name][begin:end] for name in _NUMBERS},
            share_ratio=share_ratio,
            cash=cash,
            market_log_growth=market.log_growth(self.columns["session_date"][begin:end]),
        )

    def of(self, number: int, name: str) -> Array:
        """Return a column's values of one of the symbols."""
        return self.columns[name][self.starts[number] : self.starts[number + 1]]


@dataclass(frozen=True)
class StoredBatch:
    """A batch whose columns lie in a file meanwhile; loading it takes them from there."""

    path: Path
    batch: Batch

    @classmethod
    def of(cls, batch: Batch, path: Path) -> Self:
        """Write a batch's columns to a file."""
        table = pa.table(dict(batch.columns))
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return cls(path, replace(batch, columns={}))

    def load(self) -> Batch:
        """Return the batch, and remove its file: its bytes go when the batch does."""
        with pa.memory_map(str(self.path)) as source:
            table = pa.ipc.open_file(source).read_all()
        self.path.unlink()
        columns = {name: table[name].chunk(0).to_numpy() for name in table.column_names}
        return replace(self.batch, columns=columns)


def batch_of(bars: pa.Table, actions: pa.Table) -> Batch:
    """Leave out bars of another basis than their symbol's first, and apply actions to the others.

    Parameters
    ----------
    bars : as ``staged.bars_of`` returns them.
    actions : of any symbols, in any order.
    """
    bars = comparable(bars).combine_chunks()
    symbols = bars["symbol"].combine_chunks()
    columns = {name: values_of(bars[name].combine_chunks()) for name in COLUMNS}
    return batch_from(symbols.dictionary.to_pylist(), np.asarray(symbols.indices), columns, actions)


def batch_from(
    names: Sequence[str], codes: Array, columns: Mapping[str, Array], actions: pa.Table
) -> Batch:
    """Apply actions to bars of one basis per symbol.

    Parameters
    ----------
    names, codes : symbols, sorted, and the position in them of each row's.
    columns : ``COLUMNS`` by name, sorted by symbol and session.
    actions : of any symbols, in any order.
    """
    codes = codes.astype(np.int64)
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    changed, share_ratio, cash = _changes(names, codes, begins, columns, actions)
    return Batch(
        tuple(names[code] for code in codes[begins]),
        np.append(begins, len(codes)),
        columns,
        changed,
        share_ratio,
        cash,
    )


def values_of(column: pa.Array) -> Array:
    """Return a column of staged bars as the panel's rows hold it; text as codes."""
    if pa.types.is_dictionary(column.type):
        return np.asarray(column.indices).astype(np.int32)
    return plain(column)


def _changes(
    names: Sequence[str],
    codes: npt.NDArray[np.int64],
    begins: npt.NDArray[np.int64],
    columns: Mapping[str, Array],
    actions: pa.Table,
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Return the rows that show an action first, and what a share became on the way to them.

    Nearly all bars show none. The first of each symbol is looked at beside those that do, since
    actions up to it change nothing.
    """
    listed = pa.array(names, pa.string())
    actions = actions.filter(pc.is_in(actions["symbol"], listed))
    if not actions.num_rows:
        return np.empty(0, np.int64), np.empty(0), np.empty(0)
    of = np.asarray(pc.index_in(actions["symbol"], listed)).astype(np.int64)
    ex_days = np.asarray(actions["session_date"].cast(pa.int32())).astype(np.int64)
    keys = (codes << _DAY_BITS) + columns["session_date"]
    shown = np.searchsorted(keys, (of << _DAY_BITS) + ex_days)
    rows = np.union1d(shown[shown < len(keys)], begins)
    bases = pa.array(sorted(PriceBasis), pa.string())
    some = pa.table(
        {
            "symbol": listed.take(pa.array(codes[rows])),
            "session_date": pa.array(columns["session_date"][rows]).view(pa.date32()),
            "price_basis": bases.take(pa.array(columns["price_basis"][rows])),
        }
    )
    steps = share_steps(some, actions)
    moved = (steps.shares != 1.0) | (steps.cash != 0.0)
    return rows[moved], steps.shares[moved], steps.cash[moved]
