"""Simple moving average of returns."""

import numpy as np

from ml.forecasters.trend import TrendForecaster, Window
from ml.panel import VOLATILITY_WINDOW_SESSIONS, Panel
from ml.rolling import Floats, trailing_mean


class SimpleMovingAverageForecaster(TrendForecaster):
    """Trend: horizon times the mean daily log return over the last n sessions."""

    name = "sma"
    windows = ((10,), (21,), (63,), (126,), (252,))

    @property
    def history_sessions(self) -> int:
        """The longer of the trend's and the volatility's window, and the row before it."""
        return max(self.window[0], VOLATILITY_WINDOW_SESSIONS) + 1

    def trend(self, panel: Panel, window: Window) -> Floats:
        """Return horizon times the mean; NaN where 20 % of the window is missing."""
        mean = trailing_mean(panel.log_return_1d, window[0])
        return np.where(panel.observed, self.horizon_sessions * mean, np.nan)
