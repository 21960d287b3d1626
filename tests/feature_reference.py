"""Every feature once more, from whole windows in NumPy and pandas."""

from collections.abc import Callable

import numpy as np
import pandas as pd

EMA_WARM_UP_SPANS = 4


def features_of(closes: pd.DataFrame) -> pd.DataFrame:
    """All features of rows of symbol, session_date and close, indexed by the first two."""
    by_symbol = {
        symbol: reference(group.sort_values("session_date").set_index("session_date")["close"])
        for symbol, group in closes.groupby("symbol")
    }
    features = pd.concat(by_symbol, names=["symbol", "session_date"])
    momentum = features["momentum_12_1"].groupby("session_date")
    features["momentum_rank"] = (momentum.rank(method="min") - 1) / (
        momentum.transform("count") - 1
    ).replace(0, np.nan)
    return features


def reference(close: pd.Series) -> pd.DataFrame:
    """All features of one symbol but its rank, from whole windows in NumPy and pandas."""
    log_return = np.log(close / close.shift())
    columns = {"close": close}
    for n in (1, 5, 21, 63, 252):
        columns[f"log_return_{n}d"] = np.log(close / close.shift(n))
    for n in (5, 10, 21, 50, 200):
        columns[f"sma_{n}"] = rolled(close, n, lambda windows: windows.mean(axis=1))
        columns[f"close_to_sma_{n}"] = close / columns[f"sma_{n}"] - 1
    for n in (10, 21, 50):
        weights = (1 - 2 / (n + 1)) ** np.arange(EMA_WARM_UP_SPANS * n)[::-1]
        columns[f"ema_{n}"] = rolled(close, len(weights), weighted_by(weights))
        columns[f"close_to_ema_{n}"] = close / columns[f"ema_{n}"] - 1
    columns["ema_cross_10_50"] = columns["ema_10"] / columns["ema_50"] - 1
    for n in (21, 63):
        deviation = rolled(log_return, n, lambda windows: windows.std(axis=1, ddof=1))
        columns[f"vol_{n}d_annual"] = deviation * np.sqrt(252)
    columns["sma_cross_10_50"] = columns["sma_10"] / columns["sma_50"] - 1
    columns["sma_cross_50_200"] = columns["sma_50"] / columns["sma_200"] - 1
    columns["momentum_12_1"] = np.log(close.shift(21) / close.shift(252))
    columns["reversal_21d"] = -columns["log_return_21d"]
    columns["drawdown_252d"] = close / close.rolling(252).max() - 1
    return pd.DataFrame(columns)


def weighted_by(weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda windows: windows @ weights / weights.sum()


def rolled(
    series: pd.Series, window: int, function: Callable[[np.ndarray], np.ndarray]
) -> pd.Series:
    windows = np.lib.stride_tricks.sliding_window_view(series.to_numpy(), window)
    return pd.Series(function(windows), series.index[window - 1 :]).reindex(series.index)
