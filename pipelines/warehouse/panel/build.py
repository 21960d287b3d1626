"""Build the panel of a workspace, wholly or going on from a base; see the package's docstring."""

import dataclasses
import datetime as dt
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

from models.vocabulary import MARKET_SYMBOLS
from pipelines.lake import write_parquet, write_text
from pipelines.lineage import canonical_json
from pipelines.warehouse.panel import full, going_on
from pipelines.warehouse.panel import staged as read
from pipelines.warehouse.panel.base import Base
from pipelines.warehouse.panel.batch import batch_of
from pipelines.warehouse.panel.indicators import features
from pipelines.warehouse.panel.last_bars import read as read_last_bars
from pipelines.warehouse.panel.layout import spans
from pipelines.warehouse.panel.market import NO_MARKET, Market
from pipelines.warehouse.panel.members import Members
from pipelines.warehouse.panel.parts import Part, PartWriter
from pipelines.warehouse.panel.rows import Rows, Words
from pipelines.warehouse.panel.staged import Staged
from pipelines.warehouse.record import LAST_BARS_FILE, PANEL_FOLDER, PARTS_FILE


def build_panel(staged: Staged, workspace: Path, threads: int) -> pa.Table:
    """Write ``panel/``, ``panel.json`` and ``last_bars.parquet``; return the last bars.

    Parameters
    ----------
    workspace : folder of the build; ``inputs/base`` in it leads to the base, if there is one.
    threads : that compute, and as many that write.

    Raises
    ------
    WarehouseError
        A bar cannot be used.
    OSError
        The workspace cannot be written.
    """
    # Arrow's own pool gives memory back at once and asks for it again: a tenth of the build.
    pa.set_memory_pool(pa.system_memory_pool())
    folder = workspace / PANEL_FOLDER
    folder.mkdir()
    members = Members.of(read.memberships(staged), read.never_ranked(staged))
    link = workspace / "inputs" / "base"
    source, session = read.source_and_session(staged)
    if link.exists():
        base, changes = Base.of(link.resolve()), read.changed_since(staged)
        ends = base.last_bars()
        symbols = sorted({*ends["symbol"].to_pylist(), *changes})
        last_bars = read_last_bars(ends, Words(source, symbols))
        market = _market(staged, symbols)
        parts = going_on.compute(staged, base, changes, last_bars, market, members, folder, threads)
    else:
        counts = read.row_counts(staged)
        words = Words(source, list(counts))
        market = _market(staged, words.symbols)
        parts, last_bars = full.compute(
            staged, session, counts, words, market, members, folder, threads
        )
    rows = last_bars.to_arrow()
    if not parts:
        parts = [_part_without_rows(folder, session, last_bars.words)]
    write_parquet(rows, workspace / LAST_BARS_FILE)
    write_text(canonical_json([dataclasses.asdict(part) for part in parts]), workspace / PARTS_FILE)
    return rows


def _part_without_rows(folder: Path, session: dt.date, words: Words) -> Part:
    """Write the one part of a panel that holds nothing: a view needs a file."""
    span = spans(session, session)[-1]
    with PartWriter(folder, [span], words, threads=1) as writer:
        writer.append_part(span.name, Rows(0))
        [part] = writer.finish()
    return part


def _market(staged: Staged, symbols: Collection[str]) -> Market:
    """Return the first market symbol that has bars."""
    for symbol in MARKET_SYMBOLS:
        if symbol not in symbols:
            continue
        batch = batch_of(read.bars_of(staged, [symbol]), read.actions_of(staged))
        if batch.symbols:
            computed = features(batch.bars(0, NO_MARKET))
            return Market(batch.of(0, "session_date"), computed["log_return_1d"])
    return NO_MARKET
