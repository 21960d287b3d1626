"""What quantities are worth, exact in integers, for whole arrays."""

import numpy as np

from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.trades.orders import notional_cents

MOST_CENTS = 9 * 10**14
"""What is worth more counts as this: far above what is traded, and sums of it stay exact."""

MOST_MICROS = 2**62
"""A larger quantity counts as this: far above what is traded, and an order more or less fits."""

_MICROS_SQUARED_PER_CENT = 1e10


def bounded_micros(quantity_micros: Integers) -> Integers:
    """Return quantities, cut at ``MOST_MICROS`` either way."""
    return np.clip(quantity_micros, -MOST_MICROS, MOST_MICROS)


def worth_cents(quantity_micros: Integers, price_micros: Integers) -> Integers:
    """Return quantity times price in US cents, rounded half to even, cut at some ``MOST_CENTS``.

    Parameters
    ----------
    quantity_micros, price_micros : arrays that broadcast; quantities within ``MOST_MICROS`` either
        way, prices at least 0.
    """
    quantities, prices = np.broadcast_arrays(quantity_micros, price_micros)
    # Floats round it, where neither answer is traded.
    most = MOST_CENTS * _MICROS_SQUARED_PER_CENT / np.maximum(prices, 1)
    most = np.minimum(most, MOST_MICROS).astype(np.int64)
    held = np.clip(quantities, -most, most)
    return np.sign(held) * notional_cents(np.abs(held), prices)
