from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml import rolling
from ml.rolling import (
    Floats,
    expanding_mean,
    exponential_mean,
    forward_sum,
    gap_of_averages,
    trailing_mean,
)

RETURNS = arrays(
    np.float64,
    st.tuples(st.integers(1, 80), st.integers(1, 19)),
    elements=st.one_of(st.floats(-0.5, 0.5), st.just(np.nan)),
)
with_kernels = settings(deadline=None, max_examples=50)
"""Their first call compiles them."""
TRAILING: dict[str, tuple[Callable[[Floats], Floats], int]] = {
    "simple": (lambda values: trailing_mean(values, 21), 21),
    "exponential": (lambda values: exponential_mean(values, 10, 32), 32),
    "crossover": (lambda values: gap_of_averages(values, 5, 21), 21),
}
"""Function and number of rows that it looks at."""


@given(values=RETURNS, window=st.integers(1, 30))
@with_kernels
def test_a_trailing_mean_is_the_rolling_mean_of_pandas(values: Floats, window: int) -> None:
    least = int(np.ceil(0.8 * window))
    expected = pd.DataFrame(values).rolling(window, min_periods=max(1, least)).mean()
    np.testing.assert_allclose(trailing_mean(values, window), expected, atol=1e-11)


@given(values=RETURNS)
@with_kernels
def test_an_exponential_mean_is_the_weighted_mean_of_what_is_there(values: Floats) -> None:
    weights = (1 - 2 / 6) ** np.arange(16)
    expected = np.full(values.shape, np.nan)
    for row in range(len(values)):
        window = values[max(0, row - 15) : row + 1][::-1]
        weight = np.where(np.isfinite(window), weights[: len(window), None], 0.0)
        total = (weight * np.nan_to_num(window)).sum(axis=0)
        enough = weight.sum(axis=0) >= 0.8 * weights.sum()
        expected[row] = np.where(enough, total / np.where(enough, weight.sum(axis=0), 1), np.nan)
    found = exponential_mean(values, 5, 16)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@given(values=RETURNS)
@with_kernels
def test_a_crossover_is_the_difference_of_two_averages_of_the_log_price(values: Floats) -> None:
    price = pd.DataFrame(np.nan_to_num(values)).cumsum()
    is_there = pd.DataFrame(np.isfinite(values)).rolling(21, min_periods=1).sum() >= 17
    # Before the first row the log price stands still at zero.
    padded = pd.concat([pd.DataFrame(np.zeros((21, values.shape[1]))), price])
    gap = (padded.rolling(5).mean() - padded.rolling(21).mean())[21:].to_numpy()
    expected = np.where(is_there, gap, np.nan)
    np.testing.assert_allclose(gap_of_averages(values, 5, 21), expected, atol=1e-10)


@pytest.mark.parametrize("name", TRAILING)
@given(values=RETURNS, cut=st.integers(0, 79))
@with_kernels
def test_history_before_the_window_changes_no_bit(name: str, values: Floats, cut: int) -> None:
    function, rows = TRAILING[name]
    whole, shortened = function(values), function(values[cut:])
    np.testing.assert_array_equal(whole[cut + rows - 1 :], shortened[rows - 1 :])


@pytest.mark.parametrize("name", TRAILING)
@given(values=RETURNS, cut=st.integers(1, 80))
@with_kernels
def test_rows_after_a_session_change_no_bit(name: str, values: Floats, cut: int) -> None:
    function, _ = TRAILING[name]
    np.testing.assert_array_equal(function(values)[:cut], function(values[:cut]))


@pytest.mark.parametrize("name", TRAILING)
@given(values=RETURNS)
@with_kernels
def test_other_symbols_change_no_bit(name: str, values: Floats) -> None:
    function, _ = TRAILING[name]
    alone = np.concatenate([function(values[:, [column]]) for column in range(values.shape[1])], 1)
    np.testing.assert_array_equal(function(values), alone)


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).normal(0, 0.01, (300, 37))
    functions = [*(function for function, _ in TRAILING.values()), lambda x: forward_sum(x, 5)]
    alone = [function(values) for function in functions]
    monkeypatch.setattr(rolling, "_FEW_VALUES", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    for function, expected in zip(functions, alone, strict=True):
        np.testing.assert_array_equal(function(values), expected)


@given(values=RETURNS, cut=st.integers(1, 80))
@with_kernels
def test_rows_after_a_session_change_no_bit_of_its_expanding_mean(values: Floats, cut: int) -> None:
    whole, shortened = expanding_mean(values, least=5), expanding_mean(values[:cut], least=5)
    np.testing.assert_array_equal(whole[:cut], shortened)


@given(values=RETURNS)
@with_kernels
def test_an_expanding_mean_is_that_of_pandas(values: Floats) -> None:
    expected = pd.DataFrame(values).expanding(min_periods=5).mean()
    np.testing.assert_allclose(expanding_mean(values, least=5), expected, atol=1e-11)


def test_a_price_that_lies_far_off_leaves_a_crossover_as_it_is() -> None:
    values = np.random.default_rng(4).normal(0, 0.01, (300, 3))
    far = np.concatenate([np.full((500, 3), 8.0), values])
    np.testing.assert_array_equal(
        gap_of_averages(far, 10, 50)[549:], gap_of_averages(values, 10, 50)[49:]
    )


def test_a_forward_sum_reaches_from_the_next_row_to_the_horizon() -> None:
    values = np.array([[9.0], [1.0], [2.0], [4.0], [8.0]])
    assert forward_sum(values, 2)[:3, 0].tolist() == [3.0, 6.0, 12.0]
    assert np.isnan(forward_sum(values, 2)[3:]).all()


@pytest.mark.parametrize(("missing", "is_known"), [(2, True), (5, False)])
def test_a_hole_inside_the_horizon_is_bridged_and_one_at_its_end_is_not(
    missing: int, is_known: bool
) -> None:
    values = np.ones((6, 1))
    values[missing] = np.nan
    assert np.isfinite(forward_sum(values, 5)[0, 0]) == is_known


def test_a_window_of_an_exponential_mean_is_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="rows = 30 is no power of two"):
        exponential_mean(np.zeros((3, 1)), 10, 30)
