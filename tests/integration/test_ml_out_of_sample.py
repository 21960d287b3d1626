"""What folds are scored by and what would have served in them: all of it known at the time."""

import logging

import numpy as np
import pytest
from ml_examples import changed_after, panel_of, random_walk, trending
from ml_trained import training_of

from ml.forecasters import BASELINES, forecaster_class
from ml.panel import Panel
from ml.results import TrainingResult
from ml.rolling import Floats
from ml.splits import FoldPlan

FOLDS = FoldPlan(folds=2, test_share=0.2)


def trained(panel: Panel) -> TrainingResult:
    return training_of(panel, {n: forecaster_class(n) for n in (*BASELINES, "ridge")}, FOLDS)


@pytest.mark.parametrize("returns", [random_walk(1200, 6), trending(1200, 6)])
def test_what_comes_after_a_session_changes_nothing_that_was_served_or_said_until_then(
    returns: Floats,
) -> None:
    panel = panel_of(returns)
    before = trained(panel)
    session = before.walk.folds[1].test[10]
    after = trained(changed_after(panel, session))
    assert after.served.folds == before.served.folds
    known = before.served.test.positions <= session
    pairs = [(before.served.test, after.served.test)]
    for model, changed in zip(before.models, after.models, strict=True):
        pairs.append((model.test, changed.test))
    for one, other in pairs:
        for name in ("mean", "stdev", "lower", "upper", "seed_means"):
            ours, theirs = getattr(one, name), getattr(other, name)
            np.testing.assert_array_equal(ours[..., known, :], theirs[..., known, :])
    assert not np.array_equal(before.served.test.upper, after.served.test.upper)


def test_a_model_that_is_too_good_is_suspected_on_validation_and_on_test(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, logger="ml.training.train"):
        trained(panel_of(trending(1200, 6)))
    for period in ("validation", "test"):
        assert f"on {period}, 21 sessions ahead: suspect leakage" in caplog.text
