"""Every feature of the panel as a user of pandas would write it, in two processes.

``python -m benchmarks.features.pandas_peer BARS TARGET``; ``peers_input.py`` says what is given to
both peers and what they are spared.

Of the ways to roll by symbol the fastest was taken: one frame per column, with a symbol in each
column and its n-th bar in the n-th row (docs/decisions/feature-benchmark.md).
"""

import json
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.declaration import ColumnType
from models.panel import (
    ANCHORED,
    BAR,
    EMA_SPANS,
    RANGE_SPANS,
    RANKED,
    RETURN_SPANS,
    SMA_SPANS,
    SYMBOL_FEATURES,
    VOLATILITY_SPANS,
    WARM_UP_SPANS,
    WILDER_PERIOD,
    WILDER_WINDOW,
)

_TYPES = {
    ColumnType.INTEGER: np.int64,
    ColumnType.FLOAT: np.float64,
    ColumnType.SINGLE: np.float32,
}
_NUMBERS = ("open", "high", "low", "close", "volume", "share_ratio", "cash", "market_level")
_TEXT = [column.name for column in BAR if column.type is ColumnType.TEXT]
_PROCESSES = 2
_YEAR = 252
_SIGNAL_SPAN = 9


def run(bars: Path, target: Path) -> dict[str, Any]:
    """Compute features batch by batch in two processes, then the ranks of all."""
    began = time.perf_counter()
    market = _market(bars / "market.parquet")
    paths = sorted((bars / "symbols").iterdir())
    with ProcessPoolExecutor(_PROCESSES) as pool:
        list(pool.map(partial(_batch, target, market), paths))
        halfway = time.perf_counter()
        _write_ranks(target, pool)
    ended = time.perf_counter()
    return {
        "seconds": ended - began,
        "seconds_ranks": ended - halfway,
        "batches": len(paths),
    }


def _batch(target: Path, market: pd.Series, path: Path) -> None:
    panel = features(pd.read_parquet(path), market)
    # Dictionaries pay for text alone; with them for all columns writing takes four times as long.
    panel.to_parquet(target / path.name, compression="lz4", use_dictionary=_TEXT, index=False)


def features(bars: pd.DataFrame, market: pd.Series) -> pd.DataFrame:
    """Return the panel's columns but the ranks; bars are sorted by symbol and session."""
    bars["market_level"] = market.reindex(bars["session_date"]).to_numpy()
    number = bars.groupby("symbol", sort=False).cumcount().to_numpy()
    count = np.bincount(bars.groupby("symbol", sort=False).ngroup())
    has_bar = np.arange(count.max()) < count[:, None]
    wide = {}
    for name in _NUMBERS:
        values = np.full(has_bar.shape, np.nan)
        values[has_bar] = bars[name]
        wide[name] = pd.DataFrame(values.T)
    computed = _features(wide)
    columns = {}
    for column in (*BAR, *ANCHORED, *SYMBOL_FEATURES):
        if column.name in computed:
            values = computed[column.name].to_numpy().T[has_bar]
            columns[column.name] = values.astype(_TYPES[column.type], copy=False)
        elif column.name == "session_number":
            columns[column.name] = number + 1
        else:
            columns[column.name] = bars[column.name]
    return pd.DataFrame(columns)


def _market(path: Path) -> pd.Series:
    bars = pd.read_parquet(path).set_index("session_date")
    growth = (bars["share_ratio"] + bars["cash"] / bars["close"]).cumprod()
    return np.log(bars["close"] * growth)


def _features(bars: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    close, volume = bars["close"], bars["volume"]
    shares = bars["share_ratio"].cumprod()
    growth = (bars["share_ratio"] + bars["cash"] / close).cumprod()
    level = close * growth
    change = level.diff()
    found = {
        "cumulative_share_ratio": shares,
        "cumulative_growth": growth,
        "obv": (np.sign(change).fillna(0) * (volume / shares)).cumsum(),
    }
    found |= _returns(level)
    found["close_to_high_252d"] = close * shares / (bars["high"] * shares).rolling(_YEAR).max() - 1
    found |= _averages(level, growth)
    found |= _oscillators(level, change)
    found |= _ranges(bars, level, growth)
    move = found["log_return_1d"]
    found |= {f"vol_{n}d": move.rolling(n).std() for n in VOLATILITY_SPANS}
    found |= _beside_market(move, found["vol_252d"], bars["market_level"].diff())
    found |= {f"vol_{n}d_annual": found[f"vol_{n}d"] * math.sqrt(_YEAR) for n in VOLATILITY_SPANS}
    return found | _liquidity(close * volume, volume / shares, change / level.shift())


def _returns(level: pd.DataFrame) -> dict[str, pd.DataFrame]:
    logs = np.log(level)
    return {
        **{f"log_return_{n}d": logs.diff(n) for n in (1, *RETURN_SPANS)},
        "momentum_12_1": logs.shift(21) - logs.shift(_YEAR),
        "drawdown_252d": level / level.rolling(_YEAR).max() - 1,
    }


def _averages(level: pd.DataFrame, growth: pd.DataFrame) -> dict[str, pd.DataFrame]:
    sma = {n: level.rolling(n).mean() for n in SMA_SPANS}
    ema = {n: level.ewm(span=n, min_periods=WARM_UP_SPANS * n).mean() for n in EMA_SPANS}
    macd = ema[12] - ema[26]
    signal = macd.ewm(span=_SIGNAL_SPAN, min_periods=WARM_UP_SPANS * _SIGNAL_SPAN).mean()
    return {
        **{f"close_to_sma_{n}": level / mean - 1 for n, mean in sma.items()},
        **{f"close_to_ema_{n}": level / mean - 1 for n, mean in ema.items()},
        "sma_cross_10_50": sma[10] / sma[50] - 1,
        "sma_cross_50_200": sma[50] / sma[200] - 1,
        "ema_cross_10_50": ema[10] / ema[50] - 1,
        "macd_12_26": macd / growth,
        "macd_histogram_12_26_9": (macd - signal) / growth,
    }


def _oscillators(level: pd.DataFrame, change: pd.DataFrame) -> dict[str, pd.DataFrame]:
    wilder = {"alpha": 1 / WILDER_PERIOD, "min_periods": WILDER_WINDOW}
    gain = change.clip(lower=0).ewm(**wilder).mean()
    moved = change.abs().ewm(**wilder).mean()
    window = level.rolling(20)
    mean, deviation = window.mean(), window.std(ddof=0)
    return {
        "rsi_14": (100 * gain / moved).mask(moved == 0, 50),
        "bollinger_z_20": ((level - mean) / deviation).where(deviation > 0),
        "bollinger_width_20": 4 * deviation / mean,
    }


def _ranges(
    bars: dict[str, pd.DataFrame], level: pd.DataFrame, growth: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    before = level.shift()
    highest = np.maximum(bars["high"] * growth, before)
    lowest = np.minimum(bars["low"] * growth, before)
    true_range = (highest - lowest).ewm(alpha=1 / WILDER_PERIOD, min_periods=WILDER_WINDOW).mean()
    range_2 = np.log(bars["high"] / bars["low"]) ** 2
    body_2 = np.log(bars["close"] / bars["open"]) ** 2
    garman_klass = range_2 / 2 - (2 * math.log(2) - 1) * body_2
    found = {"atr_14": true_range / growth}
    for n in RANGE_SPANS:
        parkinson = range_2.rolling(n).mean() / (4 * math.log(2))
        found[f"parkinson_vol_{n}d_annual"] = np.sqrt(parkinson * _YEAR)
        mean = garman_klass.rolling(n).mean()
        found[f"garman_klass_vol_{n}d_annual"] = np.sqrt(mean.where(mean >= 0) * _YEAR)
    return found


def _beside_market(
    move: pd.DataFrame, deviation: pd.DataFrame, market: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    covariance = move.rolling(_YEAR).cov(market, pairwise=False)
    variance = market.rolling(_YEAR).var()
    product = np.sqrt(variance) * deviation
    return {
        "beta_252d": (covariance / variance).where(variance > 0),
        "market_correlation_252d": (covariance / product).where(product > 0).clip(-1, 1),
    }


def _liquidity(
    dollars: pd.DataFrame, volume: pd.DataFrame, simple_return: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    window = volume.rolling(63)
    deviation = window.std()
    illiquidity = simple_return.abs() / dollars.where(dollars > 0) * 1e6
    return {
        "dollar_volume": dollars,
        "dollar_volume_21d": dollars.rolling(21).mean(),
        "volume_z_63d": ((volume - window.mean()) / deviation).where(deviation > 0),
        "amihud_21d": illiquidity.rolling(21).mean(),
    }


def _write_ranks(target: Path, pool: ProcessPoolExecutor) -> None:
    of = {**RANKED, "reversal_rank": "log_return_21d"}
    panel = pd.read_parquet(target, columns=["symbol", "session_date"], dtype_backend="pyarrow")
    for rank, values in zip(of, pool.map(partial(_rank, target), of, of.values()), strict=True):
        panel[rank] = values
    panel.to_parquet(target / "ranks.parquet", compression="lz4", use_dictionary=_TEXT, index=False)


def _rank(target: Path, rank: str, name: str) -> np.ndarray:
    # ``groupby("session_date").rank()`` takes four times as long as a table of symbols by session.
    keys = pd.read_parquet(target, columns=["symbol", "session_date"], dtype_backend="pyarrow")
    values = pd.read_parquet(target, columns=[name])[name]
    symbol, symbols = keys["symbol"].factorize()
    session, sessions = keys["session_date"].factorize()
    wide = np.full((len(symbols), len(sessions)), np.nan, values.dtype)
    wide[symbol, session] = -values if rank == "reversal_rank" else values
    frame = pd.DataFrame(wide)
    others = frame.count() - 1
    ranks = (frame.rank(method="min") - 1) / others.where(others > 0)
    return ranks.to_numpy()[symbol, session].astype(np.float32)


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]))))
