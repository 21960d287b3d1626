"""A folder of made-up price files in the form in which Yahoo's are found everywhere.

One CSV file per symbol, oldest day first, six decimals, ``Date,Open,High,Low,Close,Adj Close,
Volume``. One row in ten thousand is spoilt, so that checks have something to find.
"""

import datetime as dt
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

LAST_SESSION = dt.date(2022, 12, 29)
NEXT_SESSION = dt.date(2022, 12, 30)
_SPOILT = 1e-4
_DAILY_VOLATILITY = 0.015
_NEXT_SEED = 20221230


def write_market(folder: Path, symbols: int, years: int, processes: int = 2) -> int:
    """Write the files of a market up to ``LAST_SESSION``; return how many rows they have."""
    from pipelines.sessions import sessions_between

    folder.mkdir(parents=True)
    days = sessions_between(LAST_SESSION.replace(year=LAST_SESSION.year - years), LAST_SESSION)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        one = partial(_write_symbol, folder, pa.array(days))
        rows = sum(pool.map(one, range(symbols), chunksize=50))
    return rows


def add_session(folder: Path) -> int:
    """Add a row for ``NEXT_SESSION`` at the end of every file; return how many those were.

    It moves as the days before, since a copy of the last day would be rejected for one.
    """
    dice = np.random.default_rng(_NEXT_SEED)
    count = 0
    for path in sorted(folder.glob("*.csv")):
        with path.open("rb+") as stream:
            stream.seek(-400, 2)
            last = stream.read().decode().splitlines()[-1].split(",")
            move = np.exp(dice.normal(0.0003, _DAILY_VOLATILITY))
            prices = (f"{float(price) * move:.6f}" for price in last[1:-1])
            volume = str(dice.integers(1_000, 100_000_000))
            stream.write(",".join([NEXT_SESSION.isoformat(), *prices, volume]).encode() + b"\n")
        count += 1
    return count


def _write_symbol(folder: Path, days: pa.Array, number: int) -> int:
    dice = np.random.default_rng(number)
    count = len(days)
    close = 50 * np.exp(np.cumsum(dice.normal(0.0003, _DAILY_VOLATILITY, count)))
    opened = close * np.exp(dice.normal(0, 0.004, count))
    high = np.maximum(opened, close) * np.exp(np.abs(dice.normal(0, 0.004, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(dice.normal(0, 0.004, count)))
    spoilt = dice.random(count) < _SPOILT
    high[spoilt] = low[spoilt] / 2
    prices = {"Open": opened, "High": high, "Low": low, "Close": close, "Adj Close": close * 0.9}
    table = pa.table(
        {
            "Date": days,
            **{name: np.round(values, 6) for name, values in prices.items()},
            "Volume": dice.integers(1_000, 100_000_000, count),
        }
    )
    with (folder / f"S{number:05d}.csv").open("wb") as stream:
        stream.write(b"Date,Open,High,Low,Close,Adj Close,Volume\n")
        pacsv.write_csv(table, stream, pacsv.WriteOptions(include_header=False))
    return count
