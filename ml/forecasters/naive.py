"""The forecast that nothing will change."""

from typing import Any

import numpy as np

from ml.forecasters.base import Forecaster, Forecasts, horizon_volatility, spread_per_volatility
from ml.panel import VOLATILITY_WINDOW_SESSIONS, Panel
from ml.splits import Split


class NaiveForecaster(Forecaster):
    """Log return 0 (a random walk without drift), with a spread in proportion to volatility."""

    name = "naive"

    def __init__(self, horizon_sessions: int) -> None:
        super().__init__(horizon_sessions)
        self.spread = float("nan")

    @property
    def history_sessions(self) -> int:
        """The window of the volatility that scales the spread, and the row before it."""
        return VOLATILITY_WINDOW_SESSIONS + 1

    def fit(self, panel: Panel, split: Split) -> None:
        """Learn the spread of outcomes around zero."""
        self.spread = spread_per_volatility(np.zeros(panel.observed.shape), panel, split)

    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Forecast zero wherever volatility is known."""
        stdev = self.spread * horizon_volatility(panel, self.horizon_sessions)
        stdev = stdev[sessions.start : sessions.stop]
        return Forecasts(mean=np.where(np.isfinite(stdev), 0.0, np.nan), stdev=stdev)

    def state(self) -> dict[str, Any]:
        """Return the spread."""
        return {"spread": self.spread}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over the spread."""
        self.spread = state["spread"]
