"""What the parts of a training cost: seconds on two quiet cores, roughly.

Their ratios matter: for the time that is left, and so that networks of all sizes cost a search the
same. Measured on the bundled sample; ``benchmarks/training_budget.py`` adds them up.
"""

from ml.forecasters import LSTM
from ml.forecasters.lstm.settings import LstmSettings
from ml.plans import TrainingPlan
from ml.splits import Split
from ml.training.fold_fits import held_out

LAYER_COST = 2_300
"""Cost of a layer's step in time that no multiplication explains, in squared units."""

SECONDS_PER_COST = 2.4e-10
FORWARD_SHARE = 1 / 3
"""Of training on a window, that forecasting from it costs."""

LEAST_SECONDS = 0.1
RIDGE_SECONDS_PER_ROW = 1e-5
TREES_SECONDS_PER_ROW = 7e-6
TREE_SETTINGS = 4


def fit_cost(name: str, symbols: int, split: Split, plan: TrainingPlan) -> float:
    """Return what a model's fit in a split costs, forecasts of what is held out included."""
    rows = split.validation.stop * symbols
    if name == LSTM:
        windows = plan.lstm.seeds * len(held_out(split)) * symbols
        return lstm_cost(plan.lstm) + windows * FORWARD_SHARE * sample_cost(plan.lstm)
    if name == "ridge":
        return LEAST_SECONDS + rows * RIDGE_SECONDS_PER_ROW
    if name == "lightgbm":
        return LEAST_SECONDS + rows * TREES_SECONDS_PER_ROW * (TREE_SETTINGS + plan.lstm.seeds)
    return LEAST_SECONDS


def lstm_cost(settings: LstmSettings) -> float:
    """Return what training the networks costs if they stop no earlier than they must."""
    samples = settings.samples_per_epoch + settings.stopping_samples * FORWARD_SHARE
    return settings.seeds * settings.epochs * samples * sample_cost(settings)


def sample_cost(settings: LstmSettings) -> float:
    """Return what training on one window costs.

    Small layers cost more than their multiplications say: steps in time follow each other.
    """
    of_step = sum(LAYER_COST + units**2 for units in settings.units)
    return settings.window_sessions * of_step * SECONDS_PER_COST
