"""Exponential moving average of returns."""

from ml.forecasters.line import Window
from ml.forecasters.trend import TrendForecaster
from ml.rolling import Floats, exponential_mean

LEAST_SPANS = 3


class ExponentialMovingAverageForecaster(TrendForecaster):
    """Trend: the mean daily log return with weights falling by age.

    The weight at age k is (1 - 2 / (span + 1))^k, cut at the first power of two from three spans on
    (at least 99.7 % of the weight) and normalised over what is observed, so that the result depends
    on those sessions only.
    """

    name = "ema"
    windows = ((10,), (21,), (63,), (126,))

    def window_sessions(self, window: Window) -> int:
        """Return the number of ages that have weight."""
        return 1 << (LEAST_SPANS * window[0] - 1).bit_length()

    def feature(self, window: Window) -> str | None:
        """Return the name of the mean."""
        return f"ema_log_return_{window[0]}d"

    def trend(self, log_return_1d: Floats, window: Window) -> Floats:
        """Return the weighted mean; NaN where 20 % of the weight is missing."""
        return exponential_mean(log_return_1d, window[0], self.window_sessions(window))
