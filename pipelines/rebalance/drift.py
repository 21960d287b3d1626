"""How far an account is from its target, and whether that is too far."""

import numpy as np
import numpy.typing as npt

from pipelines.rebalance.policy import Policy

Vector = npt.NDArray[np.float64]


def drift(current: Vector, target: Vector) -> float:
    """Return half the sum of absolute weight gaps: the share of wealth in the wrong place.

    Both vectors hold all symbols and cash.
    """
    return float(np.abs(current - target).sum() / 2)


def outside_band(current: Vector, target: Vector, policy: Policy) -> bool:
    """Say whether any weight left its hybrid band.

    The band around a target t is min(absolute, max(relative * t, narrowest)): absolute for large
    positions, relative for small ones, since a 5 % sleeve within +-5 % could double unnoticed.
    """
    relative = np.maximum(policy.relative_band * target, policy.narrowest_band)
    band = np.minimum(policy.absolute_band, relative)
    return bool((np.abs(current - target) > band).any())
