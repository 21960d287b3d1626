"""A dual method for what does not settle: every step raises the dual objective.

It goes from multipliers within their intervals towards the working set's optimum, gives up what
blocks, and then adds what is violated [1]_ [2]_. What depends on the basis is exchanged for what it
pushes out; where it pushes nothing out, the problem is infeasible.

References
----------
.. [1] D. Goldfarb and A. Idnani, "A numerically stable dual method for solving strictly convex
   quadratic programs", Mathematical Programming 27 (1983).
.. [2] D. Arnstroem, A. Bemporad and D. Axehill, "A dual active-set solver for embedded quadratic
   programming using recursive LDL' updates", IEEE Transactions on Automatic Control 67 (2022).
"""

import numpy as np

from pipelines.rebalance.kernels import part
from pipelines.rebalance.solver.active_set.settle import TOLERANCE, measure_excess
from pipelines.rebalance.solver.active_set.steps import (
    AT_CURRENT,
    BUYING,
    SELLING,
    is_basic,
    move,
    next_step,
    put,
    slope,
    turn_sign,
)
from pipelines.rebalance.solver.active_set.tableau import (
    BUY,
    DUAL,
    FOUND,
    GIVEN,
    HIGH,
    HIGH_TILT,
    LEAST_PIVOT,
    LEAST_VARIANCE,
    LOW,
    LOW_TILT,
    SELL,
    WAY,
)

SOLVED, INFEASIBLE, UNSOLVED, BAD_INPUT = 0, 1, 2, 3

_DUAL_TOLERANCE = 1e-12
_RAY_TOLERANCE = 1e-9


@part
def ascend(tableau, state, steps, symbols, most):  # type: ignore[no-untyped-def]
    """Return how it ended, and after how many moves; the optimum is in place where it is solved."""
    none = steps.shape[1]  # not -1: numba would compile for that literal what it is handed to
    for k in range(steps.shape[1]):
        state[DUAL, k] = state[FOUND, k]
    _keep_to_intervals(state, steps, symbols)
    for moves in range(most):
        for k in range(steps.shape[1]):
            state[WAY, k] = state[FOUND, k] - state[DUAL, k]
        _, block, up = _go(state, steps, symbols, 1.0, none)
        if block != none:
            if tableau[block, block] < LEAST_VARIANCE:
                return UNSOLVED, moves
            move(tableau, state, steps, block, symbols, up)
            state[DUAL, block] = state[GIVEN, block]
            continue
        worst, over = _most_violated(tableau, state, steps, symbols)
        if worst == none:
            return SOLVED, moves
        if abs(tableau[worst, worst]) <= LEAST_PIVOT:
            outcome = _follow_ray(tableau, state, steps, worst, symbols, over)
            if outcome != SOLVED:
                return outcome, moves
        else:
            move(tableau, state, steps, worst, symbols, over)
    return UNSOLVED, most


@part
def _has_multiplier(steps, k, symbols):  # type: ignore[no-untyped-def]
    """Say whether what is found of k is a multiplier or price, rather than a weight or sum."""
    return (k < symbols) != is_basic(steps, k)


@part
def _keep_to_intervals(state, steps, symbols):  # type: ignore[no-untyped-def]
    """Bring multipliers into the intervals of their steps, and prices to their signs."""
    turnover, price = steps.shape[1] - 1, 0.0
    for k in range(turnover, -1, -1):
        if _has_multiplier(steps, k, symbols):
            low = state[LOW, k] + state[LOW_TILT, k] * price
            high = state[HIGH, k] + state[HIGH_TILT, k] * price
            state[DUAL, k] = min(max(state[DUAL, k], low), high)
        else:
            state[DUAL, k] = state[GIVEN, k]
        if k == turnover:
            price = state[DUAL, k]


@part
def _go(state, steps, symbols, length, dependent):  # type: ignore[no-untyped-def]
    """Go along ``WAY`` until something blocks; return how far, what blocks, and whether above.

    ``length`` is where the way ends; ``dependent`` is what goes along a ray. The number after the
    last row's stands for none.
    """
    none, turnover = steps.shape[1], steps.shape[1] - 1
    is_ray = dependent != none
    is_priced = is_basic(steps, turnover) or dependent == turnover
    price = state[DUAL, turnover]
    widening = state[WAY, turnover] if is_priced else 0.0
    block, above = none, False
    for k in range(steps.shape[1]):
        if not _has_multiplier(steps, k, symbols):
            continue
        for up in range(2):
            side = 2.0 * up - 1.0
            tilt = state[LOW_TILT + up, k]
            gap = side * (state[LOW + up, k] + tilt * price - state[DUAL, k])
            closing = side * (state[WAY, k] - tilt * widening)
            is_closing = closing > _RAY_TOLERANCE if is_ray else closing - gap > _DUAL_TOLERANCE
            if is_closing and max(gap, 0.0) < length * closing:
                length, block, above = max(gap, 0.0) / closing, k, up == 1
    if length < np.inf:
        for k in range(steps.shape[1]):
            if _has_multiplier(steps, k, symbols) or k == dependent:
                state[DUAL, k] += length * state[WAY, k]
    return length, block, above


@part
def _most_violated(tableau, state, steps, symbols):  # type: ignore[no-untyped-def]
    """Return the weight or sum whose limit gains most, or none, and whether it is above."""
    measure_excess(state, steps)
    worst, gain = steps.shape[1], 0.0
    for k in range(steps.shape[1]):
        excess = state[WAY, k]
        if abs(excess) > TOLERANCE and not _has_multiplier(steps, k, symbols):
            pivot = max(abs(tableau[k, k]), LEAST_PIVOT)
            if excess * excess > gain * pivot:
                worst, gain = k, excess * excess / pivot
    return worst, worst < steps.shape[1] and state[WAY, worst] > 0.0


@part
def _follow_ray(tableau, state, steps, k, symbols, over):  # type: ignore[no-untyped-def]
    """Move what depends on the basis, in exchange for what its multiplier pushes out first."""
    turnover, side, length = steps.shape[1] - 1, 1.0 if over else -1.0, np.inf
    for j in range(steps.shape[1]):
        state[WAY, j] = side * tableau[k, j]
    state[WAY, k] = side if k < symbols else -side
    if k < symbols and next_step(steps, k, symbols, over) == AT_CURRENT:
        kink = state[BUY, k] - state[SELL, k] + 2.0 * state[DUAL, turnover]
        closing = 1.0 - (2.0 * state[WAY, turnover] if is_basic(steps, turnover) else 0.0)
        length = kink / closing if closing > _RAY_TOLERANCE else np.inf
    length, block, up = _go(state, steps, symbols, length, k)
    if length == np.inf:
        return INFEASIBLE
    if block == steps.shape[1]:
        _cross_kink(tableau, state, steps, k, symbols, BUYING if over else SELLING)
        return SOLVED
    multiplier = state[DUAL, k]
    move(tableau, state, steps, block, symbols, up)
    state[DUAL, block] = state[GIVEN, block]
    if abs(tableau[k, k]) < LEAST_VARIANCE:
        return UNSOLVED
    move(tableau, state, steps, k, symbols, over)
    state[DUAL, k] = multiplier
    return SOLVED


@part
def _cross_kink(tableau, state, steps, i, symbols, code):  # type: ignore[no-untyped-def]
    """Let a symbol that cannot be fixed at its kink go on beyond it."""
    turnover = steps.shape[1] - 1
    was_active = is_basic(steps, turnover)
    up = np.bool_(False)  # a plain False would be a literal
    if was_active:
        move(tableau, state, steps, turnover, symbols, up)
    turn_sign(tableau, state, steps, i)
    change = slope(state, code, i) - state[GIVEN, i]
    for j in range(steps.shape[1]):
        state[FOUND, j] += change * tableau[i, j]
    state[GIVEN, i] += change
    put(state, steps, i, code)
    if was_active and abs(tableau[turnover, turnover]) > LEAST_PIVOT:
        move(tableau, state, steps, turnover, symbols, up)
    _keep_to_intervals(state, steps, symbols)
