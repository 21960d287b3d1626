"""The models behind the interface of ``base.Forecaster``, known here by name; a file each.

A model's module is imported where the model is asked for: TensorFlow takes seconds to load.
"""

from importlib import import_module
from pathlib import Path

from ml.errors import ModelNotFoundError
from ml.forecasters.base import Contributions, Forecaster, Forecasts, read_state

LSTM = "lstm"
AVERAGE = "average"

BASELINES = ("naive", "expanding_mean", "sma", "ema", "crossover")
"""What a model must beat to serve as champion; the best of them serves until one does."""

CANDIDATES = ("ridge", "lightgbm", LSTM, AVERAGE)
"""What may become champion. ``average`` is made of all other models but ``naive``."""

MODELS = (*BASELINES, *CANDIDATES)
"""From the simplest on: of two equal ones the simpler is preferred."""

_CLASSES = {
    "naive": ("naive", "NaiveForecaster"),
    "expanding_mean": ("expanding_mean", "ExpandingMeanForecaster"),
    "sma": ("sma", "SimpleMovingAverageForecaster"),
    "ema": ("ema", "ExponentialMovingAverageForecaster"),
    "crossover": ("crossover", "CrossoverForecaster"),
    "ridge": ("ridge", "RidgeForecaster"),
    "lightgbm": ("gradient_boosting", "GradientBoostingForecaster"),
    LSTM: ("lstm.forecaster", "LstmForecaster"),
    AVERAGE: ("average", "AverageForecaster"),
}
"""Module and class of each name."""


def forecaster_class(name: str) -> type[Forecaster]:
    """Return the class of a model name.

    Raises
    ------
    ModelNotFoundError
        There is no model of that name.
    """
    if name not in _CLASSES:
        raise ModelNotFoundError(
            "model", name, "there is no such model", f"Known are {', '.join(MODELS)}."
        )
    module, attribute = _CLASSES[name]
    found: type[Forecaster] = getattr(import_module(f"ml.forecasters.{module}"), attribute)
    return found


def load_forecaster(folder: Path) -> Forecaster:
    """Load whatever model a folder holds.

    Raises
    ------
    ModelNotFoundError
        The folder holds no model that we know.
    """
    return forecaster_class(str(read_state(folder)["name"])).load(folder)


__all__ = [
    "AVERAGE",
    "BASELINES",
    "CANDIDATES",
    "LSTM",
    "MODELS",
    "Contributions",
    "Forecaster",
    "Forecasts",
    "forecaster_class",
    "load_forecaster",
]
