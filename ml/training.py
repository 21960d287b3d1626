"""One training: all models fitted, calibrated on validation, scored once on the test period."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ml.calibration import Calibration
from ml.errors import TrainingError
from ml.evaluation import Score, score, scored_by_all
from ml.features import FEATURES
from ml.forecasters import BASELINES, Forecaster, Forecasts
from ml.forecasters.expanding_mean import ExpandingMeanForecaster
from ml.forecasters.lstm import EpochListener, LstmForecaster, ignore_epochs
from ml.forecasters.lstm_network import LstmSettings
from ml.panel import Panel
from ml.splits import Split, split_in_time
from models.vocabulary import HORIZON_SESSIONS, TrainingProfile

logger = logging.getLogger(__name__)

SUSPICIOUS_R2 = 0.02

PROFILES: Mapping[TrainingProfile, LstmSettings] = {
    TrainingProfile.QUICK: LstmSettings(
        window_sessions=42,
        units=(32,),
        learning_rate=3e-4,
        samples_per_epoch=24_576,
        epochs=8,
        patience_epochs=2,
        seeds=2,
    ),
    TrainingProfile.FULL: LstmSettings(
        window_sessions=60,
        units=(64, 64),
        learning_rate=3e-4,
        samples_per_epoch=98_304,
        validation_samples=30_000,
        epochs=30,
        patience_epochs=5,
        seeds=5,
    ),
}
"""How much work a training does; chosen on validation of the sample, never on its test period."""


@dataclass(frozen=True)
class TrainingPlan:
    """Everything but the data that decides what a training gives."""

    profile: TrainingProfile
    seed: int
    lstm: LstmSettings
    horizon_sessions: int = HORIZON_SESSIONS
    embargo_sessions: int = HORIZON_SESSIONS
    features: tuple[str, ...] = FEATURES

    @classmethod
    def of_profile(cls, profile: TrainingProfile, seed: int) -> "TrainingPlan":
        """Return the plan of a profile."""
        return cls(profile, seed, PROFILES[profile])

    def parameters(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class TrainedModel:
    """A fitted model with what validation and test said about it."""

    forecaster: Forecaster
    calibration: Calibration
    validation: Score
    test: Score


@dataclass(frozen=True)
class TrainingResult:
    """All models of a training, and which of them serves.

    Weights, slopes and spreads were fitted on outcomes through ``fitted_through``; what came later
    chose and scored, through ``trained_through``, and nothing is fitted again on it. ``epochs``
    holds the losses of the neural network by seed and epoch.
    """

    plan: TrainingPlan
    models: tuple[TrainedModel, ...]
    serves: str
    symbols: tuple[str, ...]
    fitted_through: dt.date
    trained_through: dt.date
    validation_period: tuple[dt.date, dt.date]
    test_period: tuple[dt.date, dt.date]
    epochs: tuple[dict[str, float], ...] = field(default=())

    def __getitem__(self, name: str) -> TrainedModel:
        return next(model for model in self.models if model.forecaster.name == name)


def train_models(
    panel: Panel, plan: TrainingPlan, on_epoch: EpochListener = ignore_epochs
) -> TrainingResult:
    """Fit all models, choose by validation, and look at the test period once.

    The model with the lowest validation RMSE serves; of equal ones the simpler.

    Raises
    ------
    SplitError, TrainingError
        The panel is too short or too empty.
    """
    split = split_in_time(len(panel), plan.horizon_sessions, plan.embargo_sessions)
    epochs: list[dict[str, float]] = []

    def listen(seed_index: int, epoch: int, losses: dict[str, float]) -> None:
        epochs.append({"seed_index": seed_index, "epoch": epoch, **losses})
        on_epoch(seed_index, epoch, losses)

    forecasters: list[Forecaster] = [model(plan.horizon_sessions) for model in BASELINES]
    forecasters.append(LstmForecaster(plan.horizon_sessions, plan.lstm, plan.seed, listen))
    for forecaster in forecasters:
        forecaster.fit(panel, split)
        logger.info("fitted %s", forecaster.name)
    models = _calibrate_and_score(panel, split, forecasters)
    chosen = min(models, key=lambda model: model.validation.rmse)
    return TrainingResult(
        plan=plan,
        models=models,
        serves=chosen.forecaster.name,
        symbols=panel.symbols,
        fitted_through=panel.session(split.last_fitted_outcome),
        trained_through=panel.session(len(panel) - 1),
        validation_period=_dates(panel, split.validation),
        test_period=_dates(panel, split.test),
        epochs=tuple(epochs),
    )


def _calibrate_and_score(
    panel: Panel, split: Split, forecasters: list[Forecaster]
) -> tuple[TrainedModel, ...]:
    horizon = split.horizon_sessions
    outcomes = panel.forward_log_return(horizon)
    on_validation = [forecaster.predict(panel, split.validation) for forecaster in forecasters]
    validation_outcomes = outcomes[split.validation.start : split.validation.stop]
    calibrations = _calibrate(forecasters, on_validation, validation_outcomes, horizon)
    validation = _score(forecasters, calibrations, on_validation, validation_outcomes)
    on_test = [forecaster.predict(panel, split.test) for forecaster in forecasters]
    test_outcomes = outcomes[split.test.start : split.test.stop]
    test = _score(forecasters, calibrations, on_test, test_outcomes)
    return tuple(
        TrainedModel(*parts)
        for parts in zip(forecasters, calibrations, validation, test, strict=True)
    )


def _calibrate(
    forecasters: list[Forecaster], forecasts: list[Forecasts], outcomes: np.ndarray, horizon: int
) -> list[Calibration]:
    where = scored_by_all(outcomes, *(forecast.mean for forecast in forecasts))
    benchmark = _benchmark(forecasters, forecasts).mean
    calibrations = [
        Calibration.fit(forecast, outcomes, benchmark, where, horizon) for forecast in forecasts
    ]
    for forecaster, calibration in zip(forecasters, calibrations, strict=True):
        if calibration.r2_out_of_sample > SUSPICIOUS_R2:
            logger.warning(
                "%s has an out-of-sample R2 of %.4f on validation: suspect leakage",
                forecaster.name,
                calibration.r2_out_of_sample,
            )
    return calibrations


def _score(
    forecasters: list[Forecaster],
    calibrations: list[Calibration],
    forecasts: list[Forecasts],
    outcomes: np.ndarray,
) -> list[Score]:
    where = scored_by_all(outcomes, *(forecast.mean for forecast in forecasts))
    benchmark = _benchmark(forecasters, forecasts).mean
    scores = []
    for calibration, forecast in zip(calibrations, forecasts, strict=True):
        final = calibration.apply(forecast)
        scores.append(score(outcomes, final.mean, final.lower, final.upper, benchmark, where))
    return scores


def _benchmark(forecasters: list[Forecaster], forecasts: list[Forecasts]) -> Forecasts:
    for forecaster, forecast in zip(forecasters, forecasts, strict=True):
        if isinstance(forecaster, ExpandingMeanForecaster):
            return forecast
    raise TrainingError(
        "models", [forecaster.name for forecaster in forecasters], "the benchmark is missing",
        "Train the expanding mean, too.",
    )  # fmt: skip


def _dates(panel: Panel, sessions: range) -> tuple[dt.date, dt.date]:
    return panel.session(sessions[0]), panel.session(sessions[-1])
