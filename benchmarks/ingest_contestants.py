"""One contestant of the ingest benchmark: ``python -m benchmarks.ingest_contestants NAME ...``.

Each prints its seconds, from the moment at which its libraries are imported, as JSON.
"""

import datetime as dt
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.market_files import LAST_SESSION, NEXT_SESSION

_READS = 50
_MOVE_LIMIT = 1.1
_SHARED_JUMP = 0.25
_HIGHEST_PRICE = 1e7
_MOST_SHARES = 1e12


def duckdb_copy(folder: Path, target: Path) -> dict[str, Any]:
    """Copy all files into one Parquet file, without any check or order: the floor."""
    import duckdb

    began = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from read_csv('{folder}/*.csv', filename = true))"
            f" to '{target}' (format parquet)"
        )
    return {"seconds": time.perf_counter() - began}


def pandas(folder: Path, target: Path) -> dict[str, Any]:
    """Read each file, apply the checks, sort and write: the usual way.

    The checks are ours in their plain form: each row's numbers and day, duplicates, a move beside
    the symbol's past and the session's others, beside the adjusted close, standing prices, and
    bars that two symbols share.
    """
    import numpy as np
    import pandas as pd

    from pipelines.sessions import sessions_between

    open_days = pd.DatetimeIndex(sessions_between(dt.date(1950, 1, 3), LAST_SESSION))
    began = time.perf_counter()
    frames = []
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path, parse_dates=["Date"])
        frame["symbol"] = path.stem
        frames.append(frame)
    bars = pd.concat(frames, ignore_index=True)
    bars["symbol"] = bars["symbol"].astype("category")
    bars = bars.sort_values(["symbol", "Date"], kind="stable", ignore_index=True)
    prices = bars[["Open", "High", "Low", "Close"]]
    good = ((prices > 0) & (prices <= _HIGHEST_PRICE)).all(axis=1)
    good &= bars["Volume"].between(0, _MOST_SHARES)
    good &= (bars["High"] >= prices.max(axis=1)) & (bars["Low"] <= prices.min(axis=1))
    good &= bars["Date"].isin(open_days)
    good &= ~bars.duplicated(["symbol", "Date"])
    by_symbol = np.log(bars["Close"]).groupby(bars["symbol"], observed=True)
    move = by_symbol.diff()
    spread = move.groupby(bars["symbol"], observed=True).rolling(63, min_periods=20).std()
    limit = (10 * spread.droplevel(0)).clip(0.1, _MOVE_LIMIT).fillna(_MOVE_LIMIT)
    beside_others = move - move.groupby(bars["Date"]).transform("median")
    good &= ~((move.abs() > limit) & (beside_others.abs() > limit))
    adjusted_move = np.log(bars["Adj Close"]).groupby(bars["symbol"], observed=True).diff()
    good &= ~((move - adjusted_move).abs() > _SHARED_JUMP)
    good &= ~bars.duplicated(["Date", "Open", "High", "Low", "Close", "Volume"], keep=False)
    good &= by_symbol.transform(lambda closes: closes.diff().eq(0).rolling(21).sum()).ne(21)
    bars[good].to_parquet(target / "accepted.parquet", compression="zstd", index=False)
    bars[~good].to_parquet(target / "rejected.parquet", compression="zstd", index=False)
    return {"seconds": time.perf_counter() - began, "rejected": int((~good).sum())}


def ours(session: dt.date) -> dict[str, Any]:
    """Ingest the folder of the settings up to a session."""
    from pipelines.ingest import ingest
    from pipelines.settings import load_settings

    began = time.perf_counter()
    report = ingest(load_settings(), session)
    return {
        "seconds": time.perf_counter() - began,
        "rows": report.new_rows,
        "restated": report.restated_rows,
        "rejected": report.quarantined_rows,
        "files": report.files,
    }


def check() -> dict[str, Any]:
    """End the ingest: Great Expectations confirms the verdicts on a sample."""
    from pipelines.quality import check as run_check
    from pipelines.settings import load_settings
    from pipelines.store import migrate

    settings = load_settings()
    migrate(settings)
    began = time.perf_counter()
    run_check(settings, LAST_SESSION)
    return {"seconds": time.perf_counter() - began}


def as_of(symbols: int) -> dict[str, Any]:
    """Read single symbols' whole histories as a session knew them."""
    from models.lake import PRICES
    from pipelines.lake import known_at_cut, read_as_of
    from pipelines.settings import load_settings

    settings = load_settings()
    began = time.perf_counter()
    cut = known_at_cut(settings, LAST_SESSION)
    read_as_of(settings, PRICES, LAST_SESSION, cut, symbols=["S00000"])
    first = time.perf_counter() - began
    taken = []
    for number in range(0, symbols, max(1, symbols // _READS)):
        started = time.perf_counter()
        rows = read_as_of(settings, PRICES, LAST_SESSION, cut, symbols=[f"S{number:05d}"])
        taken.append(time.perf_counter() - started)
        if rows.num_rows == 0:
            raise RuntimeError(f"S{number:05d} has no rows")
    return {"seconds": statistics.median(taken), "first": first, "slowest": max(taken)}


def main() -> None:
    """Run the contestant that the command line names."""
    name, *given = sys.argv[1:]
    contestants: dict[str, Callable[[], dict[str, Any]]] = {
        "duckdb_copy": lambda: duckdb_copy(Path(given[0]), Path(given[1]) / "copy.parquet"),
        "pandas": lambda: pandas(Path(given[0]), Path(given[1])),
        "ours": lambda: ours(LAST_SESSION),
        "next": lambda: ours(NEXT_SESSION),
        "check": check,
        "as_of": lambda: as_of(int(given[0])),
    }
    print(json.dumps(contestants[name]()))


if __name__ == "__main__":
    main()
