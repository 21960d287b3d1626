import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.rolling import expanding_mean, forward_sum, trailing_mean

RETURNS = arrays(
    np.float64,
    st.tuples(st.integers(1, 80), st.integers(1, 3)),
    elements=st.one_of(st.floats(-0.5, 0.5), st.just(np.nan)),
)


@given(values=RETURNS, window=st.integers(1, 30))
def test_a_trailing_mean_is_the_rolling_mean_of_pandas(values: np.ndarray, window: int) -> None:
    least = int(np.ceil(0.8 * window))
    expected = pd.DataFrame(values).rolling(window, min_periods=max(1, least)).mean()
    np.testing.assert_allclose(trailing_mean(values, window), expected, atol=1e-11)


@given(values=RETURNS, window=st.integers(1, 30), cut=st.integers(0, 79))
def test_history_before_the_window_changes_no_bit_of_a_trailing_mean(
    values: np.ndarray, window: int, cut: int
) -> None:
    whole, shortened = trailing_mean(values, window), trailing_mean(values[cut:], window)
    np.testing.assert_array_equal(whole[cut + window - 1 :], shortened[window - 1 :])


@given(values=RETURNS, cut=st.integers(1, 80))
def test_rows_after_a_session_change_no_bit_of_its_expanding_mean(
    values: np.ndarray, cut: int
) -> None:
    whole, shortened = expanding_mean(values, least=5), expanding_mean(values[:cut], least=5)
    np.testing.assert_array_equal(whole[:cut], shortened)


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
