"""Models ready to serve, calibrated as a training calibrates them."""

import numpy as np

from ml.evaluation import Outcomes
from ml.forecasters import Forecaster, Forecasts
from ml.forecasters.targets import benchmark_and_scale
from ml.intervals.calibration import Calibration
from ml.panel import Panel
from ml.rolling import Floats
from ml.serving import ServingModel
from ml.splits import FoldPlan, walk_forward
from ml.work import Work


def realised(panel: Panel, sessions: range, horizons: tuple[int, ...]) -> Floats:
    """Outcomes at positions, (horizons, sessions, symbols)."""
    rows = slice(sessions.start, sessions.stop)
    return np.stack([panel.forward_log_return(horizon)[rows] for horizon in horizons])


def validation_outcomes(panel: Panel, forecasts: Forecasts, sessions: range) -> Outcomes:
    """What a calibration is fitted to: outcomes beside the expanding mean."""
    horizons = (5, 21)
    rows = slice(sessions.start, sessions.stop)
    benchmark = np.stack([benchmark_and_scale(panel, horizon)[0][rows] for horizon in horizons])
    positions = np.arange(sessions.start, sessions.stop)
    return Outcomes.of(panel, positions, horizons, benchmark, [forecasts.mean])


def served(forecaster: Forecaster, panel: Panel) -> ServingModel:
    """Fit on the serving split, calibrate on its validation, follow to the panel's end."""
    split = walk_forward(len(panel), FoldPlan(folds=1, test_share=0.2)).serving
    forecaster.fit(panel, split, Work(seed=3))
    validation = forecaster.predict(panel, split.validation)
    calibration = Calibration.fit(
        validation, validation_outcomes(panel, validation, split.validation)
    )
    since = range(split.validation.stop, len(panel))
    _, after = calibration.follow(
        forecaster.predict(panel, since),
        realised(panel, since, forecaster.horizons),
        panel.sessions[since.start :],
    )
    return ServingModel(forecaster, after)
