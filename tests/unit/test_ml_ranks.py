import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ml.evaluation.ranks import average_ranks, rank_correlations


def rank_ic(forecasts: np.ndarray, outcomes: np.ndarray, where: np.ndarray) -> np.ndarray:
    return rank_correlations(
        *(average_ranks(np.where(where, values, np.nan)) for values in (forecasts, outcomes))
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), symbols=st.integers(5, 30), levels=st.integers(2, 40))
def test_rank_correlations_are_spearmans_with_ties_and_holes(
    seed: int, symbols: int, levels: int
) -> None:
    generator = np.random.default_rng(seed)
    forecasts = generator.integers(levels, size=(6, symbols)).astype(float)
    outcomes = generator.integers(levels, size=(6, symbols)).astype(float)
    where = generator.random((6, symbols)) < 0.9
    found = rank_ic(forecasts, outcomes, where)
    for session in range(6):
        own, truth = forecasts[session, where[session]], outcomes[session, where[session]]
        if len(own) < 5 or len(set(own)) == 1 or len(set(truth)) == 1:
            assert np.isnan(found[session])
        else:
            assert found[session] == pytest.approx(stats.spearmanr(own, truth).statistic)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_ranks_are_scipys(values: list[float]) -> None:
    expected = stats.rankdata(values, method="average")
    assert average_ranks(np.array([values]))[0] == pytest.approx(expected)


def test_equal_values_share_their_mean_rank_and_missing_ones_have_none() -> None:
    ranks = average_ranks(np.array([[3.0, np.nan, 1.0, 3.0, 3.0], [np.nan] * 5]))
    assert ranks[0] == pytest.approx([3.0, np.nan, 1.0, 3.0, 3.0], nan_ok=True)
    assert np.isnan(ranks[1]).all()


def test_the_order_of_symbols_and_any_rising_function_of_forecasts_change_nothing() -> None:
    generator = np.random.default_rng(1)
    forecasts, outcomes = generator.normal(size=(2, 20, 12))
    where = generator.random((20, 12)) < 0.8
    shuffled = generator.permutation(12)
    plain = rank_ic(forecasts, outcomes, where)
    assert rank_ic(np.exp(forecasts), outcomes, where) == pytest.approx(plain, nan_ok=True)
    assert rank_ic(
        forecasts[:, shuffled], outcomes[:, shuffled], where[:, shuffled]
    ) == pytest.approx(plain, nan_ok=True)


def test_a_session_with_four_symbols_or_one_forecast_for_all_says_nothing() -> None:
    generator = np.random.default_rng(2)
    outcomes = generator.normal(size=(2, 6))
    forecasts = np.vstack([generator.normal(size=6), np.zeros(6)])
    where = np.array([[True] * 4 + [False] * 2, [True] * 6])
    assert np.isnan(rank_ic(forecasts, outcomes, where)).all()
