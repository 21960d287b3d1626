"""Simple moving average of returns."""

from ml.forecasters.line import Window
from ml.forecasters.trend import TrendForecaster
from ml.rolling import Floats, trailing_mean


class SimpleMovingAverageForecaster(TrendForecaster):
    """Trend: the mean daily log return over the last n sessions."""

    name = "sma"
    windows = ((10,), (21,), (63,), (126,), (252,))

    def window_sessions(self, window: Window) -> int:
        """Return n."""
        return window[0]

    def feature(self, window: Window) -> str | None:
        """Return the name of the mean."""
        return f"mean_log_return_{window[0]}d"

    def trend(self, log_return_1d: Floats, window: Window) -> Floats:
        """Return the mean; NaN where 20 % of the window is missing."""
        return trailing_mean(log_return_1d, window[0])
