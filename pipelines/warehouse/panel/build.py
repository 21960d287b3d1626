"""Build the panel of a workspace, wholly or going on from a base; see the package's docstring."""

import dataclasses
import os
from pathlib import Path

import pyarrow as pa

from models.vocabulary import MARKET_SYMBOLS
from pipelines.lake import write_parquet, write_text
from pipelines.lineage import canonical_json
from pipelines.warehouse.panel import full
from pipelines.warehouse.panel import staged as read
from pipelines.warehouse.panel.batch import batch_of
from pipelines.warehouse.panel.indicators import features
from pipelines.warehouse.panel.market import NO_MARKET, Market
from pipelines.warehouse.panel.members import Members
from pipelines.warehouse.panel.rows import Words
from pipelines.warehouse.panel.staged import Staged

PANEL_FOLDER = "panel"
PARTS_FILE = "panel.json"
LAST_BARS_FILE = "last_bars.parquet"
_MOST_THREADS = 8


def build_panel(staged: Staged, workspace: Path, threads: int | None = None) -> pa.Table:
    """Write ``panel/``, ``panel.json`` and ``last_bars.parquet``; return the last bars.

    Parameters
    ----------
    workspace : folder of the build; ``inputs/base`` in it leads to the base, if there is one.
    threads : that compute, and as many that write; as many as processors if None.

    Raises
    ------
    WarehouseError
        A bar cannot be used.
    OSError
        The workspace cannot be written.
    """
    threads = threads or min(_MOST_THREADS, os.cpu_count() or 1)
    source, _ = read.source_and_session(staged)
    counts = read.row_counts(staged)
    words = Words(source, list(counts))
    members = Members.of(read.memberships(staged), read.never_ranked(staged))
    market = _market(staged, words)
    folder = workspace / PANEL_FOLDER
    folder.mkdir()
    parts, last_bars = full.compute(staged, words, market, members, folder, threads)
    rows = last_bars.to_arrow()
    write_parquet(rows, workspace / LAST_BARS_FILE)
    write_text(canonical_json([dataclasses.asdict(part) for part in parts]), workspace / PARTS_FILE)
    return rows


def _market(staged: Staged, words: Words) -> Market:
    """Return the first market symbol that has bars."""
    for symbol in MARKET_SYMBOLS:
        if symbol not in words.symbols:
            continue
        batch = batch_of(read.bars_of(staged, [symbol]), read.actions_of(staged))
        if batch.symbols:
            computed = features(batch.bars(0, NO_MARKET))
            return Market(batch.of(0, "session_date"), computed["log_return_1d"])
    return NO_MARKET
