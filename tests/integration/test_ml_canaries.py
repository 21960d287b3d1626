"""Skill is found where it was planted, and nowhere else."""

import numpy as np
import pytest
from ml_examples import panel_of, random_walk
from ml_models import autoregressive, fitted, news_only, shuffled, skill, split_of
from scipy.stats import binom, ttest_1samp

from ml.evaluation import compare, confidence, r2_out_of_sample, scored_by_all
from ml.forecasters import LSTM, MODELS, Forecaster
from ml.forecasters.targets import benchmark_and_scale
from ml.panel import Panel
from models.vocabulary import FORECAST_HORIZONS_SESSIONS

LEARNERS = [name for name in MODELS if name not in {"naive", "expanding_mean"}]
"""Models that could find something: the others do not look at what came last."""

WORLDS = 5
SIGNIFICANT = 0.05

NEWS_WORLDS = 40
PROVEN_BY_CHANCE = 0.05
"""How often a model without any skill may earn more than no confidence."""


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


def earned(model: Forecaster, panel: Panel, sessions: range, number: int) -> tuple[float, float]:
    """The R2 of a horizon on some sessions, and the confidence that it earns."""
    rows = slice(sessions.start, sessions.stop)
    horizon = model.horizons[number]
    outcomes = panel.forward_log_return(horizon)[rows]
    benchmark = benchmark_and_scale(panel, horizon)[0][rows]
    mean = model.predict(panel, sessions).mean[number]
    where = scored_by_all(outcomes, mean, benchmark)
    r2 = r2_out_of_sample(outcomes, mean, benchmark, where)
    assert r2 is not None
    return r2, confidence(outcomes, mean, benchmark, where, np.array(sessions), horizon)


@pytest.mark.long
@pytest.mark.parametrize("name", LEARNERS)
def test_noise_earns_no_more_than_chance_allows_and_on_validation_what_on_test(name: str) -> None:
    """Validation that had chosen anything would look better than the test, world after world."""
    found = []
    for world in range(NEWS_WORLDS):
        panel = news_only(sessions=2000, symbols=12, seed=1000 + world)
        split = split_of(panel)
        model = fitted(name, panel, split)
        found.append(
            [
                [earned(model, panel, sessions, number) for number in range(len(model.horizons))]
                for sessions in (split.validation, split.test)
            ]
        )
    worlds = np.array(found)
    flattery = worlds[:, 0, :, 0] - worlds[:, 1, :, 0]
    assert (ttest_1samp(flattery, 0.0, alternative="greater").pvalue > 0.002).all()
    earning = (worlds[..., 1] > 0).sum(axis=0)
    assert earning.max() <= binom.isf(0.002, NEWS_WORLDS, PROVEN_BY_CHANCE)
