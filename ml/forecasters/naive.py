# ruff: noqa: ARG002 - a model need not use all that its interface offers
"""The forecast that nothing will change."""

import numpy as np

from ml.forecasters.line import LineForecaster, Window
from ml.panel import VOLATILITY_WINDOW_SESSIONS, Panel
from ml.rolling import Floats


class NaiveForecaster(LineForecaster):
    """Log return 0 (a random walk without drift), with a spread in proportion to volatility."""

    name = "naive"

    @property
    def history_sessions(self) -> int:
        """The window of the volatility that scales the spread, and the row before it."""
        return VOLATILITY_WINDOW_SESSIONS + 1

    def drift(self, panel: Panel, window: Window, sessions: range) -> Floats:
        """Return none."""
        return np.zeros((len(sessions), len(panel.symbols)))

    def feature(self, window: Window) -> str | None:
        """Return None: nothing moves it."""
        return None
