"""The one interface of all models."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ml.errors import ModelNotFoundError, TrainingError
from ml.panel import Panel
from ml.rolling import Floats
from ml.splits import Split
from ml.work import Work
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

STATE_FILE = "forecaster.json"
LEAST_TRAINING_LABELS = 1000


@dataclass(frozen=True)
class Forecasts:
    """Predicted distribution of log returns, float64, shape (horizons, sessions, symbols).

    ``stdev`` is the model's own, before calibration. Both are NaN where the model makes no
    forecast.
    """

    mean: Floats
    stdev: Floats


@dataclass(frozen=True)
class Contributions:
    """What moved the forecasts of one session.

    Attributes
    ----------
    features : names, of columns of the feature table or of what the model makes of returns.
    seen : (symbols, features); what the model saw, NaN where it was missing.
    baseline : (horizons, symbols); the forecast without any feature, log return.
    parts : (horizons, symbols, features); log return. Baseline and parts add up to the forecast's
        mean, to rounding. NaN where there is no forecast.
    method : how they were found.
    """

    features: tuple[str, ...]
    seen: Floats
    baseline: Floats
    parts: Floats
    method: Attribution


class Forecaster(ABC):
    """A model of the log return over several horizons.

    ``fit`` learns and chooses from the training range only: also windows, penalties, rounds and
    when to stop. So validation, by which a forecast earns its weight and a model its place, has
    chosen nothing of what it measures. Nothing after the last outcome of a training label changes a
    bit of what is learned. ``predict`` for a session uses nothing after that session, so its result
    does not change when later sessions do.
    """

    name: ClassVar[str]

    def __init__(self, horizons: tuple[int, ...] = FORECAST_HORIZONS_SESSIONS) -> None:
        self.horizons = horizons

    @property
    @abstractmethod
    def history_sessions(self) -> int:
        """Sessions of history, the forecast session included, that a forecast needs."""

    @abstractmethod
    def fit(self, panel: Panel, split: Split, work: Work) -> None:
        """Learn from the split's training range of the panel, and choose within it.

        Raises
        ------
        TrainingError
            The panel has too little to learn from.
        """

    @abstractmethod
    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Forecast at the given positions of the session axis."""

    def predict_seeds(self, panel: Panel, sessions: range) -> tuple[Forecasts, ...]:
        """Forecast with each seed alone; ``predict`` returns their :func:`average`."""
        return (self.predict(panel, sessions),)

    @property
    def trials(self) -> int:
        """Settings that were tried before these were chosen; 1 if none were."""
        return 1

    @abstractmethod
    def explain(self, panel: Panel) -> Contributions:
        """Say what moved the forecasts at the panel's last session."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what was learned, as JSON can hold it."""

    @abstractmethod
    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` returned."""

    def save(self, folder: Path) -> None:
        """Write the fitted model into an existing, empty folder."""
        content = {"name": self.name, "horizons": list(self.horizons), **self.state()}
        (folder / STATE_FILE).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ModelNotFoundError
            The folder does not hold this model.
        """
        content = read_state(folder)
        if content["name"] != cls.name:
            raise ModelNotFoundError(
                "model folder", folder, f"it holds {content['name']!r}, not {cls.name!r}",
                "Load it by the name that it was registered under.",
            )  # fmt: skip
        forecaster = cls(tuple(content["horizons"]))
        forecaster.restore(content)
        return forecaster


def average(forecasts: Sequence[Forecasts]) -> Forecasts:
    """Return mean of means and root mean of squared scales; NaN where one of them is.

    One alone is returned as it is, to the bit.
    """
    if len(forecasts) == 1:
        return forecasts[0]
    mean: Floats = np.mean([one.mean for one in forecasts], axis=0)
    stdev: Floats = np.sqrt(np.mean([np.square(one.stdev) for one in forecasts], axis=0))
    return Forecasts(mean, stdev)


def read_state(folder: Path) -> dict[str, Any]:
    """Return the saved state of a model folder.

    Raises
    ------
    ModelNotFoundError
        The folder holds no model, or a truncated one.
    """
    path = folder / STATE_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise ModelNotFoundError(
            "model file", path, f"it is missing or truncated ({error})", "Train again."
        ) from error
    return content


def horizon_volatility(panel: Panel, horizon_sessions: int) -> Floats:
    """Return trailing volatility scaled to the horizon, (sessions, symbols), log return."""
    return panel.daily_volatility * np.sqrt(horizon_sessions)


def require_labels(name: str, labels: int) -> None:
    """Check that there is enough to learn from.

    Raises
    ------
    TrainingError
        There are too few labels.
    """
    if labels < LEAST_TRAINING_LABELS:
        raise TrainingError(
            f"labels to train {name} on",
            labels,
            f"at least {LEAST_TRAINING_LABELS} are needed",
            "Load more history or more symbols.",
        )
