from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_series import SERIES, overlapping
from scipy import stats

from ml.evaluation.overlap import (
    apart_t_test,
    lags,
    overlap_t_test,
    small_sample,
    sum_variance,
)
from ml.rolling import Floats

HORIZON = 21


def newey_west_sum_variance(deviations: Floats, positions: np.ndarray, lag_count: int) -> float:
    """The textbook's double sum, of every pair of sessions."""
    distance = np.abs(positions[:, None] - positions[None, :])
    weights = np.clip(1.0 - distance / (lag_count + 1.0), 0.0, None)
    return float(deviations @ weights @ deviations)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), lag_count=st.integers(0, 40), count=st.integers(2, 120))
def test_the_variance_is_newey_and_wests_double_sum_also_across_holes(
    seed: int, lag_count: int, count: int
) -> None:
    generator = np.random.default_rng(seed)
    positions = np.sort(generator.choice(4 * count, size=count, replace=False))
    deviations = generator.normal(size=(count, 2))
    found = sum_variance(deviations, positions, lag_count)
    for column in range(2):
        expected = newey_west_sum_variance(deviations[:, column], positions, lag_count)
        assert found[column] == pytest.approx(expected, rel=1e-9)


def test_without_overlap_and_lags_it_is_students_t_test() -> None:
    values = np.random.default_rng(1).normal(0.2, 1.0, size=200)
    deviations = values - values.mean()
    share, freedom = small_sample(200, 1, 0)
    assert freedom == pytest.approx(199)
    error = np.sqrt(sum_variance(deviations, np.arange(200), 0) / share) / 200
    assert values.mean() / error == pytest.approx(stats.ttest_1samp(values, 0.0).statistic)


@pytest.mark.parametrize("sessions", [126, 500, 2000])
def test_the_share_found_and_the_degrees_of_freedom_are_those_of_simulated_estimates(
    sessions: int,
) -> None:
    generator = np.random.default_rng(2)
    values = overlapping(generator, sessions, 4000, HORIZON)
    lag_count = lags(sessions, HORIZON)
    deviations = values - values.mean(axis=0)
    estimates = sum_variance(deviations, np.arange(sessions), lag_count)
    truth = np.var(values.sum(axis=0))
    share, freedom = small_sample(sessions, HORIZON, lag_count)
    assert estimates.mean() / truth == pytest.approx(share, rel=0.08)
    assert 2 * estimates.mean() ** 2 / estimates.var() == pytest.approx(freedom, rel=0.25)


def rejections(name: str, sessions: int, horizon: int, columns: int) -> tuple[float, float]:
    """Shares of true nulls rejected at 5 %, two-sided and one-sided."""
    values = SERIES[name](np.random.default_rng(3), sessions, columns, horizon)
    test = overlap_t_test(values, np.arange(sessions), horizon)
    return float(np.mean(test.p_value < 0.05)), float(np.mean(test.p_value_below < 0.05))


@pytest.mark.parametrize("name", ["independent", "overlapping", "slow forecast", "two errors"])
def test_a_true_null_is_rejected_about_as_often_as_the_level_says(name: str) -> None:
    two_sided, one_sided = rejections(name, 500, HORIZON, columns=2000)
    assert 0.02 < two_sided < 0.065
    assert 0.025 < one_sided < 0.065


def test_an_ordinary_t_test_rejects_two_thirds_of_the_same_true_nulls() -> None:
    values = overlapping(np.random.default_rng(3), 500, 2000, HORIZON)
    assert np.mean(stats.ttest_1samp(values, 0.0).pvalue < 0.05) > 0.6


@pytest.mark.long
@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("horizon", [5, 21])
@pytest.mark.parametrize("sessions", [250, 500, 1000, 2000, 4000])
def test_size_over_all_kinds_of_series(
    name: str, horizon: int, sessions: int, record_property: Callable[[str, object], None]
) -> None:
    two_sided, one_sided = rejections(name, sessions, horizon, columns=4000)
    record_property("two_sided", two_sided)
    record_property("one_sided", one_sided)
    outlasts = name == "two errors in wild times"  # memory far beyond a horizon of 5 sessions
    assert two_sided < (0.11 if outlasts else 0.065)
    assert one_sided < (0.11 if outlasts else 0.065)


def test_a_mean_three_standard_errors_from_zero_is_mostly_found() -> None:
    values = overlapping(np.random.default_rng(4), 1000, 1000, HORIZON)
    shifted = values - 3.0 * values.mean(axis=0).std()
    test = overlap_t_test(shifted, np.arange(1000), HORIZON)
    assert np.mean(test.p_value_below < 0.05) > 0.8


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-6, 1e6))
def test_the_unit_of_the_losses_does_not_matter_and_the_sides_are_alike(
    seed: int, scale: float
) -> None:
    values = overlapping(np.random.default_rng(seed), 200, 3, HORIZON)
    positions = np.arange(200)
    plain = overlap_t_test(values, positions, HORIZON)
    scaled = overlap_t_test(-scale * values, positions, HORIZON)
    assert scaled.statistic == pytest.approx(-plain.statistic, rel=1e-6)
    assert scaled.p_value == pytest.approx(plain.p_value, rel=1e-6)
    assert scaled.p_value_below == pytest.approx(1.0 - plain.p_value_below, abs=1e-9)
    backwards = overlap_t_test(values[::-1], positions, HORIZON)
    assert backwards.statistic == pytest.approx(plain.statistic, rel=1e-6)


def test_columns_are_tested_apart_also_where_some_lack_sessions() -> None:
    values = overlapping(np.random.default_rng(5), 300, 3, HORIZON)
    values[100:140, 1] = np.nan
    together = overlap_t_test(values, np.arange(300), HORIZON)
    alone = overlap_t_test(values[:, 0], np.arange(300), HORIZON)
    assert together.statistic[0] == pytest.approx(float(alone.statistic))
    seen = np.isfinite(values[:, 1])
    assert together.mean[1] == pytest.approx(values[seen, 1].mean())


def test_a_long_hole_between_folds_is_no_neighbourhood() -> None:
    values = overlapping(np.random.default_rng(6), 400, 200, HORIZON)
    joined = np.arange(400)
    parted = np.where(joined < 200, joined, joined + 5000)
    deviations = values - values.mean(axis=0)
    halves = sum_variance(deviations[:200], joined[:200], 30)
    halves += sum_variance(deviations[200:], joined[200:], 30)
    assert sum_variance(deviations, parted, 30) == pytest.approx(halves)
    assert not np.allclose(sum_variance(deviations, joined, 30), halves)


@pytest.mark.parametrize(
    "values", [np.zeros(200), np.full(200, 0.1), np.full(200, np.nan), np.ones(62)]
)
def test_what_does_not_move_or_is_too_short_has_no_t_value(values: Floats) -> None:
    test = overlap_t_test(values, np.arange(len(values)), HORIZON)
    assert np.isnan(test.statistic)
    assert np.isnan(test.p_value)


@settings(max_examples=30, deadline=None)
@given(sessions=st.integers(1, 5000), horizon=st.integers(1, 63))
def test_lags_always_reach_over_what_overlaps(sessions: int, horizon: int) -> None:
    assert lags(sessions, horizon) >= horizon - 1


def test_the_check_apart_takes_the_largest_p_value_of_all_starts() -> None:
    values = overlapping(np.random.default_rng(7), 400, 1, 5)[:, 0] + 1.0
    expected = max(stats.ttest_1samp(values[start::5], 0.0).pvalue for start in range(5))
    assert apart_t_test(values, np.arange(400), 5) == pytest.approx(expected)


def test_the_check_apart_counts_sessions_of_the_exchange_and_needs_eight() -> None:
    values = overlapping(np.random.default_rng(8), 42, 1, 5)[:, 0]
    assert apart_t_test(values[:39], np.arange(39), 5) is None
    holes = np.concatenate([np.arange(20), np.arange(1003, 1025)])
    expected = max(stats.ttest_1samp(values[holes % 5 == at], 0.0).pvalue for at in range(5))
    assert apart_t_test(values, holes, 5) == pytest.approx(expected)


def test_the_check_apart_says_nothing_of_a_series_that_stands_still() -> None:
    assert apart_t_test(np.full(400, 0.1), np.arange(400), 5) is None
