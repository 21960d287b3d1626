"""What pictures of the test draw: the outcomes that every model has forecast."""

import numpy as np

from ml.evaluation import Mask, scored_by_all
from ml.results import TrainingResult
from ml.rolling import Floats


def scored_test(result: TrainingResult, horizon: int) -> tuple[Mask, Floats]:
    """Return which outcomes of the horizon of that number count, and outcomes, 0 elsewhere.

    Both have the shape (sessions, symbols).
    """
    outcomes = result.test_outcomes[horizon]
    where = scored_by_all(outcomes, *(model.test.mean[horizon] for model in result.models))
    return where, np.where(where, outcomes, 0.0)
