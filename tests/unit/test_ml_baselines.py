from pathlib import Path

import numpy as np
import pytest
from ml_examples import changed_after, panel_of, random_walk, trending

from ml.errors import ModelNotFoundError
from ml.evaluation import r2_out_of_sample, scored_by_all
from ml.forecasters import BASELINES, Forecaster, load_forecaster
from ml.forecasters.crossover import CrossoverForecaster
from ml.forecasters.ema import ExponentialMovingAverageForecaster
from ml.forecasters.expanding_mean import expanding_mean_forecast
from ml.forecasters.sma import SimpleMovingAverageForecaster
from ml.panel import Panel
from ml.splits import Split, split_in_time

HORIZON = 21
TRENDS = [
    SimpleMovingAverageForecaster,
    ExponentialMovingAverageForecaster,
    CrossoverForecaster,
]


def fitted(kind: type[Forecaster], panel: Panel) -> tuple[Forecaster, Split]:
    split = split_in_time(len(panel), HORIZON, HORIZON)
    forecaster = kind(HORIZON)
    forecaster.fit(panel, split)
    return forecaster, split


def r2_on_test(forecaster: Forecaster, panel: Panel, split: Split) -> float:
    rows = slice(split.test.start, split.test.stop)
    outcomes = panel.forward_log_return(HORIZON)[rows]
    benchmark = expanding_mean_forecast(panel, HORIZON)[rows]
    mean = forecaster.predict(panel, split.test).mean
    return r2_out_of_sample(outcomes, mean, benchmark, scored_by_all(outcomes, mean, benchmark))


@pytest.mark.parametrize("kind", BASELINES)
def test_changes_after_a_session_leave_its_forecast_bit_identical(kind: type[Forecaster]) -> None:
    panel = panel_of(random_walk())
    forecaster, _ = fitted(kind, panel)
    until_600 = range(601)
    before = forecaster.predict(panel, until_600)
    for other in (changed_after(panel, 600), panel.until(panel.session(600))):
        after = forecaster.predict(other, until_600)
        np.testing.assert_array_equal(before.mean, after.mean)
        np.testing.assert_array_equal(before.stdev, after.stdev)


@pytest.mark.parametrize("kind", BASELINES)
def test_what_happens_after_validation_does_not_change_what_is_learned(
    kind: type[Forecaster],
) -> None:
    panel = panel_of(random_walk())
    forecaster, split = fitted(kind, panel)
    other, _ = fitted(kind, changed_after(panel, split.validation[-1] + HORIZON))
    assert forecaster.state() == other.state()


@pytest.mark.parametrize("kind", TRENDS)
def test_a_planted_trend_is_found(kind: type[Forecaster]) -> None:
    panel = panel_of(trending(sessions=3000))
    forecaster, split = fitted(kind, panel)
    assert r2_on_test(forecaster, panel, split) > 0.1


@pytest.mark.parametrize("kind", TRENDS)
def test_the_same_returns_in_shuffled_order_leave_no_skill(kind: type[Forecaster]) -> None:
    returns = trending(sessions=3000)
    shuffled = np.random.default_rng(8).permutation(returns[1:] - returns[1:].mean(axis=0))
    panel = panel_of(np.concatenate([returns[:1], shuffled]))
    forecaster, split = fitted(kind, panel)
    assert abs(r2_on_test(forecaster, panel, split)) < 0.02


@pytest.mark.parametrize("kind", BASELINES)
def test_a_saved_model_forecasts_the_same_bits(kind: type[Forecaster], tmp_path: Path) -> None:
    panel = panel_of(random_walk())
    forecaster, split = fitted(kind, panel)
    forecaster.save(tmp_path)
    loaded = load_forecaster(tmp_path)
    one, other = forecaster.predict(panel, split.test), loaded.predict(panel, split.test)
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.stdev, other.stdev)


def test_a_folder_without_a_whole_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"forecaster\.json.*missing"):
        load_forecaster(tmp_path)
    (tmp_path / "forecaster.json").write_text('{"name": "sm')
    with pytest.raises(ModelNotFoundError, match="truncated"):
        load_forecaster(tmp_path)


def test_the_trend_of_a_steady_rise_is_that_rise() -> None:
    returns = np.full((600, 1), 0.001)
    panel = panel_of(returns)
    for kind in TRENDS:
        forecaster = kind(HORIZON)
        trend = forecaster.trend(panel, forecaster.window)
        assert trend[-1, 0] == pytest.approx(HORIZON * 0.001)


def test_symbols_without_enough_history_or_movement_get_no_forecast() -> None:
    returns = random_walk(symbols=5)
    returns[:-100, 0] = np.nan
    returns[:, 1] = 0.0
    panel = panel_of(returns)
    for kind in BASELINES:
        forecaster, _ = fitted(kind, panel)
        mean = forecaster.predict(panel, range(len(panel) - 1, len(panel))).mean[0]
        assert np.isnan(mean[1])
        assert np.isfinite(mean[2])
        assert np.isfinite(mean[0]) == (forecaster.history_sessions <= 100)
