"""Moving-average crossover."""

from ml.forecasters.line import Window
from ml.forecasters.trend import TrendForecaster
from ml.rolling import Floats, gap_of_averages


class CrossoverForecaster(TrendForecaster):
    """Trend: fast minus slow moving average of the log price, per session of their distance.

    The averages lie (slow - fast) / 2 sessions apart in age; dividing by that makes a log return
    per session. It is positive where the fast average is above the slow one: the usual crossover
    signal with its size kept.
    """

    name = "crossover"
    windows = ((5, 21), (10, 50), (21, 126), (50, 200))

    def window_sessions(self, window: Window) -> int:
        """Return the length of the slow average."""
        return window[1]

    def feature(self, window: Window) -> str | None:
        """Return the name of the trend."""
        return f"log_price_cross_{window[0]}_{window[1]}"

    def trend(self, log_return_1d: Floats, window: Window) -> Floats:
        """Return the scaled gap between the averages; NaN where 20 % of the slow one is missing."""
        fast, slow = window
        gap = gap_of_averages(log_return_1d, fast, slow)
        gap /= (slow - fast) / 2
        return gap
