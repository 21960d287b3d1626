"""Where symbols and rows stand, what that asks of what is found, and their moves."""

import numpy as np

from pipelines.rebalance.kernels import part
from pipelines.rebalance.solver.active_set.tableau import (
    BUY,
    CURRENT,
    DIAGONAL,
    FOUND,
    GAIN,
    GIVEN,
    HIGH,
    HIGH_TILT,
    LOW,
    LOW_TILT,
    LOWER,
    SELL,
    SIGN,
    UPPER,
    combine,
    exchange,
)

# Steps of a symbol; where it cannot move at all it is pinned. Odd steps are basic.
AT_LOWER, SELLING, AT_CURRENT, BUYING, AT_UPPER, PINNED = 0, 1, 2, 3, 4, 6
# Steps of a row.
AT_LEAST, IDLE, AT_MOST = 1, 2, 3
# Rows of ``steps``: where a symbol or row is, and a symbol's lowest and highest odd steps, which
# are the same where nothing distinguishes buying from selling.
NOW, FIRST, LAST = range(3)


@part
def is_basic(steps, k):  # type: ignore[no-untyped-def]
    """Say whether a weight or price is found, rather than a multiplier or sum."""
    return steps[NOW, k] & 1 == 1


@part
def turnover_price(state, steps):  # type: ignore[no-untyped-def]
    """Return the price that the working set's optimum has for turnover, whose row is the last."""
    turnover = steps.shape[1] - 1
    return state[FOUND, turnover] if is_basic(steps, turnover) else 0.0


@part
def begin(base, tableau, state, steps, symbols):  # type: ignore[no-untyped-def]
    """Begin at what is held, within bounds, and with all rows idle.

    ``base`` is the matrix M but for turnover's row, which is each problem's own.
    """
    size, width = tableau.shape
    for r in range(size):
        for j in range(width):
            tableau[r, j] = base[r, j]
    for j in range(width):
        state[FOUND, j] = state[GAIN, j]
        state[GIVEN, j], state[DIAGONAL, j] = 0.0, 0.0
    for i in range(symbols):
        weight = max(min(state[CURRENT, i], state[UPPER, i]), state[LOWER, i])
        state[GIVEN, i], state[DIAGONAL, i] = weight, base[i, i]
        if weight != 0.0:
            for j in range(width):
                state[FOUND, j] -= weight * base[i, j]
    turnover = size - 1
    is_limited = state[UPPER, turnover] < np.inf
    state[FOUND, turnover] = 0.0
    for i in range(symbols):
        sign = _first_step(state, steps, i, is_limited)
        tableau[turnover, i], tableau[i, turnover] = sign, sign
        state[FOUND, turnover] -= sign * (state[GIVEN, i] - state[CURRENT, i])
    for g in range(symbols, size):
        put_row(state, steps, g, IDLE)


@part
def _first_step(state, steps, i, is_limited):  # type: ignore[no-untyped-def]
    """Find a symbol's steps, and put it on that of its weight; return its sign in turnover."""
    low, now, high = state[LOWER, i], state[CURRENT, i], state[UPPER, i]
    has_kink = is_limited or state[BUY, i] > state[SELL, i]
    steps[FIRST, i] = SELLING if now > low and (has_kink or now >= high) else BUYING
    steps[LAST, i] = BUYING if now < high else SELLING
    is_bought = now < high
    if low >= high:
        code, is_bought = PINNED, now <= low
    elif now <= low:
        code = AT_LOWER
    elif now >= high:
        code = AT_UPPER
    else:
        code = AT_CURRENT
        is_bought = not has_kink or state[FOUND, i] > state[BUY, i]
    sign = 1.0 if is_bought else -1.0
    state[SIGN, i] = sign
    put(state, steps, i, code)
    return sign


@part
def slope(state, code, i):  # type: ignore[no-untyped-def]
    """Return the slope of a symbol's cost where it is sold or bought."""
    return state[BUY, i] if code == BUYING else state[SELL, i]


@part
def put(state, steps, i, code):  # type: ignore[no-untyped-def]
    """Note a symbol's step, and from where to where what is found may go there."""
    first, last = steps[FIRST, i], steps[LAST, i]
    low, high, low_tilt, high_tilt = -np.inf, np.inf, 0.0, 0.0
    if code & 1:
        low = state[CURRENT, i] if code != first else state[LOWER, i]
        high = state[CURRENT, i] if code != last else state[UPPER, i]
    elif code == AT_LOWER:
        high = slope(state, first, i)
    elif code == AT_UPPER:
        low = slope(state, last, i)
    elif code == AT_CURRENT:
        low, high = slope(state, first, i), slope(state, last, i)
        # The multiplier has turnover's price in it, with its sign: the other end moves by twice.
        if first != last:
            low_tilt = -2.0 if state[SIGN, i] > 0.0 else 0.0
            high_tilt = 2.0 + low_tilt
    steps[NOW, i] = code
    state[LOW, i], state[LOW_TILT, i] = low, low_tilt
    state[HIGH, i], state[HIGH_TILT, i] = high, high_tilt


@part
def put_row(state, steps, g, code):  # type: ignore[no-untyped-def]
    """Note a row's step: the sign of its price, or where its negative sum may go."""
    least, most = state[LOWER, g], state[UPPER, g]
    low, high = -most, -least
    if code != IDLE:
        low = 0.0 if code == AT_MOST and least < most else -np.inf
        high = 0.0 if code == AT_LEAST and least < most else np.inf
    steps[NOW, g] = code
    state[LOW, g], state[HIGH, g] = low, high


@part
def next_step(steps, k, symbols, up):  # type: ignore[no-untyped-def]
    """Return the step that follows where what is found is above (or below) what it may be."""
    now, first, last = steps[NOW, k], steps[FIRST, k], steps[LAST, k]
    if k >= symbols:
        if now != IDLE:
            return IDLE
        return AT_LEAST if up else AT_MOST
    if now == AT_LOWER:
        return first
    if now == AT_UPPER:
        return last
    if now == AT_CURRENT:
        return last if up else first
    if up:
        return AT_UPPER if now == last else AT_CURRENT
    return AT_LOWER if now == first else AT_CURRENT


@part
def move(tableau, state, steps, k, symbols, up):  # type: ignore[no-untyped-def]
    """Move a symbol or row to its next step."""
    code = next_step(steps, k, symbols, up)
    if k >= symbols:
        given = -state[LOWER, k] if code == AT_LEAST else -state[UPPER, k]
        if code == IDLE:
            given = 0.0
    elif code & 1:
        take_sign(tableau, state, steps, k, code)
        given = slope(state, code, k)
    else:
        given = state[UPPER, k] if code == AT_UPPER else state[LOWER, k]
        if code == AT_CURRENT:
            given = state[CURRENT, k]
    exchange(tableau, state, k, given, -1.0 if is_basic(steps, k) else 1.0)
    if k >= symbols:
        put_row(state, steps, k, code)
    else:
        put(state, steps, k, code)


@part
def take_sign(tableau, state, steps, i, code):  # type: ignore[no-untyped-def]
    """Let a fixed symbol that is to be bought or sold have that sign in turnover."""
    if (code == BUYING) != (state[SIGN, i] > 0.0):
        turn_sign(tableau, state, steps, i)


@part
def turn_sign(tableau, state, steps, i):  # type: ignore[no-untyped-def]
    """Turn a symbol's sign in turnover: one that is at its kink, or free while turnover is idle."""
    turnover = steps.shape[1] - 1
    change = -2.0 * state[SIGN, i]
    if is_basic(steps, i):
        combine(tableau, state, turnover, i, -change)
        state[FOUND, turnover] -= change * (state[FOUND, i] - state[CURRENT, i])
    elif is_basic(steps, turnover):
        combine(tableau, state, i, turnover, -change)
        state[FOUND, i] -= change * state[FOUND, turnover]
    else:
        tableau[turnover, i] += change
        tableau[i, turnover] += change
    state[SIGN, i] = -state[SIGN, i]
