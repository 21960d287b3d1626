"""The models, one file each, behind the interface of ``base.Forecaster``.

The neural model is imported where it is asked for: TensorFlow takes seconds to load.
"""

from pathlib import Path

from ml.errors import ModelNotFoundError
from ml.forecasters.base import Forecaster, Forecasts, read_state
from ml.forecasters.crossover import CrossoverForecaster
from ml.forecasters.ema import ExponentialMovingAverageForecaster
from ml.forecasters.expanding_mean import ExpandingMeanForecaster
from ml.forecasters.naive import NaiveForecaster
from ml.forecasters.sma import SimpleMovingAverageForecaster

BASELINES: tuple[type[Forecaster], ...] = (
    NaiveForecaster,
    ExpandingMeanForecaster,
    SimpleMovingAverageForecaster,
    ExponentialMovingAverageForecaster,
    CrossoverForecaster,
)
"""From the simplest on; of two equal ones the simpler is preferred."""

LSTM = "lstm"


def forecaster_class(name: str) -> type[Forecaster]:
    """Return the class of a model name.

    Raises
    ------
    ModelNotFoundError
        There is no model of that name.
    """
    if name == LSTM:
        from ml.forecasters.lstm import LstmForecaster

        return LstmForecaster
    for baseline in BASELINES:
        if baseline.name == name:
            return baseline
    known = ", ".join([*(baseline.name for baseline in BASELINES), LSTM])
    raise ModelNotFoundError("model", name, "there is no such model", f"Known are {known}.")


def load_forecaster(folder: Path) -> Forecaster:
    """Load whatever model a folder holds.

    Raises
    ------
    ModelNotFoundError
        The folder holds no model that we know.
    """
    return forecaster_class(str(read_state(folder)["name"])).load(folder)


__all__ = ["BASELINES", "LSTM", "Forecaster", "Forecasts", "forecaster_class", "load_forecaster"]
