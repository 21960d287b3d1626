# ruff: noqa: ARG002 - a model need not use all that its interface offers
"""What all baselines share: a mean daily log return taken further by a line, and a spread."""

from abc import abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from ml.forecasters.base import (
    Contributions,
    Forecaster,
    Forecasts,
    horizon_volatility,
    require_labels,
)
from ml.panel import Panel
from ml.rolling import Floats, by_columns
from ml.splits import Split
from ml.work import Work
from models.vocabulary import Attribution

Window = tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """A horizon's forecast: ``intercept + slope * horizon * drift`` of a window, log return.

    ``spread`` is the standard deviation of outcomes around it, in units of trailing volatility over
    the horizon.
    """

    window: Window
    intercept: float
    slope: float
    spread: float


class LineForecaster(Forecaster):
    """Forecasts on a line through a drift: some mean of past daily log returns of the symbol."""

    windows: ClassVar[tuple[Window, ...]] = ((),)
    """Settings that are tried; the first one serves where nothing is to be chosen."""

    lines: tuple[Line, ...] = ()

    @abstractmethod
    def drift(self, panel: Panel, window: Window, sessions: range) -> Floats:
        """Return log returns per session, (sessions, symbols); NaN where history is too short."""

    @abstractmethod
    def feature(self, window: Window) -> str | None:
        """Return the name of a drift, for explanations; None where there is none to explain."""

    def choose(self, panel: Panel, split: Split) -> list[tuple[Window, float, float]]:
        """Return window, intercept and slope of each horizon; here the drift as it is."""
        return [(self.windows[0], 0.0, 1.0) for _ in self.horizons]

    def fit(self, panel: Panel, split: Split, work: Work) -> None:
        """Fit a line for each horizon, and learn the spread of outcomes around it."""
        lines = []
        for horizon, chosen in zip(self.horizons, self.choose(panel, split), strict=True):
            window, intercept, slope = chosen
            drift = self.drift(panel, window, split.train)
            forecast = intercept + slope * horizon * drift
            spread = _spread(forecast, panel, split.train, horizon)
            lines.append(Line(window, intercept, slope, spread))
        self.lines = tuple(lines)

    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Forecast from the drift at each session."""
        from ml.forecasters.line_kernel import fill_line  # compiled: loaded when needed

        shape = (len(self.horizons), len(sessions), len(panel.symbols))
        forecasts = Forecasts(np.empty(shape), np.empty(shape))
        volatility = panel.daily_volatility[sessions.start : sessions.stop]
        drifts: dict[Window, Floats] = {}
        for number, (horizon, line) in enumerate(zip(self.horizons, self.lines, strict=True)):
            if line.window not in drifts:
                drifts = {line.window: self.drift(panel, line.window, sessions)}
            by_columns(
                fill_line,
                shape[1:],
                *(drifts[line.window], line.slope * horizon, line.intercept),
                *(volatility, line.spread * np.sqrt(horizon)),
                *(forecasts.mean[number], forecasts.stdev[number]),
            )
        return forecasts

    @property
    def trials(self) -> int:
        """Windows that were tried."""
        return len(self.windows)

    def explain(self, panel: Panel) -> Contributions:
        """Split the forecasts at the panel's last session into intercept and drift."""
        last = range(len(panel) - 1, len(panel))
        there = np.isfinite(self.predict(panel, last).mean[:, 0])
        windows = list(dict.fromkeys(line.window for line in self.lines))
        windows = [window for window in windows if self.feature(window)]
        seen = np.empty((len(panel.symbols), len(windows)))
        parts = np.zeros((*there.shape, len(windows)))
        for place, window in enumerate(windows):
            seen[:, place] = self.drift(panel, window, last)[0]
            for number, (horizon, line) in enumerate(zip(self.horizons, self.lines, strict=True)):
                if line.window == window:
                    parts[number, :, place] = line.slope * horizon * seen[:, place]
        intercepts = np.array([line.intercept for line in self.lines])
        return Contributions(
            features=tuple(str(self.feature(window)) for window in windows),
            seen=seen,
            baseline=np.where(there, intercepts[:, None], np.nan),
            parts=np.where(there[..., None], parts, np.nan),
            method=Attribution.LINEAR_TERMS,
        )

    def state(self) -> dict[str, Any]:
        """Return the lines."""
        return {"lines": [asdict(line) for line in self.lines]}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over the lines."""
        self.lines = tuple(
            Line(**{**line, "window": tuple(line["window"])}) for line in state["lines"]
        )


def _spread(forecast: Floats, panel: Panel, train: range, horizon: int) -> float:
    """Return the root mean square training error in units of volatility over the horizon."""
    rows = slice(train.start, train.stop)
    errors = panel.forward_log_return(horizon)[rows] - forecast
    scaled = (errors / horizon_volatility(panel, horizon)[rows]).ravel()
    scaled = scaled[np.isfinite(scaled)]
    require_labels("a forecast's spread", len(scaled))
    return float(np.sqrt(np.mean(np.square(scaled))))
