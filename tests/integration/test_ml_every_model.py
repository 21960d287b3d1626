"""What every model must do, whatever it is made of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lstm_examples import assert_same_forecasts
from ml_examples import changed_after, panel_of, random_walk, trending
from ml_models import SEED, fitted, small_model, split_of, with_late_changes

from ml.errors import TrainingError
from ml.forecasters import AVERAGE, MODELS, Forecaster, load_forecaster
from ml.forecasters.base import average
from ml.panel import Panel
from ml.splits import Split
from ml.work import Work

TODAY = 900


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(trending(sessions=1200))


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest, panel: Panel) -> Forecaster:
    return fitted(request.param, panel)


def last_of(panel: Panel) -> range:
    return range(len(panel) - 1, len(panel))


def test_what_comes_after_a_session_changes_none_of_its_forecasts(
    model: Forecaster, panel: Panel
) -> None:
    so_far = range(TODAY - 300, TODAY + 1)
    before = model.predict(panel, so_far)
    assert np.isfinite(before.mean).all()
    for other in (changed_after(panel, TODAY), panel.until(panel.session(TODAY))):
        assert_same_forecasts(before, model.predict(other, so_far))


def test_what_comes_after_training_changes_nothing_learned(model: Forecaster, panel: Panel) -> None:
    """Validation and test measure: nothing is learned from them, nor chosen by them."""
    split = split_of(panel)
    again = fitted(model.name, with_late_changes(panel, split), split)
    assert again.state() == model.state()
    held_out = range(split.validation.start, split.test.stop)
    assert_same_forecasts(model.predict(panel, held_out), again.predict(panel, held_out))


def test_a_forecast_made_alone_has_the_bits_that_it_has_among_others(
    model: Forecaster, panel: Panel
) -> None:
    together = model.predict(panel, range(TODAY - 50, TODAY + 50))
    some = panel.of_symbols(panel.symbols[1:4])
    alone = model.predict(some, range(TODAY, TODAY + 1))
    np.testing.assert_array_equal(together.mean[:, 50, 1:4], alone.mean[:, 0])
    np.testing.assert_array_equal(together.stdev[:, 50, 1:4], alone.stdev[:, 0])


def test_a_forecast_is_the_mean_of_its_seeds(model: Forecaster, panel: Panel) -> None:
    forecast = model.predict(panel, last_of(panel))
    seeds = model.predict_seeds(panel, last_of(panel))
    np.testing.assert_allclose(forecast.mean, np.mean([seed.mean for seed in seeds], axis=0))
    squares = [np.square(seed.stdev) for seed in seeds]
    np.testing.assert_allclose(forecast.stdev, np.sqrt(np.mean(squares, axis=0)))
    if model.name != AVERAGE:  # training infers once and makes the forecast of the seeds'
        assert_same_forecasts(average(seeds), forecast)


def test_what_moved_a_forecast_adds_up_to_it(model: Forecaster, panel: Panel) -> None:
    young = panel.observed.copy()
    young[: len(panel) - 30, 2] = False
    returns = np.where(young, panel.log_return_1d, np.nan)
    panel = replace(panel, observed=young, log_return_1d=returns)
    forecast = model.predict(panel, last_of(panel)).mean[:, 0]
    assert np.isnan(forecast[:, 2]).all()
    moved = model.explain(panel)
    assert moved.seen.shape == (len(panel.symbols), len(moved.features))
    np.testing.assert_allclose(moved.baseline + moved.parts.sum(axis=-1), forecast, atol=1e-12)


def test_a_saved_model_says_the_same(model: Forecaster, panel: Panel, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = load_forecaster(tmp_path)
    last = last_of(panel)
    assert loaded.history_sessions == model.history_sessions
    assert_same_forecasts(loaded.predict(panel, last), model.predict(panel, last))
    for one, other in zip(
        loaded.predict_seeds(panel, last), model.predict_seeds(panel, last), strict=True
    ):
        assert_same_forecasts(one, other)
    np.testing.assert_array_equal(loaded.explain(panel).parts, model.explain(panel).parts)


@pytest.mark.parametrize("name", MODELS)
def test_a_symbol_that_cannot_be_forecast_gets_none_and_spoils_no_other(name: str) -> None:
    returns = random_walk(symbols=8)
    returns[:-100, 0] = np.nan
    returns[:, 1] = 0.0
    panel = panel_of(returns)
    panel.observed[:-101, 0] = False
    panel.values[500:, 2, 0] = np.inf
    panel.values[..., 1] = np.nan
    model = fitted(name, panel)
    forecast = model.predict(panel, last_of(panel))
    assert not np.isinf(forecast.mean).any()
    mean = forecast.mean[:, 0]
    assert np.isfinite(mean[:, 0]).all() == (model.history_sessions <= 101)
    assert np.isnan(mean[:, 1]).all()
    assert np.isfinite(mean[:, 2:]).all()
    assert "noise" not in model.explain(panel).features


@pytest.mark.parametrize("name", MODELS)
def test_too_little_to_learn_from_is_said(name: str) -> None:
    panel = panel_of(random_walk(symbols=1))
    split: Split = split_of(panel)
    with pytest.raises(TrainingError, match="at least 1000 are needed"):
        small_model(name).fit(panel, split, Work(SEED))
