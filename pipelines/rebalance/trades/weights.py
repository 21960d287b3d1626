"""Target weights as exact integers: billionths that sum to one with cash and keep every bound."""

from typing import Protocol

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.kernels import kernel, part
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

    @property
    def risky_upper(self) -> Floats:
        """(rows,) of all symbols in risky classes together."""


def clean(weights: Floats, bounds: WeightLimits, class_of: Integers, is_risky: Mask) -> Integers:
    """Put solvers' weights on or inside their bounds, round down, and give the rest to cash.

    Sums that this exceeds or misses by billionths are met again by lowering their largest member
    or raising symbols in order.

    Parameters
    ----------
    weights : (rows, symbols).
    bounds : of the same rows.
    class_of : (symbols,) number of each symbol's class.
    is_risky : (classes,) which of them ``risky_upper`` limits together.

    Returns
    -------
    (rows, symbols + 1) billionths, cash last, that sum to 1,000,000,000; ``NO_TARGET`` throughout
    in a row of weights that are not finite, or that no repair brings within its bounds.
    """
    classes = np.ascontiguousarray(class_of, dtype=np.int64)
    return _clean(
        np.ascontiguousarray(weights),
        -floor_nanos(-bounds.lower),
        floor_nanos(bounds.upper),
        -floor_nanos(-bounds.class_lower),
        floor_nanos(bounds.class_upper),
        -floor_nanos(-bounds.invested_lower),
        np.minimum(floor_nanos(bounds.invested_upper), NANOS),
        floor_nanos(bounds.risky_upper),
        classes,
        np.ascontiguousarray(is_risky)[classes],
    )


def floor_nanos(bounds: Floats) -> Integers:
    """Return bounds in billionths, rounded down but for the low bits of a float; NaN gives 0."""
    scaled = np.clip(np.floor(bounds * NANOS + _SNAP), -2 * NANOS, 2 * NANOS)
    scaled[np.isnan(scaled)] = 0.0
    return np.ascontiguousarray(scaled, dtype=np.int64)


@kernel
def _clean(  # type: ignore[no-untyped-def]
    weights, lower, upper, class_lower, class_upper, least, most, risky_most, class_of, is_risky
):
    rows, symbols = weights.shape
    classes = class_lower.shape[1]
    result = np.empty((rows, symbols + 1), np.int64)
    sums = np.empty(classes + 2, np.int64)  # of classes, of risky symbols, of all
    below, above = np.empty(classes + 2, np.int64), np.empty(classes + 2, np.int64)
    for row in range(rows):
        for number in range(classes):
            below[number], above[number] = class_lower[row, number], class_upper[row, number]
        below[classes], above[classes] = -NANOS, risky_most[row]
        below[classes + 1], above[classes + 1] = least[row], most[row]
        nanos = result[row, :symbols]
        is_clean = _round(weights[row], lower[row], upper[row], nanos)
        if is_clean:
            _sum(nanos, class_of, is_risky, sums)
            for _ in range(2):  # what raises one sum may exceed another
                _lower_sums(nanos, lower[row], class_of, is_risky, sums, below, above)
                _raise_sums(nanos, upper[row], class_of, is_risky, sums, below, above)
            is_clean = _keeps_to(nanos, lower[row], upper[row], sums, below, above)
        if is_clean:
            result[row, symbols] = NANOS - sums[classes + 1]
        else:
            for column in range(symbols + 1):
                result[row, column] = NO_TARGET
    return result


@part
def _keeps_to(nanos, lower, upper, sums, below, above):  # type: ignore[no-untyped-def]
    for number in range(len(sums)):
        if not below[number] <= sums[number] <= above[number]:
            return False
    for symbol in range(len(nanos)):
        if not max(0, lower[symbol]) <= nanos[symbol] <= upper[symbol]:
            return False
    return True


@part
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


@part
def _sum(nanos, class_of, is_risky, sums):  # type: ignore[no-untyped-def]
    for number in range(len(sums)):
        sums[number] = 0
    for symbol in range(len(nanos)):
        _add(symbol, nanos[symbol], class_of, is_risky, sums)


@part
def _add(symbol, step, class_of, is_risky, sums):  # type: ignore[no-untyped-def]
    sums[class_of[symbol]] += step
    sums[-1] += step
    if is_risky[symbol]:
        sums[-2] += step


@part
def _is_part(symbol, number, class_of, is_risky, sums):  # type: ignore[no-untyped-def]
    """Say whether a symbol counts in a sum."""
    if number == len(sums) - 1:
        return True
    return is_risky[symbol] if number == len(sums) - 2 else class_of[symbol] == number


@part
def _lower_sums(nanos, lower, class_of, is_risky, sums, below, above):  # type: ignore[no-untyped-def]
    """Take what sums exceed their bounds by from their largest members, if it is not too much.

    A member is lowered until it, its class or the total would fall below a bound of its own.
    """
    for number in range(len(sums)):
        excess = sums[number] - above[number]
        while 0 < excess <= _REPAIRABLE_NANOS * len(nanos):
            largest, step = -1, 0
            for symbol in range(len(nanos)):
                if not _is_part(symbol, number, class_of, is_risky, sums):
                    continue
                mine = class_of[symbol]
                free = min(nanos[symbol] - lower[symbol], sums[mine] - below[mine], excess)
                if free > 0 and (largest < 0 or nanos[symbol] > nanos[largest]):
                    largest, step = symbol, free
            if largest < 0:
                break
            nanos[largest] -= step
            _add(largest, -step, class_of, is_risky, sums)
            excess -= step


@part
def _raise_sums(nanos, upper, class_of, is_risky, sums, below, above):  # type: ignore[no-untyped-def]
    """Raise symbols in order, within all bounds, until each class and the total have enough."""
    for number in range(len(sums)):
        missing = below[number] - sums[number]
        if missing > _REPAIRABLE_NANOS * len(nanos):
            return
        for symbol in range(len(nanos)):
            if missing <= 0:
                break
            if _is_part(symbol, number, class_of, is_risky, sums):
                mine = class_of[symbol]
                room = min(upper[symbol] - nanos[symbol], above[mine] - sums[mine])
                room = min(room, above[-1] - sums[-1])
                if is_risky[symbol]:
                    room = min(room, above[-2] - sums[-2])
                step = max(0, min(missing, room))
                nanos[symbol] += step
                _add(symbol, step, class_of, is_risky, sums)
                missing -= step
