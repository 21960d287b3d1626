"""What quantities are worth, beside Python's own exact integers."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.rebalance.inputs.worth import MOST_CENTS, MOST_MICROS, worth_cents

quantities = st.integers(-(10**15), 10**15)
prices = st.integers(0, 9_000_000_000)


@given(st.lists(st.tuples(quantities, prices), min_size=1, max_size=20))
@settings(max_examples=300, deadline=None)
def test_worth_is_quantity_times_price_rounded_half_to_even(pairs: list[tuple[int, int]]) -> None:
    quantity, price = (np.array(values, dtype=np.int64) for values in zip(*pairs, strict=True))
    expected = [round(Fraction(size * cost, 10**10)) for size, cost in pairs]
    assert worth_cents(quantity, price).tolist() == expected


def test_halves_of_a_cent_go_to_the_even_one_whatever_the_sign() -> None:
    halves = np.array([5_000, 15_000, 25_000, -5_000, -15_000, -25_000]) * 1_000_000
    assert worth_cents(halves, np.array(1)).tolist() == [0, 2, 2, 0, -2, -2]


@given(st.integers(-MOST_MICROS, MOST_MICROS), st.integers(0, 2**63 - 1))
@settings(max_examples=300, deadline=None)
def test_what_is_worth_more_than_there_is_counts_as_that(quantity: int, price: int) -> None:
    exact = Fraction(quantity * price, 10**10)
    worth = int(worth_cents(np.array([quantity]), np.array([price]))[0])
    if abs(exact) < MOST_CENTS - 1:
        assert worth == round(exact)
    else:
        step = price / 1e10  # of the smallest quantity
        assert abs(worth) <= MOST_CENTS + 1
        assert (abs(worth) >= MOST_CENTS - step - 1) and ((worth > 0) == (exact > 0))
