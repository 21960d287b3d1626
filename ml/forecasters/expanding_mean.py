# ruff: noqa: ARG002 - a model need not use all that its interface offers
"""The symbol's own mean return so far: the benchmark of out-of-sample R2."""

from ml.forecasters.line import LineForecaster, Window
from ml.panel import LEAST_HISTORY_SESSIONS, Panel
from ml.rolling import Floats


def expanding_mean_forecast(panel: Panel, horizon_sessions: int) -> Floats:
    """Return the horizon times the mean daily log return since the symbol's first session.

    Shape (sessions, symbols); NaN before 252 observed returns or where the symbol has no row.
    Anchored at the symbol's first session, so by definition it uses all history before a session.
    The benchmark of Campbell and Thompson (2008), "Predicting excess stock returns out of sample:
    can anything beat the historical average?", Review of Financial Studies 21(4).
    """
    return horizon_sessions * panel.mean_log_return


class ExpandingMeanForecaster(LineForecaster):
    """Horizon times the mean daily log return so far, per symbol."""

    name = "expanding_mean"

    @property
    def history_sessions(self) -> int:
        """Returns that a mean is first made of, and the row before the first return."""
        return LEAST_HISTORY_SESSIONS + 1

    def drift(self, panel: Panel, window: Window, sessions: range) -> Floats:
        """Return the mean so far."""
        return panel.mean_log_return[sessions.start : sessions.stop]

    def feature(self, window: Window) -> str | None:
        """Return the name of the mean."""
        return "mean_log_return"
