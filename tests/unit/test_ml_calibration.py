from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ml_examples import panel_of, random_walk, trending
from ml_served import realised, validation_outcomes

from ml.errors import ModelNotFoundError
from ml.evaluation import Outcomes, confidence, r2_out_of_sample
from ml.forecasters import Forecasts
from ml.forecasters.targets import benchmark_and_scale
from ml.intervals.calibration import CALIBRATION_FILE, MOST_FOLLOWED_SYMBOLS, Calibration
from ml.panel import Panel

HORIZONS = (5, 21)
VALIDATION = range(600, 800)


def forecasts_of(panel: Panel, sessions: range, stdev_share: float = 0.5) -> Forecasts:
    """The expanding mean, with a standard deviation that is too small by design."""
    rows = slice(sessions.start, sessions.stop)
    pairs = [benchmark_and_scale(panel, horizon) for horizon in HORIZONS]
    return Forecasts(
        np.stack([mean[rows] for mean, _ in pairs]),
        stdev_share * np.stack([scale[rows] for _, scale in pairs]),
    )


def fitted(panel: Panel, sessions: range = VALIDATION) -> Calibration:
    forecasts = forecasts_of(panel, sessions)
    return Calibration.fit(forecasts, validation_outcomes(panel, forecasts, sessions))


def followed(calibration: Calibration, panel: Panel, sessions: range) -> Calibration:
    forecasts, outcomes = forecasts_of(panel, sessions), realised(panel, sessions, HORIZONS)
    dates = panel.sessions[sessions.start : sessions.stop]
    return calibration.follow(forecasts, outcomes, dates)[1]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(random_walk())


def test_the_standard_error_is_what_validation_errors_say(panel: Panel) -> None:
    forecasts = forecasts_of(panel, VALIDATION)
    calibration = fitted(panel)
    errors = realised(panel, VALIDATION, HORIZONS) - forecasts.mean
    for number in range(2):
        scaled = errors[number] / forecasts.stdev[number]
        assert calibration.stdev_factor[number] == pytest.approx(np.sqrt((scaled**2).mean()))
        assert calibration.stdev_factor[number] == pytest.approx(2.0, rel=0.35)
    stdev = calibration.calibrated_stdev(forecasts.stdev)
    np.testing.assert_allclose(
        stdev, np.array(calibration.stdev_factor)[:, None, None] * forecasts.stdev
    )


def test_each_horizon_earns_its_own_weight_and_one_of_many_models_less() -> None:
    panel = panel_of(trending(sessions=1000, symbols=12))
    benchmark = forecasts_of(panel, VALIDATION)
    mean = benchmark.mean.copy()
    trend = panel.values[VALIDATION.start : VALIDATION.stop, :, 0].astype(np.float64)
    mean[1] += 0.5 * 21 * 0.01 * trend  # sees where the next month goes; the week is the benchmark
    outcomes = validation_outcomes(panel, benchmark, VALIDATION)
    calibration = Calibration.fit(replace(benchmark, mean=mean), outcomes)
    assert calibration.confidence[0] == 0.0
    assert calibration.r2_validation[0] == 0.0
    args = (outcomes.log_return[1], mean[1], outcomes.benchmark[1], outcomes.where[1])
    assert calibration.r2_validation[1] == r2_out_of_sample(*args)
    assert calibration.confidence[1] == confidence(*args, outcomes.positions, 21) > 0

    positions, horizons = outcomes.positions, outcomes.horizons
    of_nine = Outcomes.of(panel, positions, horizons, outcomes.benchmark, [mean] * 9)
    doubted = Calibration.fit(replace(benchmark, mean=mean), of_nine).confidence[1]
    assert doubted == confidence(*args, positions, 21, models=9) < calibration.confidence[1]


def test_following_what_comes_next_goes_on_with_the_path_of_validation(panel: Panel) -> None:
    whole = fitted(panel, range(600, 900))
    parts = followed(followed(fitted(panel), panel, range(800, 850)), panel, range(850, 900))
    assert parts.through == whole.through == panel.session(899)
    for one, other in zip(parts.conformal, whole.conformal, strict=True):
        assert one.to_json() == other.to_json()


def test_intervals_lie_around_forecasts_in_units_of_the_models_own_stdev(panel: Panel) -> None:
    sessions = range(800, 900)
    forecasts = forecasts_of(panel, sessions)
    intervals, after = fitted(panel).follow(
        forecasts, realised(panel, sessions, HORIZONS), panel.sessions[800:900]
    )
    assert intervals.lower.shape == intervals.upper.shape == (2, 2, *forecasts.mean.shape[1:])
    for number, state in enumerate(after.conformal):
        for level in range(2):
            below, above = state.issued[-1].ends[level]
            mean, stdev = forecasts.mean[number, -1], forecasts.stdev[number, -1]
            np.testing.assert_array_equal(intervals.lower[level, number, -1], mean - below * stdev)
            np.testing.assert_array_equal(intervals.upper[level, number, -1], mean + above * stdev)


def test_a_large_market_is_followed_by_symbols_evenly_spaced() -> None:
    panel = panel_of(random_walk(sessions=700, symbols=MOST_FOLLOWED_SYMBOLS + 100))
    calibration = fitted(panel, range(600, 680))
    assert calibration.symbols == panel.symbols[::2]
    some = panel.of_symbols(calibration.symbols)
    assert (
        fitted(some, range(600, 680)).conformal[0].to_json() == calibration.conformal[0].to_json()
    )


def test_a_calibration_is_read_as_it_was_written(panel: Panel, tmp_path: Path) -> None:
    calibration = followed(fitted(panel), panel, range(800, 1000))
    calibration.save(tmp_path)
    restored = Calibration.load(tmp_path)
    assert replace(restored, conformal=()) == replace(calibration, conformal=())
    for one, other in zip(restored.conformal, calibration.conformal, strict=True):
        assert one.to_json() == other.to_json()
    assert restored.through == panel.session(999)


@pytest.mark.parametrize("content", [None, "{", "{}", '{"horizons": [5]}'])
def test_a_folder_without_a_whole_calibration_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / CALIBRATION_FILE).write_text(content)
    with pytest.raises(ModelNotFoundError, match="missing or damaged"):
        Calibration.load(tmp_path)
