"""Target weights as exact integers: billionths that sum to one with cash and keep every bound."""

from dataclasses import dataclass

import numpy as np

from models.vocabulary import CASH
from pipelines.rebalance.arrays import Matrix, Vector
from pipelines.rebalance.solver.definition import Limits, UnsolvedError

Members = list[int]

NANOS = 1_000_000_000
_ON_BOUND = 5 / NANOS  # an interior-point answer this near to a bound means the bound
_SNAP = 1e-3  # of a billionth: room for the low bits of a bound's float
_QUANTITY_SCALE = 10  # cents * nanos / (micros of USD per share) -> micros of a share


@dataclass(frozen=True)
class Target:
    """Weights in billionths: one per symbol, and cash; together exactly 1,000,000,000."""

    symbols: tuple[int, ...]
    cash: int

    def as_fractions(self) -> Vector:
        """Return the weights of all symbols and then cash, as fractions."""
        return np.array([*self.symbols, self.cash]) / NANOS

    def quantities(self, wealth_cents: int, price_micros: list[int]) -> list[int]:
        """Return the target quantities in micros of a share, rounded down."""
        return [
            weight * wealth_cents * _QUANTITY_SCALE // price
            for weight, price in zip(self.symbols, price_micros, strict=True)
        ]

    def cash_cents(self, wealth_cents: int) -> int:
        """Return the target cash in cents, rounded up."""
        return -(-self.cash * wealth_cents // NANOS)


def clean(weights: Vector, limits: Limits, membership: Matrix) -> Target:
    """Put a solver's weights on or inside their bounds, round down, and give the rest to cash.

    Sums that this exceeds or misses by billionths are met again by lowering their largest member
    or raising symbols in order.

    Raises
    ------
    UnsolvedError
        A bound does not hold afterwards.
    """
    clipped = np.clip(weights, 0.0, limits.upper)
    clipped = np.where(clipped < _ON_BOUND, 0.0, clipped)
    clipped = np.where(limits.upper - clipped < _ON_BOUND, limits.upper, clipped)
    nanos = _floored(clipped)
    upper = _floored(limits.upper)
    classes: list[Members] = [np.flatnonzero(row).tolist() for row in membership]
    class_upper = _floored(limits.class_upper)
    floor = int(np.ceil(limits.cash_floor * NANOS - _SNAP))
    ceiling = int(np.floor(limits.cash_ceiling * NANOS + _SNAP))
    _lower(nanos, list(range(len(nanos))), NANOS - floor)
    for members, most in zip(classes, class_upper, strict=True):
        _lower(nanos, members, most)
    _raise(nanos, upper, classes, class_upper, NANOS - ceiling)
    target = Target(tuple(nanos), NANOS - sum(nanos))
    if not floor <= target.cash <= ceiling:
        raise UnsolvedError(f"{CASH} of {target.cash} lies outside [{floor}, {ceiling}] billionths")
    return target


def _floored(bounds: Vector) -> list[int]:
    return [int(value) for value in np.floor(bounds * NANOS + _SNAP)]


def _lower(nanos: list[int], members: Members, most: int) -> None:
    """Take what a sum exceeds its bound by from its largest member."""
    excess = sum(nanos[member] for member in members) - most
    if excess <= 0:
        return
    if excess > _ON_BOUND * NANOS * len(nanos):
        raise UnsolvedError(f"a bound on a sum is exceeded by {excess} billionths")
    nanos[max(members, key=lambda member: nanos[member])] -= excess


def _raise(
    nanos: list[int],
    upper: list[int],
    classes: list[Members],
    class_upper: list[int],
    least: int,
) -> None:
    """Raise symbols in order, within all bounds, until at least so much is invested."""
    missing = least - sum(nanos)
    if missing > _ON_BOUND * NANOS * len(nanos):
        raise UnsolvedError(f"the least to invest is missed by {missing} billionths")
    for members, most in zip(classes, class_upper, strict=True):
        for member in members:
            room = min(upper[member] - nanos[member], most - sum(nanos[m] for m in members))
            step = max(0, min(missing, room))
            nanos[member] += step
            missing -= step
