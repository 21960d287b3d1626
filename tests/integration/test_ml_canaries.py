"""Skill is found where it was planted, and nowhere else."""

import numpy as np
import pytest
from ml_examples import panel_of, random_walk
from ml_models import autoregressive, fitted, shuffled, skill, split_of
from scipy.stats import binom

from ml.evaluation import compare
from ml.forecasters import LSTM, MODELS
from models.vocabulary import FORECAST_HORIZONS_SESSIONS

LEARNERS = [name for name in MODELS if name not in {"naive", "expanding_mean"}]
"""Models that could find something: the others do not look at what came last."""

WORLDS = 5
SIGNIFICANT = 0.05


@pytest.mark.parametrize("name", LEARNERS)
def test_a_planted_signal_is_found(name: str) -> None:
    panel = panel_of(autoregressive())
    split = split_of(panel)
    model = fitted(name, panel, split)
    for horizon in FORECAST_HORIZONS_SESSIONS:
        assert skill(model, panel, split, horizon).is_found


@pytest.mark.parametrize("name", MODELS)
def test_shuffled_outcomes_leave_no_skill(name: str) -> None:
    panel = panel_of(autoregressive())
    split = split_of(panel)
    panel = shuffled(panel, split, seed=8)
    model = fitted(name, panel, split)
    for horizon in FORECAST_HORIZONS_SESSIONS:
        assert skill(model, panel, split, horizon).is_chance


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.long) if name == LSTM else name for name in MODELS[1:]],
)
def test_on_a_random_walk_nothing_beats_naive_beyond_chance(name: str) -> None:
    """More wins than come by chance once in 500 tests would be a leak."""
    wins = dict.fromkeys(FORECAST_HORIZONS_SESSIONS, 0)
    for world in range(WORLDS):
        panel = panel_of(random_walk(sessions=1200, symbols=8, seed=100 + world))
        split = split_of(panel)
        model = fitted(name, panel, split)
        forecast = model.predict(panel, split.test)
        for number, horizon in enumerate(model.horizons):
            outcomes = panel.forward_log_return(horizon)[split.test.start : split.test.stop]
            compared = compare(
                outcomes,
                forecast.mean[number],
                np.zeros(outcomes.shape),
                np.array(split.test),
                horizon,
            )
            assert compared is not None
            wins[horizon] += compared.p_value < SIGNIFICANT
    assert max(wins.values()) <= binom.isf(0.002, WORLDS, SIGNIFICANT)
