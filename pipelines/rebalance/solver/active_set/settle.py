"""Moves that gain most, one after the other, until nothing is contradicted or nothing helps."""

from pipelines.rebalance.kernels import part
from pipelines.rebalance.solver.active_set.steps import (
    AT_CURRENT,
    AT_LOWER,
    AT_UPPER,
    FIRST,
    LAST,
    is_basic,
    move,
    next_step,
    put,
    slope,
    take_sign,
    turnover_price,
)
from pipelines.rebalance.solver.active_set.tableau import (
    CURRENT,
    DIAGONAL,
    FOUND,
    GAIN,
    GIVEN,
    HIGH,
    HIGH_TILT,
    LEAST_PIVOT,
    LOW,
    LOW_TILT,
    LOWER,
    SCORE,
    SIGN,
    UPPER,
    WAY,
)

TOLERANCE = 1e-11
_MOST_REFINEMENTS, _ENOUGH = 3, 1e-13


@part
def measure_excess(state, steps):  # type: ignore[no-untyped-def]
    """Note as ``WAY`` how far above (or, negative, below) its ends is what is found.

    And as ``SCORE`` what the move that it asks for gains, were there no other ends: utility, or its
    dual. It is 0 where nothing is asked for, or what depends on the basis.
    """
    price = max(turnover_price(state, steps), 0.0)
    found, way, score, diagonal = state[FOUND], state[WAY], state[SCORE], state[DIAGONAL]
    low, high, low_tilt, high_tilt = state[LOW], state[HIGH], state[LOW_TILT], state[HIGH_TILT]
    for k in range(state.shape[1]):
        over = found[k] - (high[k] + high_tilt[k] * price)
        under = found[k] - (low[k] + low_tilt[k] * price)
        excess = (over if over > 0.0 else 0.0) + (under if under < 0.0 else 0.0)
        pivot = abs(diagonal[k])
        gain = excess * excess / pivot
        way[k] = excess
        score[k] = gain if abs(excess) > TOLERANCE and pivot > LEAST_PIVOT else 0.0


@part
def settle(tableau, state, steps, symbols, most):  # type: ignore[no-untyped-def]
    """Return whether the optimum is reached, and after how many moves."""
    score, size = state[SCORE], steps.shape[1]
    for moves in range(most):
        measure_excess(state, steps)
        best, gain = size, 0.0
        for k in range(size):
            if score[k] > gain:
                best, gain = k, score[k]
        if best == size:
            return not _is_any_outside(state), moves
        up = state[WAY, best] > 0.0
        if best >= symbols or not _leap(tableau, state, steps, best, symbols, up):
            move(tableau, state, steps, best, symbols, up)
    return False, most


@part
def _is_any_outside(state):  # type: ignore[no-untyped-def]
    largest = 0.0
    for k in range(state.shape[1]):
        largest = max(largest, abs(state[WAY, k]))
    return largest > TOLERANCE


@part
def _leap(tableau, state, steps, i, symbols, up):  # type: ignore[no-untyped-def]
    """Put a fixed symbol across its cell, if freed it would end beyond: that takes no sweep."""
    if is_basic(steps, i):
        return False
    code = next_step(steps, i, symbols, up)
    take_sign(tableau, state, steps, i, code)
    step = (state[FOUND, i] - slope(state, code, i)) / tableau[i, i]
    if up:
        beyond = AT_UPPER if code == steps[LAST, i] else AT_CURRENT
        end = state[UPPER, i] if beyond == AT_UPPER else state[CURRENT, i]
    else:
        beyond = AT_LOWER if code == steps[FIRST, i] else AT_CURRENT
        end = state[LOWER, i] if beyond == AT_LOWER else state[CURRENT, i]
    room = end - state[GIVEN, i]
    if (step < room) == up:
        return False
    for j in range(tableau.shape[1]):
        state[FOUND, j] -= room * tableau[i, j]
    state[GIVEN, i] = end
    put(state, steps, i, beyond)
    return True


@part
def refine(base, tableau, state, steps, symbols):  # type: ignore[no-untyped-def]
    """Correct what is found in the basis by what its equations leave, computed from the problem."""
    size = tableau.shape[0]
    for _ in range(_MOST_REFINEMENTS):
        _write_left_over(base, state, steps, symbols)
        largest = 0.0
        for k in range(size):
            if is_basic(steps, k):
                change = 0.0
                for j in range(size):
                    change -= tableau[k, j] * state[WAY, j]
                state[FOUND, k] += change
                largest = max(largest, abs(change))
        if largest <= _ENOUGH:
            return


@part
def _write_left_over(base, state, steps, symbols):  # type: ignore[no-untyped-def]
    """Note as ``WAY`` by how much the equations of the basis are missed."""
    size, width = base.shape
    left, price, changed = state[WAY], turnover_price(state, steps), 0.0
    for j in range(width):
        left[j] = state[GAIN, j]
    for k in range(size - 1):
        value = state[FOUND, k] if is_basic(steps, k) else state[GIVEN, k]
        if value != 0.0:
            for j in range(width):
                left[j] -= value * base[k, j]
        if k < symbols:
            left[k] -= state[SIGN, k] * price
            changed += state[SIGN, k] * (value - state[CURRENT, k])
    left[size - 1] = -changed
    for k in range(size):
        left[k] = left[k] - state[GIVEN, k] if is_basic(steps, k) else 0.0
