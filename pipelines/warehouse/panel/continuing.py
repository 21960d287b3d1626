"""Compute the bars after a symbol's last one in the base, many symbols at once."""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.warehouse.panel import staged as read
from pipelines.warehouse.panel.bars import LOOKBACK
from pipelines.warehouse.panel.base import Base
from pipelines.warehouse.panel.batch import COLUMNS, PAST_COLUMNS, Batch, batch_from, values_of
from pipelines.warehouse.panel.indicators import features
from pipelines.warehouse.panel.last_bars import LastBars
from pipelines.warehouse.panel.layout import day_of
from pipelines.warehouse.panel.market import Market
from pipelines.warehouse.panel.newest import newest_features
from pipelines.warehouse.panel.rows import Array, Rows
from pipelines.warehouse.panel.staged import Staged
from pipelines.warehouse.panel.symbol import assembled, rows_of

_SYMBOLS_AT_ONCE = 256


def continued(
    staged: Staged,
    base: Base,
    later: Mapping[str, dt.date],
    last_bars: LastBars,
    market: Market,
    pool: Executor,
) -> list[Rows]:
    """Return the new rows of symbols whose inputs changed after their last bars alone.

    Parameters
    ----------
    later : those symbols, sorted, and the first session that changed.
    last_bars : as the base left them; brought up to date.
    """
    if not later:
        return []
    names, codes, columns = _new_bars(staged, list(later), min(later.values()), last_bars)
    if not len(codes):
        return []
    batch, new = _with_past(names, codes, columns, base, last_bars, read.actions_of(staged))

    def compute(numbers: Sequence[int]) -> Rows:
        return _newest_rows(batch, numbers, last_bars, market)

    single = np.flatnonzero(new == 1).tolist()
    chunks = [single[at : at + _SYMBOLS_AT_ONCE] for at in range(0, len(single), _SYMBOLS_AT_ONCE)]
    found = list(pool.map(compute, chunks))
    for number in np.flatnonzero(new > 1).tolist():
        found.append(_several_rows(batch, number, int(new[number]), last_bars, market))
    _remember(found, last_bars)
    return found


def _new_bars(
    staged: Staged, symbols: Sequence[str], since: dt.date, last_bars: LastBars
) -> tuple[list[str], npt.NDArray[np.int64], dict[str, Array]]:
    """Return the bars after the symbols' last ones, of the same basis."""
    bars = read.bars_of(staged, symbols, since)
    names = bars["symbol"].combine_chunks().dictionary.to_pylist() if bars.num_rows else []
    codes = np.asarray(bars["symbol"].combine_chunks().indices).astype(np.int64)
    columns = {name: values_of(bars[name].combine_chunks()) for name in COLUMNS}
    last_days = np.array([day_of(last_bars.rows[name]["session_date"]) for name in names], np.int32)
    basis = np.array([last_bars.basis(name) for name in names], np.int32)
    counts = columns["session_date"] > last_days[codes]
    counts &= columns["price_basis"] == basis[codes]
    return names, codes[counts], {name: values[counts] for name, values in columns.items()}


def _with_past(
    names: Sequence[str],
    codes: npt.NDArray[np.int64],
    columns: Mapping[str, Array],
    base: Base,
    last_bars: LastBars,
    actions: pa.Table,
) -> tuple[Batch, npt.NDArray[np.int64]]:
    """Return new bars behind those of the base that their windows reach, and how many are new."""
    new = np.bincount(codes, minlength=len(names))
    wanted = {
        name: min(LOOKBACK, last_bars.rows[name]["session_count"])
        for name, count in zip(names, new.tolist(), strict=True)
        if count
    }
    there, new = list(wanted), new[new > 0]
    ends = np.cumsum(np.array(list(wanted.values())) + new)
    # Of past bars, what nothing is computed from stays zero.
    both = {name: np.zeros(ends[-1], values.dtype) for name, values in columns.items()}
    base.put_newest_bars(wanted, ends - new, {name: both[name] for name in PAST_COLUMNS})
    rows = np.arange(len(codes)) + np.repeat(ends - np.cumsum(new), new)
    for name, values in columns.items():
        both[name][rows] = values
    lengths = np.diff(ends, prepend=0)
    both["price_basis"] = np.repeat([last_bars.basis(symbol) for symbol in there], lengths)
    return batch_from(there, np.repeat(np.arange(len(there)), lengths), both, actions), new


def _newest_rows(batch: Batch, numbers: Sequence[int], last_bars: LastBars, market: Market) -> Rows:
    """Return the last row of some symbols of a batch."""
    symbols = [batch.symbols[number] for number in numbers]
    computed = newest_features(
        [
            (batch.bars(number, market), last_bars.anchors(symbol))
            for number, symbol in zip(numbers, symbols, strict=True)
        ]
    )
    at = batch.starts[np.array(numbers) + 1] - 1
    codes = [last_bars.words.codes[symbol] for symbol in symbols]
    return assembled(codes, {name: batch.columns[name][at] for name in COLUMNS}, computed)


def _several_rows(batch: Batch, number: int, new: int, last_bars: LastBars, market: Market) -> Rows:
    symbol, bars = batch.symbols[number], batch.bars(number, market)
    start = len(bars) - new
    computed = features(bars, start, last_bars.anchors(symbol))
    return rows_of(batch, number, last_bars.words.codes[symbol], computed, start)


def _remember(found: Sequence[Rows], last_bars: LastBars) -> None:
    for rows in found:
        codes = rows["symbol"]
        for last in np.flatnonzero(np.diff(codes, append=-1)).tolist():
            symbol = last_bars.words.symbols[codes[last]]
            first = last_bars.rows[symbol]["first_session_date"]
            last_bars.go_on(symbol, first, rows, last)
