"""Exact integer arithmetic for compiled loops: products beyond 64 bits, and half-even rounding.

A product of two 64-bit integers is divided as follows: the quotient is estimated in floating
point, and what is left over is computed modulo 2^64, where it is exact because it is small. With
a, b, c >= 0 and a * b < 2^112, c <= 2^61 and a * b / c < 2^62::

    the estimate has five roundings, so it is off by at most q * 2^-50 + 1;
    so |a * b - estimate * c| <= a * b * 2^-50 + 2c < 2^62 + 2^62 = 2^63.

``LARGEST_CENTS``, ``LARGEST_MICROS`` and ``LARGEST_PRICE_MICROS`` keep every product of this
package inside these bounds; accounts beyond them are not traded.
"""

import numpy as np

from pipelines.rebalance.kernels import kernel, part

NANOS = 1_000_000_000
"""Weights are integers in billionths."""

LARGEST_CENTS = 10**14
"""Worth of an account that is still traded: a thousand billion dollars."""

LARGEST_MICROS = 2**60
"""Quantity of a symbol that is still traded, held or wanted."""

LARGEST_PRICE_MICROS = 10**15
"""Price of a share at which accounts are still traded: a billion dollars."""

# Of one type with what they meet: a literal would have every function compiled anew for it.
_MICROS_SQUARED_PER_CENT = np.int64(10_000_000_000)  # micros of a share * micros of USD
_BPS = np.int64(10_000)
_NANOS = np.int64(NANOS)

_QUANTITY_SCALE = 10  # cents * nanos / (micros of USD per share) -> micros of a share
_FITS = 9.2e18  # a product below it fits into 64 bits, however its estimate was rounded


@kernel
def divided_product(a, b, c):  # type: ignore[no-untyped-def]
    """Return the quotient of a * b by c, rounded down, and what is left over."""
    estimate = np.float64(a) * np.float64(b)
    if estimate < _FITS:
        quotient = np.uint64(a * b) // np.uint64(c)
        return np.int64(quotient), np.int64(np.uint64(a * b) - quotient * np.uint64(c))
    quotient = np.uint64(estimate / np.float64(c))
    rest = np.int64(np.uint64(a) * np.uint64(b) - quotient * np.uint64(c))
    steps = rest // c
    return np.int64(quotient) + steps, rest - steps * c


@part
def floored(a, b, c):  # type: ignore[no-untyped-def]
    """Return a * b / c, rounded down."""
    return divided_product(a, b, c)[0]


@part
def half_even(a, b, c):  # type: ignore[no-untyped-def]
    """Return a * b / c, rounded half to even."""
    quotient, rest = divided_product(a, b, c)
    twice = 2 * rest
    # Without a branch: which way it goes is a toss.
    return quotient + np.int64((twice > c) | ((twice == c) & (quotient & 1 == 1)))


@part
def notional_of(quantity_micros, price_micros):  # type: ignore[no-untyped-def]
    """Return quantity times price in cents, rounded half to even."""
    return half_even(quantity_micros, price_micros, _MICROS_SQUARED_PER_CENT)


@part
def fee_of(notional_cents, cost_bps):  # type: ignore[no-untyped-def]
    """Return the estimated cost of a trade in cents, rounded half to even."""
    return half_even(notional_cents, cost_bps, _BPS)


@part
def quantity_of(nanos, wealth_cents, price_micros):  # type: ignore[no-untyped-def]
    """Return what a weight of wealth buys in micros of a share, rounded down."""
    return floored(nanos * _QUANTITY_SCALE, wealth_cents, price_micros)


@part
def cents_of(nanos, wealth_cents):  # type: ignore[no-untyped-def]
    """Return what a weight of wealth is worth in cents, rounded down."""
    return floored(nanos, wealth_cents, _NANOS)
