"""What the registry remembers of a training."""

import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import Any

from ml.evaluation import Score


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
    """One model of a training: its version in the registry and its score on the test period.

    ``name`` is the registered name, ``run_id`` the MLflow run of the model itself.
    """

    name: str
    version: int
    run_id: str
    serves: bool
    confidence: float
    r2_validation: float
    test: Score


@dataclass(frozen=True)
class FinishedTraining:
    """A training that is complete in the registry.

    ``fitted_through`` is the last session of the outcomes that its models were fitted on,
    ``trained_through`` the last one that it saw, be it to choose or to score.
    """

    run_id: str
    identity: TrainingIdentity
    fitted_through: dt.date
    trained_through: dt.date
    horizon_sessions: int
    test_start: dt.date
    test_end: dt.date
    models: tuple[RegisteredModel, ...]

    @property
    def serving(self) -> RegisteredModel:
        """The model whose forecasts serve."""
        return next(model for model in self.models if model.serves)

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps(asdict(self), indent=1, default=str) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "FinishedTraining":
        """Read what :meth:`to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        dates = {
            name: dt.date.fromisoformat(fields[name])
            for name in ("fitted_through", "trained_through", "test_start", "test_end")
        }
        models = tuple(
            RegisteredModel(**{**model, "test": Score(**model["test"])})
            for model in fields["models"]
        )
        identity = TrainingIdentity(**fields["identity"])
        return cls(**{**fields, **dates, "models": models, "identity": identity})
