"""What quantities are worth, exact in integers, for whole arrays."""

import numpy as np

from models.vocabulary import MICROS
from pipelines.rebalance.arrays import Integers

_MICROS_PER_CENT = 10_000


def worth_cents(quantity_micros: Integers, price_micros: Integers) -> Integers:
    """Return quantity times price in US cents, rounded half to even.

    Parameters
    ----------
    quantity_micros, price_micros : arrays that broadcast; prices are at least 0. The worth of the
        whole shares must stay below 9.2 trillion dollars, of one share below 9.2 million.
    """
    size = np.abs(quantity_micros)
    shares, fraction = size // MICROS, size % MICROS
    # In units of 1e-10 cents the product needs 128 bits, so its two ends are carried apart.
    cents, rest = np.divmod(shares * price_micros, _MICROS_PER_CENT)
    unit = MICROS * _MICROS_PER_CENT
    more, rest = np.divmod(rest * MICROS + fraction * price_micros, unit)
    cents += more
    is_above = (2 * rest > unit) | ((2 * rest == unit) & (cents % 2 == 1))
    return np.sign(quantity_micros) * (cents + is_above)
