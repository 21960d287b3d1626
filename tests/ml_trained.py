"""Trainings for tests: of panels made up in ``ml_examples``."""

import datetime as dt

from ml_examples import panel_of, random_walk

from ml.calibration import Calibration
from ml.evaluation import Score
from ml.forecasters import BASELINES
from ml.forecasters.lstm_settings import LstmSettings
from ml.records import TrainingIdentity
from ml.splits import split_in_time
from ml.training import TrainedModel, TrainingPlan, TrainingResult
from models.vocabulary import HORIZON_SESSIONS, TrainingProfile

IDENTITY = TrainingIdentity("sample", "quick", "method", "feature-hash", "snapshot", "code")


def trained_baselines() -> TrainingResult:
    """What a training of the baselines alone gives; enough to fill a registry."""
    panel = panel_of(random_walk())
    split = split_in_time(len(panel), HORIZON_SESSIONS, HORIZON_SESSIONS)
    score = Score(100, 0.05, 0.07, 0.99, 0.98, 0.001, 0.8)
    models = []
    for kind in BASELINES:
        forecaster = kind(HORIZON_SESSIONS)
        forecaster.fit(panel, split)
        calibration = Calibration(1.0, -1.2, 1.3, 0.1, 0.001)
        models.append(TrainedModel(forecaster, calibration, score, score))
    return TrainingResult(
        plan=TrainingPlan(TrainingProfile.QUICK, 7, LstmSettings()),
        models=tuple(models),
        serves="ema",
        symbols=panel.symbols,
        fitted_through=panel.session(split.last_fitted_outcome),
        trained_through=panel.session(len(panel) - 1),
        validation_period=(dt.date(2020, 1, 2), dt.date(2021, 1, 4)),
        test_period=(dt.date(2021, 2, 2), dt.date(2022, 11, 28)),
    )
