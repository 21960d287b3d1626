"""What the registry remembers of a training, so that later stages need not train or load it."""

import datetime as dt
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from ml.results import Choice, ServedFold
from ml.scores import Score, SymbolScore
from models.vocabulary import ModelRole, ScoredPeriod


@dataclass(frozen=True)
class TrainingIdentity:
    """What a training was made of.

    Trainings with equal ``source``, ``profile`` and ``method`` may stand in for each other;
    ``method`` is a digest of plan and code, that of the features too.
    """

    source: str
    profile: str
    method: str
    feature_hash: str
    data_snapshot: str
    code_version: str


@dataclass(frozen=True)
class RegisteredModel:
    """One model of a training: its version in the registry, and what its folds said about it.

    Attributes
    ----------
    forecaster : its name in ``forecasters``.
    name : the registered name; ``version`` counts under it.
    run_id : the MLflow run of the model itself.
    trials : settings tried before these were chosen.
    settings : what the fit that serves was given and has chosen, in plain words and numbers.
    confidence : weight earned on validation, of each of the training's horizons.
    scores : of validation and test, per horizon.
    """

    forecaster: str
    name: str
    version: int
    run_id: str
    trials: int
    settings: dict[str, str]
    confidence: tuple[float, ...]
    scores: tuple[Score, ...]

    def score(self, period: ScoredPeriod, horizon_sessions: int) -> Score:
        """Return the score of a period and horizon."""
        return next(
            score
            for score in self.scores
            if (score.period, score.horizon_sessions) == (period, horizon_sessions)
        )


@dataclass(frozen=True)
class ServingVersion:
    """The version that serves once a training is finished, be it of that training or an earlier.

    Attributes
    ----------
    training_run_id : the training that registered it.
    fitted_through, trained_through : of that training.
    horizons : of that training, in sessions; one ``confidence`` for each.
    """

    training_run_id: str
    forecaster: str
    name: str
    version: int
    run_id: str
    role: ModelRole
    fitted_through: dt.date
    trained_through: dt.date
    horizons: tuple[int, ...]
    confidence: tuple[float, ...]


@dataclass(frozen=True)
class FoldPeriods:
    """A fold's first and last sessions; those of the serving split have no test."""

    train_start: dt.date
    train_end: dt.date
    validation_start: dt.date
    validation_end: dt.date
    test_start: dt.date | None
    test_end: dt.date | None


@dataclass(frozen=True)
class FinishedTraining:
    """A training that is complete in the registry.

    Attributes
    ----------
    run_id : the MLflow run of the whole training.
    finished_at : UTC; of two trainings on the same data the later one is the newer.
    fitted_through : last session of the outcomes that its models were fitted on.
    trained_through : the last session that it saw, be it to choose or to score.
    horizons : in sessions, ascending.
    symbols : how many the panel had.
    trial_states : how many of the search's trials were ``complete``, ``pruned`` or ``fail``; empty
        without a search.
    folds : the walk-forward folds, then the serving split.
    models : in the order of ``forecasters.MODELS``.
    choice : who serves and why, with every comparison.
    serving : the version that is; of an earlier training where ``choice.kept``.
    served_folds : what the choices would have served in the tests of the folds.
    served_scores : the scores of that, the record of the whole procedure.
    """

    run_id: str
    identity: TrainingIdentity
    finished_at: dt.datetime
    fitted_through: dt.date
    trained_through: dt.date
    horizons: tuple[int, ...]
    symbols: int
    trial_states: dict[str, int]
    folds: tuple[FoldPeriods, ...]
    models: tuple[RegisteredModel, ...]
    choice: Choice
    serving: ServingVersion
    served_folds: tuple[ServedFold, ...]
    served_scores: tuple[Score, ...]

    def __getitem__(self, forecaster: str) -> RegisteredModel:
        return next(model for model in self.models if model.forecaster == forecaster)

    def to_json(self) -> str:
        """Return the record as JSON."""
        return _training_adapter().dump_json(self, indent=1).decode() + "\n"

    @classmethod
    def from_json(cls, text: str) -> "FinishedTraining":
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            The text is another one.
        """
        return _training_adapter().validate_json(text)


@dataclass(frozen=True)
class SymbolScores:
    """Tests of single symbols: of each model by its name in ``forecasters``, and of ``served``.

    Kept apart from the training's record, which is read often: of 5,000 symbols there are 100,000.
    """

    of_model: dict[str, tuple[SymbolScore, ...]]

    def to_json(self) -> str:
        """Return the scores as JSON."""
        return _symbols_adapter().dump_json(self).decode() + "\n"

    @classmethod
    def from_json(cls, text: str) -> "SymbolScores":
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            The text is another one.
        """
        return _symbols_adapter().validate_json(text)


@cache
def _training_adapter() -> TypeAdapter[FinishedTraining]:
    return TypeAdapter(FinishedTraining)


@cache
def _symbols_adapter() -> TypeAdapter[SymbolScores]:
    return TypeAdapter(SymbolScores)
