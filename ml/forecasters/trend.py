"""What all moving-average forecasts share: a trend, and how far to believe it."""

from abc import abstractmethod

import numpy as np

from ml.forecasters.base import horizon_volatility, require_labels
from ml.forecasters.line import LineForecaster, Window
from ml.panel import VOLATILITY_WINDOW_SESSIONS, Panel
from ml.rolling import Floats
from ml.splits import Split


class TrendForecaster(LineForecaster):
    r"""Forecast :math:`a + b h x_t`, with :math:`x_t` the trend per session of a window.

    The same :math:`a, b` for all symbols, by least squares on the training range weighted with
    one over squared volatility, so that volatile symbols do not decide alone. The window is chosen
    on validation, each horizon :math:`h` for itself. A slope near 0 says that the trend is no news;
    a negative one that it reverts. A moving average of *prices* taken as the forecast of the level
    would only bet that the price falls back to it.
    """

    @abstractmethod
    def trend(self, log_return_1d: Floats, window: Window) -> Floats:
        """Return the trend as a log return per session, (sessions, symbols)."""

    @abstractmethod
    def window_sessions(self, window: Window) -> int:
        """Return how many returns the trend of a window is made of."""

    @property
    def history_sessions(self) -> int:
        """The longest of the trends' and the volatility's windows, and the row before it."""
        windows = [line.window for line in self.lines] or self.windows
        longest = max(self.window_sessions(window) for window in windows)
        return max(longest, VOLATILITY_WINDOW_SESSIONS) + 1

    def drift(self, panel: Panel, window: Window, sessions: range) -> Floats:
        """Return the trend, made of no more history than its window."""
        first = max(0, sessions.start - self.window_sessions(window) + 1)
        trend = self.trend(panel.log_return_1d[first : sessions.stop], window)
        return trend[sessions.start - first :]

    def fit_line(self, panel: Panel, split: Split, horizon: int) -> tuple[Window, float, float]:
        """Fit a line for each window on training, choose the window on validation."""
        labels = panel.forward_log_return(horizon)
        volatility = horizon_volatility(panel, horizon)
        outcomes = labels[split.validation.start : split.validation.stop]
        train = slice(split.train.start, split.train.stop)
        lines, errors = [], []
        for window in self.windows:
            trend = horizon * self.drift(panel, window, split.train)
            intercept, slope = self._fitted(trend, labels[train], volatility[train])
            validation = horizon * self.drift(panel, window, split.validation)
            lines.append((window, intercept, slope))
            errors.append(intercept + slope * validation - outcomes)
        # Longer windows know less of young symbols; all are judged by the same forecasts.
        is_scored = np.logical_and.reduce([np.isfinite(each) for each in errors])
        if not is_scored.any():
            require_labels(f"{self.name} (validation)", 0)
        losses = [float(np.mean(np.square(each[is_scored]))) for each in errors]
        return lines[int(np.argmin(losses))]

    def _fitted(self, trend: Floats, labels: Floats, volatility: Floats) -> tuple[float, float]:
        usable = np.isfinite(trend) & np.isfinite(labels) & np.isfinite(volatility)
        require_labels(self.name, int(usable.sum()))
        x, y, weight = trend[usable], labels[usable], 1.0 / np.square(volatility[usable])
        x_mean, y_mean = np.average(x, weights=weight), np.average(y, weights=weight)
        spread = np.sum(weight * np.square(x - x_mean))
        slope = np.sum(weight * (x - x_mean) * (y - y_mean)) / spread if spread > 0 else 0.0
        return float(y_mean - slope * x_mean), float(slope)
