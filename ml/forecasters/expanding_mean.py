"""The symbol's own mean return so far: the benchmark of out-of-sample R2."""

from typing import Any

import numpy as np

from ml.forecasters.base import Forecaster, Forecasts, horizon_volatility, spread_per_volatility
from ml.panel import Panel
from ml.rolling import Floats, expanding_mean
from ml.splits import Split

LEAST_HISTORY_SESSIONS = 252


def expanding_mean_forecast(panel: Panel, horizon_sessions: int) -> Floats:
    """Return the horizon times the mean daily log return since the symbol's first session.

    Shape (sessions, symbols); NaN before 252 observed returns or where the symbol has no row.
    Anchored at the symbol's first session, so by definition it uses all history before a session.
    The benchmark of Campbell and Thompson (2008), "Predicting excess stock returns out of sample:
    can anything beat the historical average?", Review of Financial Studies 21(4).
    """
    mean = expanding_mean(panel.log_return_1d, LEAST_HISTORY_SESSIONS)
    return np.where(panel.observed, horizon_sessions * mean, np.nan)


class ExpandingMeanForecaster(Forecaster):
    """Horizon times the mean daily log return so far, per symbol."""

    name = "expanding_mean"

    def __init__(self, horizon_sessions: int) -> None:
        super().__init__(horizon_sessions)
        self.spread = float("nan")

    @property
    def history_sessions(self) -> int:
        """Returns that a mean is first made of, and the row before the first return."""
        return LEAST_HISTORY_SESSIONS + 1

    def fit(self, panel: Panel, split: Split) -> None:
        """Learn the spread of outcomes around the mean."""
        forecast = expanding_mean_forecast(panel, self.horizon_sessions)
        self.spread = spread_per_volatility(forecast, panel, split)

    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Forecast the mean so far."""
        rows = slice(sessions.start, sessions.stop)
        mean = expanding_mean_forecast(panel, self.horizon_sessions)[rows]
        stdev = self.spread * horizon_volatility(panel, self.horizon_sessions)[rows]
        both = np.isfinite(mean) & np.isfinite(stdev)
        return Forecasts(np.where(both, mean, np.nan), np.where(both, stdev, np.nan))

    def state(self) -> dict[str, Any]:
        """Return the spread."""
        return {"spread": self.spread}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over the spread."""
        self.spread = state["spread"]
