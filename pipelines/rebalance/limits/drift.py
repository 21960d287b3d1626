"""How far an account is from its target, and whether that is too far."""

import numpy as np

from pipelines.rebalance.arrays import Vector
from pipelines.rebalance.policy import Policy


def drift(current: Vector, target: Vector) -> float:
    """Return half the sum of absolute weight gaps: the share of wealth in the wrong place.

    Both vectors hold all symbols and cash.
    """
    return float(np.abs(current - target).sum() / 2)


def outside_band(current: Vector, target: Vector, grains: Vector, policy: Policy) -> bool:
    """Say whether any weight left its hybrid band.

    The band around a target t is min(absolute, max(relative * t, narrowest)): absolute for large
    positions, relative for small ones, since a 5 % sleeve within +-5 % could double unnoticed.
    A gap that no trade can close is no drift: of a symbol's gap its grain is taken off, of the gap
    of cash what the symbols' grains explain. Otherwise a small account of whole shares would trade
    for ever.

    Parameters
    ----------
    current, target : weights of all symbols and then cash.
    grains : (symbols,) the smallest trade of each symbol as a weight.
    """
    relative = np.maximum(policy.relative_band * target, policy.narrowest_band)
    band = np.minimum(policy.absolute_band, relative)
    gaps = np.abs(current - target)
    unavoidable = np.minimum(gaps[:-1], grains)
    closable = gaps - np.append(unavoidable, unavoidable.sum())
    return bool((closable > band).any())
