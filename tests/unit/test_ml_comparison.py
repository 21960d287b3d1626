import numpy as np
import pytest
from loss_series import overlapping, slow

from ml.evaluation import compare, session_means
from ml.evaluation.comparison import diebold_mariano

HORIZON = 5
POSITIONS = np.arange(600)


def market(seed: int, symbols: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes over the horizon, and what a forecaster could know of them."""
    generator = np.random.default_rng(seed)
    knowable = 1.5 * slow(generator, 600, symbols)
    return knowable + overlapping(generator, 600, symbols, HORIZON), knowable


def test_who_knows_more_loses_less_and_beats_the_other_one_sidedly() -> None:
    outcomes, knowable = market(1)
    found = compare(outcomes, knowable, 0 * knowable, POSITIONS, HORIZON, candidates=4)
    assert found is not None
    assert found.statistic is not None
    assert found.difference < 0
    assert found.statistic < 0
    assert found.p_value < 0.01
    assert found.p_value_corrected == pytest.approx(4 * found.p_value)
    assert (found.first, found.last, found.sessions) == (0, 599, 600)


def test_exchanging_the_two_turns_the_sign_and_the_side() -> None:
    outcomes, knowable = market(2)
    ours = compare(outcomes, knowable, 0 * knowable, POSITIONS, HORIZON)
    theirs = compare(outcomes, 0 * knowable, knowable, POSITIONS, HORIZON)
    assert ours is not None
    assert theirs is not None
    assert theirs.difference == pytest.approx(-ours.difference)
    assert theirs.statistic == pytest.approx(-ours.statistic)
    assert theirs.p_value == pytest.approx(1.0 - ours.p_value)


def test_only_sessions_and_symbols_that_both_have_forecast_count() -> None:
    outcomes, knowable = market(3)
    mean, other = knowable.copy(), 0 * knowable
    mean[:100], other[500:, :7], outcomes[:, 7] = np.nan, np.nan, np.nan
    found = compare(outcomes, mean, other, POSITIONS, HORIZON)
    same = compare(
        outcomes[100:500, :7], mean[100:500, :7], other[100:500, :7], POSITIONS[100:500], HORIZON
    )
    assert found is not None
    assert same is not None
    assert (found.first, found.last, found.sessions) == (100, 499, 400)
    assert found.difference == pytest.approx(same.difference)
    assert found.statistic == pytest.approx(same.statistic)


def test_each_session_counts_once_however_many_symbols_it_has() -> None:
    losses = np.array([[1.0, 3.0], [5.0, np.nan], [np.nan, np.nan]])
    means = session_means(losses, np.isfinite(losses))
    assert means == pytest.approx([2.0, 5.0, np.nan], nan_ok=True)


def test_the_same_forecast_is_no_better_than_itself() -> None:
    outcomes, knowable = market(4)
    found = compare(outcomes, knowable, knowable, POSITIONS, HORIZON)
    assert found is not None
    assert found.difference == 0.0
    assert found.statistic is None
    assert found.p_value == found.p_value_corrected == 1.0


def test_a_few_common_sessions_prove_nothing_and_none_at_all_is_said() -> None:
    outcomes, knowable = market(5)
    few = compare(outcomes[:14], knowable[:14], 0 * knowable[:14], POSITIONS[:14], HORIZON)
    assert few is not None
    assert (few.statistic, few.p_value, few.sessions) == (None, 1.0, 14)
    nothing = np.full_like(knowable, np.nan)
    assert compare(outcomes, knowable, nothing, POSITIONS, HORIZON) is None


def test_columns_of_losses_are_tested_one_by_one() -> None:
    outcomes, knowable = market(6)
    losses, others = np.square(outcomes - knowable), np.square(outcomes)
    together = diebold_mariano(losses, others, POSITIONS, HORIZON)
    third = diebold_mariano(losses[:, 2], others[:, 2], POSITIONS, HORIZON)
    assert together.statistic[2] == pytest.approx(float(third.statistic))
    assert together.p_value[2] == pytest.approx(float(third.p_value))
