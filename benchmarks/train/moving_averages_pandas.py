"""The forecasts of ``moving_averages`` as users of pandas write them."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.train.moving_averages import HORIZONS, LINES
from ml.rolling import Floats


def pandas_forecasts(returns: Floats) -> Callable[[str], Floats]:
    """Return what makes a model's means, and their standard deviations beside them."""
    frame = pd.DataFrame(returns)
    volatility: list[pd.DataFrame] = []

    def forecast(name: str) -> Floats:
        if not volatility:
            volatility.append(_volatility(frame))
        means = np.empty((len(HORIZONS), *returns.shape))
        for number, (horizon, line) in enumerate(zip(HORIZONS, LINES[name], strict=True)):
            stdev = volatility[0] * (line.spread * horizon**0.5)
            mean = line.intercept + line.slope * horizon * _DRIFTS[name](frame, *line.window)
            means[number] = mean.where(stdev.notna())
            stdev.where(mean.notna())
        return means

    return forecast


def _mean(values: pd.DataFrame, window: int, least_share: float = 0.8) -> pd.DataFrame:
    return values.rolling(window, min_periods=int(np.ceil(least_share * window))).mean()


def _volatility(frame: pd.DataFrame) -> pd.DataFrame:
    volatility = _mean(frame**2, 63) ** 0.5
    return volatility.where(frame.notna() & (volatility >= 1e-5))


def _expanding_mean(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.expanding(min_periods=252).mean()


def _ema(frame: pd.DataFrame, span: int) -> pd.DataFrame:
    return frame.ewm(span=span, min_periods=span).mean()


def _crossover(frame: pd.DataFrame, fast: int, slow: int) -> pd.DataFrame:
    price = frame.fillna(0.0).cumsum()
    gap = _mean(price, fast, 1.0) - _mean(price, slow, 1.0)
    is_known = frame.notna().rolling(slow, min_periods=1).sum() >= 0.8 * slow
    return gap.where(is_known) / ((slow - fast) / 2)


_DRIFTS: dict[str, Callable[..., pd.DataFrame]] = {
    "expanding_mean": _expanding_mean,
    "sma": _mean,
    "ema": _ema,
    "crossover": _crossover,
}
