from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ml_examples import changed_after, panel_of, random_walk, trending

from ml.errors import ModelNotFoundError, TrainingError
from ml.evaluation import Mask, r2_out_of_sample, scored_by_all
from ml.forecasters import BASELINES, Forecaster, forecaster_class, load_forecaster
from ml.forecasters.base import horizon_volatility
from ml.forecasters.expanding_mean import expanding_mean_forecast
from ml.forecasters.line_sums import LineSums
from ml.forecasters.training_blocks import TrainingBlocks
from ml.forecasters.trend import TrendForecaster
from ml.panel import Panel
from ml.splits import FoldPlan, Split, walk_forward
from ml.work import Work
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

HORIZONS = FORECAST_HORIZONS_SESSIONS
WORK = Work(seed=0)
TRENDS = ("sma", "ema", "crossover")


def split_of(panel: Panel) -> Split:
    return walk_forward(len(panel), FoldPlan(folds=1, test_share=0.15)).folds[0]


def fitted(name: str, panel: Panel) -> tuple[Forecaster, Split]:
    split = split_of(panel)
    forecaster = forecaster_class(name)()
    forecaster.fit(panel, split, WORK)
    return forecaster, split


def trend_of(name: str) -> TrendForecaster:
    trend = forecaster_class(name)()
    assert isinstance(trend, TrendForecaster)
    return trend


def r2_on_test(forecaster: Forecaster, panel: Panel, split: Split, number: int) -> float | None:
    rows = slice(split.test.start, split.test.stop)
    outcomes = panel.forward_log_return(HORIZONS[number])[rows]
    benchmark = expanding_mean_forecast(panel, HORIZONS[number])[rows]
    mean = forecaster.predict(panel, split.test).mean[number]
    return r2_out_of_sample(outcomes, mean, benchmark, scored_by_all(outcomes, mean, benchmark))


@pytest.mark.parametrize("name", BASELINES)
def test_changes_after_a_session_leave_its_forecasts_bit_identical(name: str) -> None:
    panel = panel_of(random_walk())
    forecaster, _ = fitted(name, panel)
    until_600 = range(601)
    before = forecaster.predict(panel, until_600)
    assert before.mean.shape == (len(HORIZONS), 601, 6)
    for other in (changed_after(panel, 600), panel.until(panel.session(600))):
        after = forecaster.predict(other, until_600)
        np.testing.assert_array_equal(before.mean, after.mean)
        np.testing.assert_array_equal(before.stdev, after.stdev)


@pytest.mark.parametrize("name", BASELINES)
def test_what_else_is_forecast_changes_no_bit(name: str) -> None:
    panel = panel_of(random_walk())
    forecaster, _ = fitted(name, panel)
    all_sessions = forecaster.predict(panel, range(1000))
    alone = forecaster.predict(panel.of_symbols(("S03",)), range(800, 801))
    np.testing.assert_array_equal(all_sessions.mean[:, 800:801, 3:4], alone.mean)
    np.testing.assert_array_equal(all_sessions.stdev[:, 800:801, 3:4], alone.stdev)


@pytest.mark.parametrize("name", ["naive", *TRENDS])
def test_a_forecast_needs_no_more_history_than_it_says(name: str) -> None:
    returns = random_walk()
    forecaster, _ = fitted(name, panel_of(returns))
    short = panel_of(returns[-forecaster.history_sessions :])
    whole = forecaster.predict(panel_of(returns), range(999, 1000))
    last = range(len(short) - 1, len(short))
    np.testing.assert_array_equal(whole.mean, forecaster.predict(short, last).mean)


@pytest.mark.parametrize("name", TRENDS)
def test_a_planted_trend_is_found_over_both_horizons(name: str) -> None:
    panel = panel_of(trending(sessions=3000))
    forecaster, split = fitted(name, panel)
    week, month = (r2_on_test(forecaster, panel, split, number) or 0 for number in (0, 1))
    assert week > 0.03
    assert month > 0.1


@pytest.mark.parametrize("name", TRENDS)
def test_the_same_returns_in_shuffled_order_leave_no_skill(name: str) -> None:
    returns = trending(sessions=3000)
    shuffled = np.random.default_rng(8).permutation(returns[1:] - returns[1:].mean(axis=0))
    panel = panel_of(np.concatenate([returns[:1], shuffled]))
    forecaster, split = fitted(name, panel)
    for number in range(len(HORIZONS)):
        assert abs(r2_on_test(forecaster, panel, split, number) or 1) < 0.02


@pytest.mark.parametrize("name", BASELINES)
def test_a_saved_model_forecasts_the_same_bits(name: str, tmp_path: Path) -> None:
    panel = panel_of(random_walk())
    forecaster, split = fitted(name, panel)
    forecaster.save(tmp_path)
    loaded = load_forecaster(tmp_path)
    one, other = forecaster.predict(panel, split.test), loaded.predict(panel, split.test)
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.stdev, other.stdev)
    assert loaded.history_sessions == forecaster.history_sessions


def test_a_folder_without_a_whole_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"forecaster\.json.*missing"):
        load_forecaster(tmp_path)
    (tmp_path / "forecaster.json").write_text('{"name": "sm')
    with pytest.raises(ModelNotFoundError, match="truncated"):
        load_forecaster(tmp_path)


@pytest.mark.parametrize("name", TRENDS)
def test_the_trend_of_a_steady_rise_is_that_rise(name: str) -> None:
    forecaster = trend_of(name)
    for window in forecaster.windows:
        trend = forecaster.trend(np.full((600, 1), 0.001), window)
        assert trend[-1, 0] == pytest.approx(0.001)


@pytest.mark.parametrize("name", BASELINES)
def test_linear_terms_add_up_to_the_forecast(name: str) -> None:
    panel = panel_of(trending(sessions=1500))
    panel.observed[-1, 2] = False
    forecaster, _ = fitted(name, panel)
    mean = forecaster.predict(panel, range(1499, 1500)).mean[:, 0]
    explained = forecaster.explain(panel)
    total = explained.baseline + explained.parts.sum(axis=-1)
    np.testing.assert_allclose(total, mean, rtol=1e-12)
    assert np.isnan(mean[:, 2]).all()
    assert np.isnan(explained.parts[:, 2]).all()
    assert explained.method is Attribution.LINEAR_TERMS
    assert explained.seen.shape == (6, len(explained.features))
    assert explained.parts.shape == (len(HORIZONS), 6, len(explained.features))


def test_each_horizon_is_explained_by_its_own_window() -> None:
    forecaster = trend_of("sma")
    panel = panel_of(random_walk())
    forecaster.fit(panel, split_of(panel), WORK)
    week, month = forecaster.lines
    forecaster.lines = (replace(week, window=(10,)), replace(month, window=(63,)))
    explained = forecaster.explain(panel)
    assert explained.features == ("mean_log_return_10d", "mean_log_return_63d")
    assert (explained.parts[0, :, 1] == 0).all()
    assert (explained.parts[1, :, 0] == 0).all()
    np.testing.assert_allclose(
        explained.seen[:, 1], panel.log_return_1d[-63:].mean(axis=0), atol=1e-12
    )


def test_settings_that_were_tried_are_counted() -> None:
    trials = [forecaster_class(name)().trials for name in BASELINES]
    assert trials == [1, 1, 5, 4, 4]


def test_too_few_labels_are_refused() -> None:
    panel = panel_of(random_walk(sessions=1000, symbols=1))
    with pytest.raises(TrainingError, match="at least 1000 are needed"):
        fitted("sma", panel)


@pytest.mark.parametrize("name", BASELINES)
def test_symbols_without_enough_history_or_movement_get_no_forecast(name: str) -> None:
    returns = random_walk(symbols=5)
    returns[:-100, 0] = np.nan
    returns[:, 1] = 0.0
    panel = panel_of(returns)
    forecaster, _ = fitted(name, panel)
    forecasts = forecaster.predict(panel, range(len(panel) - 1, len(panel)))
    assert np.isnan(forecasts.mean[:, 0, 1]).all()
    assert np.isfinite(forecasts.mean[:, 0, 2]).all()
    np.testing.assert_array_equal(np.isnan(forecasts.mean), np.isnan(forecasts.stdev))
    if forecaster.history_sessions <= 100:
        assert np.isfinite(forecasts.mean[:, 0, 0]).all()


def test_window_and_line_are_those_of_weighted_least_squares_on_blocks_held_out() -> None:
    panel = panel_of(trending(sessions=1500))
    forecaster, split = fitted("sma", panel)
    assert isinstance(forecaster, TrendForecaster)
    rows = slice(split.train.stop)
    for horizon, line in zip(HORIZONS, forecaster.lines, strict=True):
        y = panel.forward_log_return(horizon)[rows]
        scale = horizon_volatility(panel, horizon)[rows]
        trends = [
            horizon * forecaster.drift(panel, window, split.train) for window in forecaster.windows
        ]
        known = np.isfinite(np.sum(trends, axis=0) + y + scale)
        blocks = TrainingBlocks.cut("sma", split, [np.where(known, y, np.nan)]).blocks
        within = [known & in_range(known, block) for block in blocks]
        errors = []
        for trend in trends:
            error = 0.0
            for held_out in within:
                others = np.logical_or.reduce(within) & ~held_out
                slope, intercept = np.polyfit(trend[others], y[others], 1, w=1 / scale[others])
                left = (y - intercept - slope * trend)[held_out] / scale[held_out]
                error += float(np.sum(np.square(left)))
            errors.append(error)
        best = int(np.argmin(errors))
        assert line.window == forecaster.windows[best]
        usable = np.isfinite(trends[best] + y + scale)
        fit = np.polyfit(trends[best][usable], y[usable], 1, w=1 / scale[usable])
        np.testing.assert_allclose([line.slope, line.intercept], fit, rtol=1e-6)


def in_range(like: Mask, sessions: range) -> Mask:
    """Which rows of (sessions, symbols) are of these sessions."""
    positions = np.arange(len(like))[:, None]
    return (sessions.start <= positions) & (positions < sessions.stop) & np.ones_like(like)


def test_a_trend_that_never_moves_has_no_slope() -> None:
    constant = np.full((50, 2), 0.1)
    outcomes = np.random.default_rng(1).normal(0.03, 0.01, (50, 2))
    intercept, slope = LineSums.of(constant, outcomes, np.ones((50, 2)), range(50)).line()
    assert slope == 0
    assert intercept == pytest.approx(outcomes.mean())
