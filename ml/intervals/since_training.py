"""Intervals of a session after a model was calibrated: the path goes on over what lies between.

Nothing is kept anywhere: the model's own forecasts of those sessions are made again from the panel.
"""

import numpy as np

from ml.errors import PanelError
from ml.forecasters.base import Forecaster
from ml.intervals.calibration import Calibration
from ml.intervals.conformal import ConformalState
from ml.panel import Panel
from ml.rolling import Floats


def continued(
    calibration: Calibration, forecaster: Forecaster, panel: Panel
) -> tuple[ConformalState, ...]:
    """Return each horizon's state after the panel's last session.

    Only outcomes that are realised by then are looked at.

    Raises
    ------
    PanelError
        The panel ends before the calibration did, or begins too late to go on from there.
    """
    through = _position(calibration, panel)
    last = len(panel) - 1
    if through == last:
        return calibration.conformal
    scores = _scores(calibration, forecaster, panel, through)
    return tuple(
        state.with_scores(own[[through - each.age_sessions for each in state.issued]]).follow(
            own[through + 1 : last + 1]
        )[1]
        for state, own in zip(calibration.conformal, scores, strict=True)
    )


def oldest_issued(calibration: Calibration) -> int:
    """Return how many sessions before its last one a calibration goes on from."""
    return max(each.age_sessions for state in calibration.conformal for each in state.issued)


def _position(calibration: Calibration, panel: Panel) -> int:
    """Return where the calibration ended on the panel's axis."""
    day = np.datetime64(calibration.through, "D")
    position = int(np.searchsorted(panel.sessions, day))
    if position == len(panel):
        raise PanelError(
            "last session to forecast",
            panel.session(len(panel) - 1),
            f"the model has seen sessions through {calibration.through}",
            "Take a model that was trained on nothing later.",
        )
    oldest = oldest_issued(calibration)
    if panel.sessions[position] != day or position < oldest:
        raise PanelError(
            "first session of the features",
            panel.session(0),
            f"intervals go on from the {oldest} sessions up to {calibration.through}",
            "Give all sessions of history.",
        )
    return position


def _scores(calibration: Calibration, forecaster: Forecaster, panel: Panel, through: int) -> Floats:
    """Return scores by position, (horizons, sessions, symbols); NaN where nobody looks."""
    panel = panel.of_symbols(calibration.symbols)
    scores = np.full((len(calibration.horizons), len(panel), len(panel.symbols)), np.nan)
    oldest = oldest_issued(calibration)
    realised = range(through - oldest, len(panel) - min(calibration.horizons))
    if len(realised) > 0:
        rows = slice(realised.start, realised.stop)
        own = forecaster.predict(panel, realised)
        for number, horizon in enumerate(calibration.horizons):
            outcomes = panel.forward_log_return(horizon)[rows]
            scores[number, rows] = (outcomes - own.mean[number]) / own.stdev[number]
    return scores
