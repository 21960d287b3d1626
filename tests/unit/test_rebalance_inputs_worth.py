"""What quantities are worth, beside Python's own exact integers."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.rebalance.inputs.worth import worth_cents

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
