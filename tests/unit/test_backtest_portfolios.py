"""Wealth, costs and drift: by hand on small examples, and as identities on any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.backtest.portfolios import Portfolios


def test_a_first_purchase_pays_for_what_it_buys() -> None:
    book = Portfolios.in_cash(1, 2)
    traded, paid = book.trade(np.array([[0.5, 0.3]]), 0.01)
    # W' = 1 - 0.01 * 0.8 W'
    after = 1 / 1.008
    assert book.wealth[0] == pytest.approx(after, rel=1e-15)
    assert book.values[0] == pytest.approx([0.5 * after, 0.3 * after], rel=1e-14)
    assert book.cash[0] == pytest.approx(0.2 * after, rel=1e-14)
    assert traded[0] == pytest.approx(0.8 * after, rel=1e-14)
    assert paid[0] == pytest.approx(0.008 * after, rel=1e-12)


def test_weights_drift_with_returns_and_cash_with_interest() -> None:
    book = Portfolios(np.array([[0.5, 0.3]]), np.array([0.2]))
    path = book.drift(np.array([[0.1, np.nan], [-0.5, 1.0]]), 0.01)
    first, second = 0.55 + 0.3 + 0.2 * 1.01, 0.275 + 0.6 + 0.2 * 1.01**2
    assert path[:, 0] == pytest.approx([first, second], rel=1e-15)
    assert book.weights[0] == pytest.approx([0.275 / second, 0.6 / second], rel=1e-15)


def test_a_rebalance_pays_for_both_sides() -> None:
    book = Portfolios(np.array([[0.8, 0.2]]), np.array([0.0]))
    traded, paid = book.trade(np.array([[0.5, 0.5]]), 0.001)
    # W' = 1 - 0.001 * ((0.8 - W' / 2) + (W' / 2 - 0.2)): what is sold less what is bought is paid.
    assert book.wealth[0] == pytest.approx(1 - 0.001 * 0.6, rel=1e-15)
    assert traded[0] == pytest.approx(0.6, rel=1e-15)
    assert paid[0] == pytest.approx(0.0006, rel=1e-15)


def test_without_a_target_all_is_kept_and_nothing_paid() -> None:
    book = Portfolios(np.array([[0.8, 0.1], [0.5, 0.4]]), np.array([0.1, 0.1]))
    before = book.values.tobytes(), book.cash.tobytes()
    traded, paid = book.trade(np.full((2, 2), np.nan), 0.01)
    assert (book.values.tobytes(), book.cash.tobytes()) == before
    assert traded.tolist() == paid.tolist() == [0.0, 0.0]


_SHARES = st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3).map(
    lambda parts: np.array(parts) / max(sum(parts), 1.0)
)


@given(held=_SHARES, aimed=_SHARES, cost=st.floats(0.0, 0.02))
def test_nothing_is_lost_but_what_was_paid(
    held: np.ndarray, aimed: np.ndarray, cost: float
) -> None:
    book = Portfolios(held[None, :], np.array([1.0 - held.sum()]))
    before, old = book.wealth[0], book.values.copy()
    traded, paid = book.trade(aimed[None, :], cost)
    assert book.wealth[0] == pytest.approx(before * (1 - paid[0]), rel=1e-12)
    assert paid[0] * before == pytest.approx(cost * np.abs(book.values - old).sum(), abs=1e-15)
    assert book.weights[0] == pytest.approx(aimed, abs=1e-12)
    assert traded[0] >= 0
