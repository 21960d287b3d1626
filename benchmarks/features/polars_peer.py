"""Every feature of the panel as a user of polars would write it, on two threads.

``python -m benchmarks.features.polars_peer BARS TARGET`` under an interpreter that has polars;
``peers_input.py`` says what is given to both peers and what they are spared.
"""

import json
import math
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "2"

import polars as pl

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
    ColumnType.INTEGER: pl.Int64,
    ColumnType.FLOAT: pl.Float64,
    ColumnType.SINGLE: pl.Float32,
}
_YEAR = 252
_SIGNAL_SPAN = 9


def run(bars: Path, target: Path) -> dict[str, Any]:
    """Read bars batch by batch, write features batch by batch, then the ranks of all."""
    began = time.perf_counter()
    market = _market(bars / "market.parquet")
    paths = sorted((bars / "symbols").iterdir())
    for path in paths:
        features(pl.scan_parquet(path), market).sink_parquet(target / path.name, compression="lz4")
    halfway = time.perf_counter()
    ranks(pl.scan_parquet(target)).sink_parquet(target / "ranks.parquet", compression="lz4")
    ended = time.perf_counter()
    return {
        "seconds": ended - began,
        "seconds_ranks": ended - halfway,
        "batches": len(paths),
    }


def features(bars: pl.LazyFrame, market: pl.LazyFrame) -> pl.LazyFrame:
    """Return the panel's columns but the ranks; bars are sorted by symbol and session."""
    levels = _levels(bars.join(market, on="session_date", how="left", maintain_order="left"))
    moves = levels.with_columns(_by_symbol(_moves()))
    windows = moves.with_columns(_by_symbol(_windows())).with_columns(_by_symbol(_signal()))
    wanted = (*BAR, *ANCHORED, *SYMBOL_FEATURES)
    return windows.with_columns(_finished()).select(
        pl.col(column.name).cast(_TYPES[column.type]) if column.type in _TYPES else column.name
        for column in wanted
    )


def ranks(panel: pl.LazyFrame) -> pl.LazyFrame:
    """Return each row's ranks within its session, in the panel's order of rows."""
    of = {**RANKED, "reversal_rank": "log_return_21d"}
    return panel.select(
        "symbol",
        "session_date",
        *(
            (
                (pl.col(name).rank("min", descending=rank == "reversal_rank") - 1)
                / (pl.col(name).count() - 1)
            )
            .over("session_date")
            .cast(pl.Float32)
            .fill_nan(None)
            .alias(rank)
            for rank, name in of.items()
        ),
    )


def _market(path: Path) -> pl.LazyFrame:
    close = pl.col("close")
    growth = (pl.col("share_ratio") + pl.col("cash") / close).cum_prod()
    return (
        pl.read_parquet(path)
        .select("session_date", (close * growth).log().alias("market_level"))
        .lazy()
    )


def _levels(bars: pl.LazyFrame) -> pl.LazyFrame:
    """Add prices and volumes in the terms of the symbol's first bar, and each bar's own ratios."""
    close, dollars = pl.col("close"), pl.col("close") * pl.col("volume")
    shares, growth = pl.col("cumulative_share_ratio"), pl.col("cumulative_growth")
    anchored = bars.with_columns(
        _by_symbol(
            {
                "session_number": pl.int_range(1, pl.len() + 1),
                "cumulative_share_ratio": pl.col("share_ratio").cum_prod(),
                "cumulative_growth": (pl.col("share_ratio") + pl.col("cash") / close).cum_prod(),
            }
        )
    )
    range_ = (pl.col("high") / pl.col("low")).log()
    return anchored.with_columns(
        total_return=close * growth,
        total_return_high=pl.col("high") * growth,
        total_return_low=pl.col("low") * growth,
        split_close=close * shares,
        split_high=pl.col("high") * shares,
        split_volume=pl.col("volume") / shares,
        dollar_volume=dollars,
        range_2=range_**2,
        garman_klass=range_**2 / 2 - (2 * math.log(2) - 1) * (close / pl.col("open")).log() ** 2,
    )


def _moves() -> dict[str, pl.Expr]:
    level = pl.col("total_return")
    before = level.shift()
    change = level.diff()
    traded = pl.when(pl.col("dollar_volume") > 0).then(pl.col("dollar_volume"))
    return {
        "log_return_1d": (level / before).log(),
        "market_return": pl.col("market_level").diff(),
        "gain": change.clip(0, None),
        "change": change.abs(),
        "true_range": pl.max_horizontal("total_return_high", before)
        - pl.min_horizontal("total_return_low", before)
        + 0 * before,
        "amihud": (level / before - 1).abs() / traded * 1e6,
        "signed_volume": (change.sign().fill_null(0) * pl.col("split_volume")),
    }


def _windows() -> dict[str, pl.Expr]:
    level, move = pl.col("total_return"), pl.col("log_return_1d")
    market, volume = pl.col("market_return"), pl.col("split_volume")
    wilder = {"alpha": 1 / WILDER_PERIOD, "min_samples": WILDER_WINDOW}
    return {
        "obv": pl.col("signed_volume").cum_sum(),
        **{f"log_return_{n}d": (level / level.shift(n)).log() for n in RETURN_SPANS},
        "momentum_12_1": (level.shift(21) / level.shift(_YEAR)).log(),
        "drawdown_252d": level / level.rolling_max(_YEAR) - 1,
        "close_to_high_252d": pl.col("split_close") / pl.col("split_high").rolling_max(_YEAR) - 1,
        **{f"sma_{n}": level.rolling_mean(n) for n in SMA_SPANS},
        **{f"ema_{n}": level.ewm_mean(span=n, min_samples=WARM_UP_SPANS * n) for n in EMA_SPANS},
        "mean_20": level.rolling_mean(20),
        "std_20": level.rolling_std(20, ddof=0),
        **{f"vol_{n}d": move.rolling_std(n) for n in VOLATILITY_SPANS},
        **{f"range_2_{n}": pl.col("range_2").rolling_mean(n) for n in RANGE_SPANS},
        **{f"garman_klass_{n}": pl.col("garman_klass").rolling_mean(n) for n in RANGE_SPANS},
        "mean_gain": pl.col("gain").ewm_mean(**wilder),
        "mean_change": pl.col("change").ewm_mean(**wilder),
        "mean_true_range": pl.col("true_range").ewm_mean(**wilder),
        "market_cov": pl.rolling_cov(move, market, window_size=_YEAR),
        "market_var": market.rolling_var(_YEAR),
        "dollar_volume_21d": pl.col("dollar_volume").rolling_mean(21),
        "volume_mean": volume.rolling_mean(63),
        "volume_std": volume.rolling_std(63),
        "amihud_21d": pl.col("amihud").rolling_mean(21),
    }


def _signal() -> dict[str, pl.Expr]:
    macd = pl.col("ema_12") - pl.col("ema_26")
    return {
        "macd": macd,
        "macd_signal": macd.ewm_mean(span=_SIGNAL_SPAN, min_samples=WARM_UP_SPANS * _SIGNAL_SPAN),
    }


def _finished() -> list[pl.Expr]:
    level, growth = pl.col("total_return"), pl.col("cumulative_growth")
    annual = math.sqrt(_YEAR)
    market_vol = pl.col("market_var").sqrt()
    columns = {
        **{f"close_to_sma_{n}": level / pl.col(f"sma_{n}") - 1 for n in SMA_SPANS},
        **{f"close_to_ema_{n}": level / pl.col(f"ema_{n}") - 1 for n in EMA_SPANS},
        "sma_cross_10_50": pl.col("sma_10") / pl.col("sma_50") - 1,
        "sma_cross_50_200": pl.col("sma_50") / pl.col("sma_200") - 1,
        "ema_cross_10_50": pl.col("ema_10") / pl.col("ema_50") - 1,
        "macd_12_26": pl.col("macd") / growth,
        "macd_histogram_12_26_9": (pl.col("macd") - pl.col("macd_signal")) / growth,
        "rsi_14": pl.when(pl.col("mean_change") > 0)
        .then(100 * pl.col("mean_gain") / pl.col("mean_change"))
        .when(pl.col("mean_change") == 0)
        .then(50.0),
        "bollinger_z_20": pl.when(pl.col("std_20") > 0).then(
            (level - pl.col("mean_20")) / pl.col("std_20")
        ),
        "bollinger_width_20": 4 * pl.col("std_20") / pl.col("mean_20"),
        **{f"vol_{n}d_annual": pl.col(f"vol_{n}d") * annual for n in VOLATILITY_SPANS},
        **{
            f"parkinson_vol_{n}d_annual": (pl.col(f"range_2_{n}") / (4 * math.log(2))).sqrt()
            * annual
            for n in RANGE_SPANS
        },
        **{
            f"garman_klass_vol_{n}d_annual": pl.when(pl.col(f"garman_klass_{n}") >= 0).then(
                pl.col(f"garman_klass_{n}").sqrt() * annual
            )
            for n in RANGE_SPANS
        },
        "atr_14": pl.col("mean_true_range") / growth,
        "beta_252d": pl.when(pl.col("market_var") > 0).then(
            pl.col("market_cov") / pl.col("market_var")
        ),
        "market_correlation_252d": pl.when((market_vol > 0) & (pl.col("vol_252d") > 0)).then(
            (pl.col("market_cov") / (market_vol * pl.col("vol_252d"))).clip(-1, 1)
        ),
        "volume_z_63d": pl.when(pl.col("volume_std") > 0).then(
            (pl.col("split_volume") - pl.col("volume_mean")) / pl.col("volume_std")
        ),
    }
    return [expression.alias(name) for name, expression in columns.items()]


def _by_symbol(expressions: dict[str, pl.Expr]) -> Iterable[pl.Expr]:
    return [value.over("symbol").alias(name) for name, value in expressions.items()]


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]))))
