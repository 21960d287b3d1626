"""Moving-average crossover."""

import numpy as np

from ml.forecasters.trend import TrendForecaster, Window
from ml.panel import VOLATILITY_WINDOW_SESSIONS, Panel
from ml.rolling import FIXED_POINT, Floats, to_fixed_point, trailing_sum

LEAST_SHARE_OBSERVED = 0.8


class CrossoverForecaster(TrendForecaster):
    """Trend: fast minus slow moving average of the log price, per session of their distance.

    The averages lie (slow - fast) / 2 sessions apart in age; dividing by that and multiplying by
    the horizon makes a log return over the horizon. It is positive where the fast average is
    above the slow one: the usual crossover signal with its size kept.
    """

    name = "crossover"
    windows = ((5, 21), (10, 50), (21, 126), (50, 200))

    @property
    def history_sessions(self) -> int:
        """The longer of the slow and the volatility's window, and the row before it."""
        return max(self.window[1], VOLATILITY_WINDOW_SESSIONS) + 1

    def trend(self, panel: Panel, window: Window) -> Floats:
        """Return the scaled gap between the averages; NaN where 20 % of the slow one is missing."""
        fast, slow = window
        # In exact integers the price level before the slow window cancels out completely.
        log_price = np.cumsum(to_fixed_point(panel.log_return_1d), axis=0)
        gap = trailing_sum(log_price, fast) * slow - trailing_sum(log_price, slow) * fast
        sessions_apart = (slow - fast) / 2
        trend = gap / (FIXED_POINT * fast * slow) * (self.horizon_sessions / sessions_apart)
        seen = trailing_sum(np.isfinite(panel.log_return_1d).astype(np.int64), slow)
        return np.where(panel.observed & (seen >= LEAST_SHARE_OBSERVED * slow), trend, np.nan)
