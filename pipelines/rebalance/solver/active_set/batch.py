"""The compiled loop over a batch's problems."""

import numpy as np

from pipelines.rebalance.kernels import kernel, part
from pipelines.rebalance.solver.active_set.ascend import INFEASIBLE, SOLVED, ascend
from pipelines.rebalance.solver.active_set.settle import TOLERANCE, refine, settle
from pipelines.rebalance.solver.active_set.steps import begin, is_basic
from pipelines.rebalance.solver.active_set.tableau import (
    BUY,
    CURRENT,
    FOUND,
    GAIN,
    GIVEN,
    HIGH,
    LOW,
    LOWER,
    SELL,
    STATES,
    UPPER,
)

BAD_INPUT = 3

_LANES = 8
_MOVES, _MOST_MOVES = 3, 40
"""How many moves to settle and to ascend are tried, for each symbol and row."""


@kernel
def solve_range(given, weights, prices, status, moves, first, last):  # type: ignore[no-untyped-def]
    """Solve the problems from ``first`` to ``last`` of some ``Given``.

    Fills ``weights``, ``prices`` (multipliers of classes, invested, risky, turnover), ``status``
    and ``moves`` (of symbols and rows between steps).
    """
    symbols = weights.shape[1]
    size = symbols + prices.shape[1]
    width = (size + _LANES - 1) // _LANES * _LANES
    base, tableau = np.zeros((size, width)), np.zeros((size, width))
    state, steps = np.zeros((STATES, width)), np.zeros((3, size), np.int64)
    for k in range(width):  # what only fills up the rows is never off its ends
        state[LOW, k], state[HIGH, k] = -np.inf, np.inf
    _write_matrix(given, base, symbols)
    for row in range(first, last):
        _write_problem(given, row, state, symbols, size)
        outcome = _check(state, symbols, size, given.tolerance[row])
        moves[row] = 0
        if outcome == SOLVED:
            begin(base, tableau, state, steps, symbols)
            is_settled, moves[row] = settle(tableau, state, steps, symbols, _MOVES * size)
            if not is_settled:
                outcome, more = ascend(tableau, state, steps, symbols, _MOST_MOVES * size)
                moves[row] += more
        status[row] = outcome
        if outcome == SOLVED:
            refine(base, tableau, state, steps, symbols)
        for k in range(size):
            value = state[GIVEN, k]
            if is_basic(steps, k):  # on its bounds again where rounding passed them
                value = min(max(state[FOUND, k], state[LOW, k]), state[HIGH, k])
            if k >= symbols:
                prices[row, k - symbols] = value if outcome == SOLVED else np.nan
            else:
                weights[row, k] = value if outcome == SOLVED else np.nan


@part
def _write_matrix(given, base, symbols):  # type: ignore[no-untyped-def]
    """Write down what all problems share of M: covariance, and who counts in which row."""
    size = base.shape[0]
    for i in range(symbols):
        for j in range(symbols):
            base[i, j] = given.covariance[i, j]
        for g in (symbols + given.class_of[i], size - 3):
            base[i, g], base[g, i] = 1.0, 1.0
        if given.is_risky[i]:
            base[i, size - 2], base[size - 2, i] = 1.0, 1.0


@part
def _write_problem(given, row, state, symbols, size):  # type: ignore[no-untyped-def]
    scale = given.tolerance[row]
    for i in range(symbols):
        state[GAIN, i] = scale * given.expected[row, i]
        state[SELL, i] = -scale * given.sell_cost[row, i]
        state[BUY, i] = scale * given.buy_cost[row, i]
        state[LOWER, i] = given.lower[row, i]
        state[CURRENT, i] = given.current[row, i]
        state[UPPER, i] = given.upper[row, i]
    for g in range(symbols, size - 3):
        state[LOWER, g] = given.class_lower[row, g - symbols]
        state[UPPER, g] = given.class_upper[row, g - symbols]
    state[LOWER, size - 3] = given.invested_lower[row]
    state[UPPER, size - 3] = given.invested_upper[row]
    state[LOWER, size - 2], state[UPPER, size - 2] = -np.inf, given.risky_upper[row]
    state[LOWER, size - 1], state[UPPER, size - 1] = -np.inf, given.turnover[row]


@part
def _check(state, symbols, size, scale):  # type: ignore[no-untyped-def]
    """Refuse what is not finite (NaN and infinity times zero are NaN) and contradictory limits."""
    total, is_contradictory = 0.0, False
    for i in range(symbols):
        total += 0.0 * (state[GAIN, i] + state[SELL, i] + state[BUY, i])
        total += 0.0 * (state[LOWER, i] + state[CURRENT, i] + state[UPPER, i])
    for g in range(symbols, size - 1):
        total += 0.0 * state[UPPER, g]
    for g in range(symbols, size - 2):
        total += 0.0 * state[LOWER, g]
    if total != 0.0 or not scale > 0.0 or not state[UPPER, size - 1] >= 0.0:
        return BAD_INPUT
    for k in range(size):
        is_contradictory |= state[LOWER, k] > state[UPPER, k] + TOLERANCE
    return INFEASIBLE if is_contradictory else SOLVED
