"""What both peers are given: accepted bars with what each share became, in Parquet.

``python -m benchmarks.features.peers_input FOLDER TARGET`` reads the lake of the settings, which
has ingested the price files of ``FOLDER``, and writes under ``TARGET``

    symbols/<number>.parquet    the bars of ``SYMBOLS_AT_ONCE`` symbols, by symbol and session
    market.parquet              those of the market

with the panel's bar columns, ``share_ratio`` and ``cash``: the shares that one share of the
symbol's bar before has become, and what it paid on the way.

So the peers are spared reading the lake's files, cuts, versions, verdicts, sorting and joining
actions. They may take an exponential mean of all bars instead of its last four spans, which is
the easier one, and leave the ranks in a file of their own instead of writing everything twice.
They neither test what they made nor make any other table.
"""

import datetime as dt
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.market_files import LAST_SESSION, MARKET_SYMBOL, symbols_of
from models.lake import ACTIONS, PRICES
from models.panel import BAR
from pipelines.lake.adjustment import comparable, share_steps
from pipelines.lake.cut import known_at_cut
from pipelines.lake.reading import read_as_of
from pipelines.settings import Settings, load_settings

SYMBOLS_AT_ONCE = 50
"""Both peers are fastest with so many: more leave the processor's caches, fewer cost calls."""
_READ_AT_ONCE = 4 * SYMBOLS_AT_ONCE
_PROCESSES = 2
_ROWS_PER_GROUP = 1 << 17


def write_input(settings: Settings, symbols: Sequence[str], target: Path) -> int:
    """Write the accepted bars of the symbols, given in order; return how many those are."""
    (target / "symbols").mkdir(parents=True)
    cut = known_at_cut(settings, LAST_SESSION)
    groups = [symbols[at : at + _READ_AT_ONCE] for at in range(0, len(symbols), _READ_AT_ONCE)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        one = partial(_write_group, settings, cut, target)
        return sum(pool.map(one, range(len(groups)), groups))


def _write_group(
    settings: Settings, cut: dt.datetime, target: Path, number: int, symbols: Sequence[str]
) -> int:
    bars = _bars(settings, cut, symbols)
    firsts = symbols[::SYMBOLS_AT_ONCE]
    for nth, first in enumerate(firsts):
        some = pc.field("symbol") >= first
        if nth + 1 < len(firsts):
            some &= pc.field("symbol") < firsts[nth + 1]
        name = f"{number * len(firsts) + nth:05d}.parquet"
        _write(bars.filter(some), target / "symbols" / name)
    if MARKET_SYMBOL in symbols:
        _write(bars.filter(pc.field("symbol") == MARKET_SYMBOL), target / "market.parquet")
    return bars.num_rows


def _bars(settings: Settings, cut: dt.datetime, symbols: Sequence[str]) -> pa.Table:
    of = {"symbols": symbols, "accepted": True}
    prices = read_as_of(settings, PRICES, LAST_SESSION, cut, **of)
    prices = comparable(prices.filter(pc.field("close") > 0))
    steps = share_steps(prices, read_as_of(settings, ACTIONS, LAST_SESSION, cut, **of))
    micros = np.rint(np.asarray(prices["close"]) * 1e6).astype(np.int64)
    columns = prices.append_column("close_micros", pa.array(micros)).select(
        [column.name for column in BAR]
    )
    return columns.append_column("share_ratio", pa.array(steps.shares)).append_column(
        "cash", pa.array(steps.cash)
    )


def _write(bars: pa.Table, path: Path) -> None:
    pq.write_table(
        bars.replace_schema_metadata(), path, compression="lz4", row_group_size=_ROWS_PER_GROUP
    )


def main() -> None:
    """Write the input of the folder and the target that the command line names."""
    folder, target = map(Path, sys.argv[1:])
    began = time.perf_counter()
    rows = write_input(load_settings(), symbols_of(folder), target)
    print(json.dumps({"seconds": time.perf_counter() - began, "rows": rows}))


if __name__ == "__main__":
    main()
