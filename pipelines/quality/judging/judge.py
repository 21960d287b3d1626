"""The judge: which price rows are rejected, from the rows and their past alone.

No I/O, no clock, no Great Expectations: everything is done on whole arrays, so that a bulk load of
millions of rows is judged in less time than reading it takes.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.prices import BAR_SUITE, HISTORY_COLUMNS, HISTORY_SUITE, SINGLE_STOCKS
from models.lake import PRICES
from pipelines.quality.judging.bars import Symbols, bars_of
from pipelines.quality.judging.compiled import Batch, failing, numbers
from pipelines.quality.judging.exchange import session_ends
from pipelines.quality.judging.history import Bars, Derived
from pipelines.quality.judging.past import WINDOW_BARS
from pipelines.quality.judging.rejections import Failures, describe, rejected_positions
from pipelines.quality.judging.series import judge_series
from pipelines.quality.judging.verdict import Verdict

PAST_BARS = WINDOW_BARS + 1
"""How many accepted bars before the earliest row a judge wants to see of each symbol."""

Mask = npt.NDArray[np.bool_]


class PriceJudge:
    """Judges price rows of one source; built once, then called for any number of batches.

    Parameters
    ----------
    instruments : the source's current instruments, with ``symbol`` and ``asset_class``.
    """

    def __init__(self, instruments: pa.Table) -> None:
        symbols, classes = (instruments[name].to_pylist() for name in ("symbol", "asset_class"))
        self._basket = {
            symbol: asset_class not in SINGLE_STOCKS
            for symbol, asset_class in zip(symbols, classes, strict=True)
        }

    def judge(
        self, rows: pa.Table, past: pa.Table | None = None, actions: pa.Table | None = None
    ) -> Verdict:
        """Judge some rows of ``PRICES``.

        Parameters
        ----------
        rows : the rows to judge, any versions of any bars; fastest if they are in order of
            symbol, session and ``known_at`` already.
        past : accepted rows of the same symbols, from ``PAST_BARS`` bars before the earliest row
            to judge. Later ones count too, for the rows after them. As ``PRICES``.
        actions : the splits and dividends that the source knows of these symbols, as ``ACTIONS``.
        """
        rows = _in_order(rows)
        past = None if past is None else _in_order(past)
        symbols = Symbols(rows, past)
        codes = symbols.codes(rows)
        days = numbers(rows["session_date"]).astype(np.int64)
        known = np.array([*(name in self._basket for name in symbols.names), False], dtype=bool)
        batch = Batch.of(
            rows,
            exchange_closed_at=session_ends(days),
            instrument=np.where(known[codes], codes.astype(np.float64), np.nan),
        )
        failures = []
        good = np.ones(rows.num_rows, dtype=bool)
        for rule in BAR_SUITE:
            positions = failing(rule, batch)
            failures.append(Failures(rule, positions))
            good[positions] = False
        basket = np.array([*(self._basket.get(name, False) for name in symbols.names), False])
        bars = bars_of(rows, symbols, basket, actions)
        earlier = None if past is None else bars_of(past, symbols, basket, actions)
        derived = _beside_past(bars, good, earlier)
        batch.columns.update(derived)
        survivors = np.flatnonzero(good)
        history = Batch({name: values[good] for name, values in derived.items()}, len(survivors))
        failures += [Failures(rule, survivors[failing(rule, history)]) for rule in HISTORY_SUITE]
        return Verdict(describe(PRICES, batch, failures), batch, good, rejected_positions(failures))


def _beside_past(bars: Bars, good: Mask, past: Bars | None) -> Derived:
    """Derive the history columns of the good rows, version after version of each bar.

    Each version sees, of the other bars, what was accepted before it.
    """
    derived = {name: np.full(len(bars), np.nan) for name in HISTORY_COLUMNS}
    accepted = past
    versions = _version_numbers(bars, good)
    for version in range(int(versions.max(initial=-1)) + 1):
        rows = np.flatnonzero(versions == version)
        series, origin = _merged(accepted, bars.take(rows))
        is_new = origin >= 0
        rejected, columns = judge_series(series, is_new)
        for name, values in columns.items():
            derived[name][rows[origin[is_new]]] = values[is_new]
        if version < versions.max():
            passed = np.ones(len(rows), dtype=bool)
            passed[origin[is_new & rejected]] = False
            accepted, _ = _merged(accepted, bars.take(rows[passed]))
    return derived


def _version_numbers(bars: Bars, good: Mask) -> npt.NDArray[np.int64]:
    """Count each good row among the good versions of its bar, from 0; -1 for the others."""
    out = np.full(len(good), -1, dtype=np.int64)
    rows = np.flatnonzero(good)
    symbol, session = bars.symbol[rows], bars.session[rows]
    repeats = np.zeros(len(rows), dtype=bool)
    repeats[1:] = (symbol[1:] == symbol[:-1]) & (session[1:] == session[:-1])
    place = np.arange(len(rows))
    out[rows] = place - np.maximum.accumulate(np.where(repeats, 0, place))
    return out


def _merged(old: Bars | None, new: Bars) -> tuple[Bars, npt.NDArray[np.int64]]:
    """Return both in order of symbol and session, new bars in place of old ones of the same key.

    The second array says of each bar which of the new ones it is; -1 for an old one.
    """
    if old is None or not len(old):
        return new, np.arange(len(new))
    both = old.followed_by(new)
    origin = np.append(np.full(len(old), -1), np.arange(len(new)))
    order = np.lexsort((origin, both.session, both.symbol))
    symbol, session = both.symbol[order], both.session[order]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (symbol[1:] != symbol[:-1]) | (session[1:] != session[:-1])
    order = order[last]
    return both.take(order), origin[order]


def _in_order(rows: pa.Table) -> pa.Table:
    """Return the rows by symbol, session and version; unchanged if they are so already."""
    keys = [("symbol", "ascending"), ("session_date", "ascending"), ("known_at", "ascending")]
    rows = rows.combine_chunks()
    if rows.num_rows < 2 or _is_in_order(rows):
        return rows
    plain = rows.select([name for name, _ in keys])
    plain = plain.set_column(0, "symbol", plain["symbol"].cast(pa.string()))
    return rows.take(pc.sort_indices(plain, sort_keys=keys))


def _is_in_order(rows: pa.Table) -> bool:
    codes = Symbols(rows).codes(rows)
    if (codes[1:] < codes[:-1]).any():
        return False
    same = codes[1:] == codes[:-1]
    days, versions = numbers(rows["session_date"]), numbers(rows["known_at"])
    later = days[1:] > days[:-1]
    return bool((~same | later | ((days[1:] == days[:-1]) & (versions[1:] >= versions[:-1]))).all())
