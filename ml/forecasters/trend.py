"""What all moving-average forecasts share: a trend, and how far to believe it."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from ml.forecasters.base import (
    Forecaster,
    Forecasts,
    horizon_volatility,
    require_labels,
    spread_per_volatility,
)
from ml.panel import Panel
from ml.rolling import Floats
from ml.splits import Split

Window = tuple[int, ...]


class TrendForecaster(Forecaster):
    r"""Forecast :math:`a + b x_t`, with :math:`x_t` the trend of a window chosen on validation.

    The same :math:`a, b` for all symbols, by least squares on the training range weighted with
    one over squared volatility, so that volatile symbols do not decide alone. A slope near 0 says
    that the trend is no news; a negative one that it reverts. A moving average of *prices* taken
    as the forecast of the level would only bet that the price falls back to it.
    """

    windows: ClassVar[tuple[Window, ...]]

    def __init__(self, horizon_sessions: int) -> None:
        super().__init__(horizon_sessions)
        self.window = self.windows[0]
        self.intercept = self.slope = self.spread = float("nan")

    @abstractmethod
    def trend(self, panel: Panel, window: Window) -> Floats:
        """Return the trend as a log return over the horizon, (sessions, symbols)."""

    def fit(self, panel: Panel, split: Split) -> None:
        """Fit slope and intercept for each window on training, choose the window on validation."""
        labels = panel.forward_log_return(self.horizon_sessions)
        volatility = horizon_volatility(panel, self.horizon_sessions)
        chosen_loss = np.inf
        for window in self.windows:
            trend = self.trend(panel, window)
            intercept, slope = self._fit_line(trend, labels, volatility, split.train)
            loss = _mean_square(intercept + slope * trend - labels, split.validation)
            if loss < chosen_loss:
                chosen_loss = loss
                self.window, self.intercept, self.slope = window, intercept, slope
        if not np.isfinite(chosen_loss):
            require_labels(f"{self.name} (validation)", 0)
        self.spread = spread_per_volatility(self._line(panel), panel, split)

    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Forecast from the trend at each session."""
        rows = slice(sessions.start, sessions.stop)
        mean = self._line(panel)[rows]
        stdev = self.spread * horizon_volatility(panel, self.horizon_sessions)[rows]
        both = np.isfinite(mean) & np.isfinite(stdev)
        return Forecasts(np.where(both, mean, np.nan), np.where(both, stdev, np.nan))

    def state(self) -> dict[str, Any]:
        """Return window, intercept, slope and spread."""
        return {
            "window": list(self.window),
            "intercept": self.intercept,
            "slope": self.slope,
            "spread": self.spread,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over window, intercept, slope and spread."""
        self.window = tuple(state["window"])
        self.intercept = state["intercept"]
        self.slope = state["slope"]
        self.spread = state["spread"]

    def _line(self, panel: Panel) -> Floats:
        return self.intercept + self.slope * self.trend(panel, self.window)

    def _fit_line(
        self, trend: Floats, labels: Floats, volatility: Floats, train: range
    ) -> tuple[float, float]:
        rows = slice(train.start, train.stop)
        x, y, scale = (values[rows].ravel() for values in (trend, labels, volatility))
        usable = np.isfinite(x) & np.isfinite(y) & np.isfinite(scale)
        require_labels(self.name, int(usable.sum()))
        weight = 1.0 / np.square(scale[usable])
        x, y = x[usable], y[usable]
        x_mean, y_mean = np.average(x, weights=weight), np.average(y, weights=weight)
        spread = np.sum(weight * np.square(x - x_mean))
        slope = np.sum(weight * (x - x_mean) * (y - y_mean)) / spread if spread > 0 else 0.0
        return float(y_mean - slope * x_mean), float(slope)


def _mean_square(errors: Floats, sessions: range) -> float:
    scored = errors[sessions.start : sessions.stop]
    scored = scored[np.isfinite(scored)]
    return float(np.mean(np.square(scored))) if len(scored) else np.inf
