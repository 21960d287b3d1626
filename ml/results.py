"""What a training finds out: forecasts out of sample, their scores, the evidence, the choice."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.calibration import Calibration
from ml.forecasters.base import Forecaster
from ml.plans import TrainingPlan
from ml.rolling import Floats
from ml.splits import WalkForward
from ml.work import Trial
from models.vocabulary import ModelRole, ScoredPeriod


@dataclass(frozen=True)
class OutOfSample:
    """A model's forecasts of one period: those of all folds, one after the other.

    Attributes
    ----------
    positions : (n,) on the panel's session axis, ascending; none is in two folds.
    mean, stdev : (horizons, n, symbols), log return; calibrated; NaN where there is none.
    seed_means : (seeds, horizons, n, symbols); the means of each seed alone.
    lower, upper : (levels, horizons, n, symbols), ends of the intervals; infinite where an
        interval has none.
    """

    positions: NDArray[np.int64]
    mean: Floats
    stdev: Floats
    seed_means: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Score:
    """A model's row in the honest table, of one horizon and period.

    The fields are the columns of the table ``model_score`` of those names; None stands for null.
    """

    horizon_sessions: int
    period: ScoredPeriod
    period_start: dt.date
    period_end: dt.date
    forecasts: int
    sessions: int
    symbols: int
    mae: float
    rmse: float
    mae_to_naive: float
    rmse_to_naive: float
    r2_out_of_sample: float | None
    rank_ic: float | None
    rank_ic_t: float | None
    hit_rate: float | None
    majority_rate: float | None
    hit_rate_t: float | None
    dm_naive: float | None
    dm_naive_p_value: float | None
    dm_naive_p_value_apart: float | None
    dm_mean: float | None
    dm_mean_p_value: float | None
    dm_mean_p_value_apart: float | None
    symbols_better: int | None
    symbols_worse: int | None
    coverage_80: float | None
    width_80: float | None
    unbounded_80: float | None
    coverage_95: float | None
    width_95: float | None
    unbounded_95: float | None
    seeds: int
    rmse_to_naive_seed_lowest: float | None
    rmse_to_naive_seed_highest: float | None
    rmse_to_naive_seed_stdev: float | None


@dataclass(frozen=True)
class SymbolScore:
    """A model's test of one symbol; the columns of ``model_symbol_score``."""

    horizon_sessions: int
    symbol: str
    forecasts: int
    rmse_to_naive: float
    dm_naive: float | None
    dm_naive_p_value: float | None
    dm_naive_p_value_corrected: float | None


@dataclass(frozen=True)
class YearCoverage:
    """Coverage of one year's intervals beside what chance allows; shares.

    ``lowest`` and ``highest`` are the 2.5 and 97.5 % quantiles of a block bootstrap over sessions.
    """

    horizon_sessions: int
    level: float
    year: int
    coverage: float
    lowest: float
    highest: float
    forecasts: int


@dataclass(frozen=True)
class Evidence:
    """One comparison that a choice rests on; the columns of ``model_evidence``."""

    model_name: str
    against: str
    horizon_sessions: int
    from_session_date: dt.date
    to_session_date: dt.date
    sessions: int
    loss_difference: float
    statistic: float
    p_value: float
    p_value_corrected: float
    passed: bool


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
    validation_loss: float


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
        date: dt.date = self.sessions[position].astype(object)
        return date

    @property
    def fitted_through(self) -> dt.date:
        """Last session of the outcomes that models which serve were fitted on."""
        return self.session(self.walk.serving.last_fitted_outcome)

    @property
    def trained_through(self) -> dt.date:
        """Last session that the training saw, be it to choose or to score."""
        return self.session(len(self.sessions) - 1)
