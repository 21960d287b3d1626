"""Compute the whole panel from the staged bars of all symbols.

Bars are read once, batch by batch, and kept on disk while the ranked measures of all symbols are
computed and ranked; then every feature of every symbol is computed and written.
"""

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pipelines.warehouse.panel import staged as read
from pipelines.warehouse.panel.batch import Batch, StoredBatch, batch_of
from pipelines.warehouse.panel.indicators import features, ranked_measures
from pipelines.warehouse.panel.last_bars import LastBars
from pipelines.warehouse.panel.layout import date_of, spans
from pipelines.warehouse.panel.market import Market
from pipelines.warehouse.panel.members import Members
from pipelines.warehouse.panel.parts import Part, PartWriter
from pipelines.warehouse.panel.ranking import Measures
from pipelines.warehouse.panel.rows import Rows, Words
from pipelines.warehouse.panel.staged import Staged
from pipelines.warehouse.panel.symbol import rows_of

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 4
"""Symbols that are computed ahead of the one that is written, per thread."""


def compute(
    staged: Staged,
    session: dt.date,
    counts: Mapping[str, int],
    words: Words,
    market: Market,
    members: Members,
    folder: Path,
    threads: int,
) -> tuple[list[Part], LastBars]:
    """Write all parts to a folder, and return them with the symbols' last bars.

    Parameters
    ----------
    counts : raw rows per symbol at most, by symbol.
    """
    days = read.raw_days(staged)
    if not len(days):
        return [], LastBars(words)
    measures, last_bars = Measures(words.symbols, days), LastBars(words)
    spool = folder.with_name("panel-bars")
    spool.mkdir()
    parts_of_build = spans(date_of(int(days[0])), session)
    with ThreadPoolExecutor(threads, "panel-kernel") as pool:
        portions = read.batches(counts)
        batches = _measured(staged, portions, market, members, measures, spool, pool)
        measures.rank(pool)
        with PartWriter(folder, parts_of_build, words, threads) as writer:
            for symbol, rows in _computed(batches, words, market, measures, pool, threads):
                last_bars.add(symbol, rows)
                writer.append(rows)
            parts = writer.finish()
    spool.rmdir()
    return parts, last_bars


def _measured(
    staged: Staged,
    portions: Sequence[Sequence[str]],
    market: Market,
    members: Members,
    measures: Measures,
    spool: Path,
    pool: Executor,
) -> list[StoredBatch]:
    """Read all bars, take their ranked measures, and return them as they lie on disk."""
    actions = read.actions_of(staged)
    batches = []
    for number, table in enumerate(read.read_ahead(staged, portions)):
        batch = batch_of(table, actions)

        def measure(one: int, batch: Batch = batch) -> None:
            computed = ranked_measures(batch.bars(one, market))
            measures.add(batch.symbols[one], batch.of(one, "session_date"), computed, members)

        for _ in pool.map(measure, range(len(batch.symbols))):
            pass
        if batch.symbols:
            batches.append(StoredBatch.of(batch, spool / f"{number:06d}.arrow"))
    return batches


def _computed(
    batches: Iterable[StoredBatch],
    words: Words,
    market: Market,
    measures: Measures,
    pool: Executor,
    threads: int,
) -> Iterator[tuple[str, Rows]]:
    """Yield each symbol's finished rows, by symbol."""

    def finished(task: tuple[Batch, int]) -> tuple[str, Rows]:
        batch, number = task
        symbol = batch.symbols[number]
        computed = features(batch.bars(number, market))
        rows = rows_of(batch, number, words.codes[symbol], computed)
        measures.fill(symbol, rows)
        return symbol, rows

    loaded = (stored.load() for stored in batches)
    tasks = ((batch, number) for batch in loaded for number in range(len(batch.symbols)))
    return _in_order(pool, finished, tasks, _AHEAD * threads)


def _in_order(
    pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Yield results in the order of the items; only so many are under way or waiting."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
