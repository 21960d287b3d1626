"""Take a base's panel further: compute what changed, and write the parts that it touches.

A symbol whose inputs changed after its last bar alone is continued from there; its windows are
filled from the base's parts. Any other is computed from its first bar on, and its rows from the
change on replace the base's. The other rows of the panel are as they were, but for the ranks of
sessions in which any row is new.
"""

import datetime as dt
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from pipelines.warehouse.panel import staged as read
from pipelines.warehouse.panel.base import Base
from pipelines.warehouse.panel.batch import Batch, batch_of
from pipelines.warehouse.panel.continuing import continued
from pipelines.warehouse.panel.indicators import features
from pipelines.warehouse.panel.last_bars import LastBars
from pipelines.warehouse.panel.layout import day_of
from pipelines.warehouse.panel.market import Market
from pipelines.warehouse.panel.members import Members
from pipelines.warehouse.panel.merging import Merge
from pipelines.warehouse.panel.parts import Part
from pipelines.warehouse.panel.rows import Rows, joined
from pipelines.warehouse.panel.staged import FEW_SYMBOLS, Staged
from pipelines.warehouse.panel.symbol import rows_of


def compute(
    staged: Staged,
    base: Base,
    changes: Mapping[str, dt.date],
    last_bars: LastBars,
    market: Market,
    members: Members,
    folder: Path,
    threads: int,
) -> list[Part]:
    """Write or link all parts to a folder, and bring the symbols' last bars up to date."""
    _, session = read.source_and_session(staged)
    words = last_bars.words
    later = {
        symbol: first
        for symbol, first in changes.items()
        if symbol in last_bars.rows and first > last_bars.rows[symbol]["session_date"]
    }
    others = {symbol: first for symbol, first in changes.items() if symbol not in later}
    with ThreadPoolExecutor(threads, "panel-kernel") as pool:
        fresh = joined(
            [
                *continued(staged, base, later, last_bars, market, pool),
                *_anew(staged, others, last_bars, market, pool),
            ]
        )
        replaced_from = np.full(len(words.symbols), np.iinfo(np.int32).max, np.int32)
        for symbol, first in others.items():
            replaced_from[words.codes[symbol]] = day_of(first)
        merge = Merge(base, fresh, replaced_from, words, members, pool)
        return merge.write(session, folder, threads)


def _anew(
    staged: Staged,
    changed: Mapping[str, dt.date],
    last_bars: LastBars,
    market: Market,
    pool: Executor,
) -> list[Rows]:
    """Return the rows, from the change on, of symbols that are computed from their first bar on."""
    actions, codes, symbols = read.actions_of(staged), last_bars.words.codes, list(changed)
    portions = [symbols[at : at + FEW_SYMBOLS] for at in range(0, len(symbols), FEW_SYMBOLS)]
    found: list[Rows] = []
    for symbol in symbols:
        last_bars.remove(symbol)
    for bars in read.read_ahead(staged, portions):
        batch = batch_of(bars, actions)

        def rows_from_change_on(number: int, batch: Batch = batch) -> Rows:
            symbol = batch.symbols[number]
            rows = rows_of(batch, number, codes[symbol], features(batch.bars(number, market)))
            last_bars.add(symbol, rows)
            return rows.take(np.flatnonzero(rows["session_date"] >= day_of(changed[symbol])))

        found += pool.map(rows_from_change_on, range(len(batch.symbols)))
    return found
