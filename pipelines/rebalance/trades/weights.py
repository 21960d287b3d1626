"""Target weights as exact integers: billionths that sum to one with cash and keep every bound."""

from typing import Protocol

import numpy as np
from numba import njit

from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.trades.arithmetic import NANOS

NO_TARGET = -1
"""In every column of a row of billionths: there is no target."""

_ON_BOUND = 5 / NANOS  # an interior-point answer this near to a bound means the bound
_SNAP = 1e-3  # of a billionth: room for the low bits of a bound's float
_REPAIRABLE_NANOS = 20  # for each symbol: what a sum may miss its bound by


class WeightLimits(Protocol):
    """Limits of weights, row by row; ``Bounds`` of goals and ``Problems`` have them."""

    @property
    def lower(self) -> Floats:
        """(rows, symbols)."""

    @property
    def upper(self) -> Floats:
        """(rows, symbols)."""

    @property
    def class_lower(self) -> Floats:
        """(rows, classes)."""

    @property
    def class_upper(self) -> Floats:
        """(rows, classes)."""

    @property
    def invested_lower(self) -> Floats:
        """(rows,)."""

    @property
    def invested_upper(self) -> Floats:
        """(rows,)."""


def clean(weights: Floats, bounds: WeightLimits, class_of: Integers) -> Integers:
    """Put solvers' weights on or inside their bounds, round down, and give the rest to cash.

    Sums that this exceeds or misses by billionths are met again by lowering their largest member
    or raising symbols in order.

    Parameters
    ----------
    weights : (rows, symbols).
    bounds : of the same rows.
    class_of : (symbols,) number of each symbol's class.

    Returns
    -------
    (rows, symbols + 1) billionths, cash last, that sum to 1,000,000,000; ``NO_TARGET`` throughout
    in a row of weights that are not finite, or that no repair brings within its bounds.
    """
    return _clean(
        np.ascontiguousarray(weights),
        floor_nanos(bounds.upper),
        -floor_nanos(-bounds.lower),
        floor_nanos(bounds.class_upper),
        -floor_nanos(-bounds.class_lower),
        floor_nanos(bounds.invested_upper),
        -floor_nanos(-bounds.invested_lower),
        np.ascontiguousarray(class_of, dtype=np.int64),
    )


def floor_nanos(bounds: Floats) -> Integers:
    """Return bounds in billionths, rounded down but for the low bits of a float; NaN gives 0."""
    scaled = np.floor(np.nan_to_num(bounds, nan=0.0, posinf=2.0, neginf=-2.0) * NANOS + _SNAP)
    return np.ascontiguousarray(np.clip(scaled, -2 * NANOS, 2 * NANOS).astype(np.int64))


@njit(cache=True, nogil=True)
def _clean(  # type: ignore[no-untyped-def]
    weights, upper, lower, class_upper, class_lower, most, least, class_of
):
    rows, symbols = weights.shape
    result = np.full((rows, symbols + 1), NO_TARGET)
    for row in range(rows):
        nanos = result[row, :symbols]
        if not _round(weights[row], lower[row], upper[row], nanos):
            nanos[:] = NO_TARGET
            continue
        for _ in range(2):  # what raises one sum may exceed another
            _lower_sums(nanos, lower[row], class_of, class_upper[row], class_lower[row], most[row])
            _raise_sums(
                nanos,
                upper[row],
                class_of,
                class_upper[row],
                class_lower[row],
                most[row],
                least[row],
            )
        if _is_within(
            nanos, lower[row], upper[row], class_of, class_lower[row], class_upper[row],
            least[row], most[row],
        ):  # fmt: skip
            result[row, symbols] = NANOS - nanos.sum()
        else:
            nanos[:] = NO_TARGET
    return result


@njit(cache=True, nogil=True)
def _round(weights, lower, upper, nanos):  # type: ignore[no-untyped-def]
    """Clip to bounds, snap to those that are near, round down; say whether all are finite."""
    near = _ON_BOUND * NANOS
    for symbol in range(len(weights)):
        if not np.isfinite(weights[symbol]):
            return False
        scaled = min(max(weights[symbol] * NANOS, float(lower[symbol])), float(upper[symbol]))
        if scaled - lower[symbol] < near:
            nanos[symbol] = lower[symbol]
        elif upper[symbol] - scaled < near:
            nanos[symbol] = upper[symbol]
        else:
            nanos[symbol] = np.int64(np.floor(scaled + _SNAP))
    return True


@njit(cache=True, nogil=True)
def _class_sums(nanos, class_of, sums):  # type: ignore[no-untyped-def]
    sums[:] = 0
    for symbol in range(len(nanos)):
        sums[class_of[symbol]] += nanos[symbol]


@njit(cache=True, nogil=True)
def _lower_sums(nanos, lower, class_of, class_upper, class_lower, most):  # type: ignore[no-untyped-def]
    """Take what a sum exceeds its bound by from its largest members, if it is not too much."""
    symbols = len(nanos)
    sums = np.empty(len(class_upper), np.int64)
    _class_sums(nanos, class_of, sums)
    for number in range(len(class_upper) + 1):
        is_total = number == len(class_upper)
        excess = sums.sum() - most if is_total else sums[number] - class_upper[number]
        if excess > _REPAIRABLE_NANOS * symbols:
            return
        while excess > 0:
            largest, room = -1, 0
            for symbol in range(symbols):
                mine = class_of[symbol]
                free = nanos[symbol] - lower[symbol]
                if is_total:
                    free = min(free, sums[mine] - class_lower[mine])
                elif mine != number:
                    continue
                if free > 0 and (largest < 0 or nanos[symbol] > nanos[largest]):
                    largest, room = symbol, free
            if largest < 0:
                return
            step = min(excess, room)
            nanos[largest] -= step
            sums[class_of[largest]] -= step
            excess -= step


@njit(cache=True, nogil=True)
def _raise_sums(  # type: ignore[no-untyped-def]
    nanos, upper, class_of, class_upper, class_lower, most, least
):
    """Raise symbols in order, within all bounds, until each class and the total have enough."""
    symbols = len(nanos)
    sums = np.empty(len(class_upper), np.int64)
    _class_sums(nanos, class_of, sums)
    for number in range(len(class_lower) + 1):
        is_total = number == len(class_lower)
        missing = least - sums.sum() if is_total else class_lower[number] - sums[number]
        if missing > _REPAIRABLE_NANOS * symbols:
            return
        for symbol in range(symbols):
            if missing <= 0:
                break
            mine = class_of[symbol]
            if not is_total and mine != number:
                continue
            room = min(upper[symbol] - nanos[symbol], class_upper[mine] - sums[mine])
            if is_total:
                room = min(room, most - sums.sum())
            step = max(0, min(missing, room))
            nanos[symbol] += step
            sums[mine] += step
            missing -= step


@njit(cache=True, nogil=True)
def _is_within(  # type: ignore[no-untyped-def]
    nanos, lower, upper, class_of, class_lower, class_upper, least, most
):
    sums = np.empty(len(class_upper), np.int64)
    _class_sums(nanos, class_of, sums)
    for symbol in range(len(nanos)):
        if nanos[symbol] < max(0, lower[symbol]) or nanos[symbol] > upper[symbol]:
            return False
    for number in range(len(sums)):
        if sums[number] < class_lower[number] or sums[number] > class_upper[number]:
            return False
    total = sums.sum()
    return least <= total and total <= min(most, NANOS)
