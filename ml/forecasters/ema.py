"""Exponential moving average of returns."""

import numpy as np

from ml.forecasters.trend import TrendForecaster, Window
from ml.panel import VOLATILITY_WINDOW_SESSIONS, Panel
from ml.rolling import Floats

LAGS_PER_SPAN = 3
LEAST_WEIGHT_OBSERVED = 0.8


class ExponentialMovingAverageForecaster(TrendForecaster):
    """Trend: horizon times the mean daily log return with weights falling by age.

    The weight at age k is (1 - 2 / (span + 1))^k, cut at three spans (99.75 % of the weight) and
    normalised over what is observed, so that the result depends on those sessions only.
    """

    name = "ema"
    windows = ((10,), (21,), (63,), (126,))

    @property
    def history_sessions(self) -> int:
        """The longer of the ages with weight and the volatility's window, and the row before."""
        return max(LAGS_PER_SPAN * self.window[0], VOLATILITY_WINDOW_SESSIONS) + 1

    def trend(self, panel: Panel, window: Window) -> Floats:
        """Return horizon times the weighted mean; NaN where 20 % of the weight is missing."""
        span = window[0]
        observed = np.isfinite(panel.log_return_1d).astype(np.float64)
        returns = np.nan_to_num(panel.log_return_1d, nan=0.0)
        total = np.zeros_like(returns)
        seen = np.zeros_like(returns)
        decay = 1.0 - 2.0 / (span + 1.0)
        weights = decay ** np.arange(LAGS_PER_SPAN * span)
        # Lag by lag, not by a matrix product: each element adds up in one fixed order.
        for lag, weight in enumerate(weights[: len(returns)]):
            total[lag:] += weight * returns[: len(returns) - lag]
            seen[lag:] += weight * observed[: len(returns) - lag]
        enough = panel.observed & (seen >= LEAST_WEIGHT_OBSERVED * weights.sum())
        mean = total / np.where(enough, seen, 1.0)
        return np.where(enough, self.horizon_sessions * mean, np.nan)
