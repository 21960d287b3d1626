"""What a training gives: its models with their scores, what would have served, the choice."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.forecasters.base import Forecaster
from ml.intervals.calibration import Calibration
from ml.panel import date_of
from ml.plans import TrainingPlan
from ml.rolling import Floats
from ml.scores import Evidence, OutOfSample, Score, SymbolScore, YearCoverage
from ml.splits import WalkForward
from ml.work import Trial
from models.vocabulary import ModelRole, ScoredPeriod


@dataclass(frozen=True)
class TrainedModel:
    """A model fitted on everything that may be fitted, and what its folds said about it.

    Attributes
    ----------
    forecaster : the one that serves, fitted last.
    calibration : per horizon: spread, intervals' state at the end of the data, confidence.
    trials : settings tried before these were chosen.
    scores : of validation and test, per horizon.
    symbol_scores : of the test, per horizon and symbol.
    coverage : of the test, per horizon, level and year.
    validation, test : the forecasts that were scored.
    """

    forecaster: Forecaster
    calibration: Calibration
    trials: int
    scores: tuple[Score, ...]
    symbol_scores: tuple[SymbolScore, ...]
    coverage: tuple[YearCoverage, ...]
    validation: OutOfSample
    test: OutOfSample

    @property
    def name(self) -> str:
        """The model's name, as in ``forecasters``."""
        return self.forecaster.name

    def score(self, period: ScoredPeriod, horizon_sessions: int) -> Score:
        """Return the score of a period and horizon."""
        return next(
            score
            for score in self.scores
            if (score.period, score.horizon_sessions) == (period, horizon_sessions)
        )


@dataclass(frozen=True)
class Choice:
    """Which model serves, as what, and why in a sentence.

    ``kept`` says that it is the version in service before, of another training; otherwise it is
    this training's.
    """

    model_name: str
    role: ModelRole
    reason: str
    evidence: tuple[Evidence, ...]
    kept: bool = False


@dataclass(frozen=True)
class ServedFold:
    """What would have served in a fold's test: chosen by validations up to that fold alone.

    ``confidence`` is that of each horizon, by which its forecasts are shrunk towards the expanding
    mean.
    """

    test_start: dt.date
    test_end: dt.date
    choice: Choice
    confidence: tuple[float, ...]


@dataclass(frozen=True)
class Served:
    """The record of the whole procedure: what its choices would have served, fold by fold.

    Scored on the test like a model, under the name ``served``; it has no version.
    """

    folds: tuple[ServedFold, ...]
    scores: tuple[Score, ...]
    symbol_scores: tuple[SymbolScore, ...]
    coverage: tuple[YearCoverage, ...]
    test: OutOfSample


@dataclass(frozen=True)
class FitLoss:
    """A step of a fit: an epoch of one seed's network, or what a slow model says of itself.

    ``fold`` is 1 for the first one; 0 is the serving split.
    """

    model_name: str
    fold: int
    what: str
    step: int
    loss: float
    held_out_loss: float


@dataclass(frozen=True)
class TrainingResult:
    """All models of a training, and which of them serves.

    Attributes
    ----------
    plan : with the settings of the network that a search has found.
    models : in the order of ``forecasters.MODELS``.
    served : what the choices would have served in the folds.
    choice : the model that serves now.
    trials : of the search, those that were pruned or failed among them; empty without a search.
    losses : of all fits that have told any.
    sessions : of the panel; positions of forecasts point into them.
    symbols : of the panel.
    test_outcomes : (horizons, n, symbols); realised log returns at the positions of the tests.
    walk : folds and serving split, as positions.
    """

    plan: TrainingPlan
    models: tuple[TrainedModel, ...]
    served: Served
    choice: Choice
    trials: tuple[Trial, ...]
    losses: tuple[FitLoss, ...]
    sessions: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    test_outcomes: Floats
    walk: WalkForward

    def __getitem__(self, name: str) -> TrainedModel:
        return next(model for model in self.models if model.name == name)

    def session(self, position: int) -> dt.date:
        """Return the date of a position."""
        return date_of(self.sessions[position])

    @property
    def fitted_through(self) -> dt.date:
        """Last session of the outcomes that models which serve were fitted on."""
        return self.session(self.walk.serving.last_fitted_outcome)

    @property
    def trained_through(self) -> dt.date:
        """Last session that the training saw, be it to choose or to score."""
        return self.session(len(self.sessions) - 1)
