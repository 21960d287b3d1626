"""What the parts of a training cost, roughly: seconds on two cores.

Only ratios matter: for the time that is left, and so that networks of all sizes cost the search the
same.
"""

from ml.forecasters import LSTM
from ml.forecasters.lstm_settings import LstmSettings
from ml.panel import Panel
from ml.plans import TrainingPlan
from ml.splits import Split

LAYER_COST = 4_000
"""Cost of a layer's step in time that no multiplication explains, in squared units."""

SECONDS_PER_COST = 6.5e-10
SECONDS_PER_ROW = {"ridge": 2e-5, "lightgbm": 3e-5}
LEAST_SECONDS = 0.3


def fit_cost(name: str, panel: Panel, split: Split, plan: TrainingPlan) -> float:
    """Return what a model's fit in a split costs, forecasts of what is held out included."""
    if name == LSTM:
        return lstm_cost(plan.lstm)
    rows = (len(split.train) + len(split.validation)) * len(panel.symbols)
    return LEAST_SECONDS + rows * SECONDS_PER_ROW.get(name, 0.0)


def lstm_cost(settings: LstmSettings) -> float:
    """Return what training a network costs if it stops no earlier than it must."""
    samples = settings.samples_per_epoch + settings.validation_samples / 3  # no backward pass
    return settings.seeds * settings.epochs * samples * sample_cost(settings)


def sample_cost(settings: LstmSettings) -> float:
    """Return what training on one window costs.

    Small layers cost more than their multiplications say: steps in time follow each other.
    """
    of_step = sum(LAYER_COST + units**2 for units in settings.units)
    return settings.window_sessions * of_step * SECONDS_PER_COST
