"""A dual active-set method for the allocation problem, compiled, one problem after the other.

In its multiplier y a symbol climbs a staircase: at its lower bound, selling, at its current weight
(the kink of the cost), buying, at its upper bound. On even steps the weight is fixed and y is free
within an interval; on odd ones y is the slope of the cost and the weight is free within a cell. So
cost needs no variables of its own [1]_. The turnover limit adds its multiplier to both slopes: it
widens every kink, and as a row it has the sign of each free trade.

A working set (the symbols' steps and the active rows) has one optimum, a small linear system. First
all steps that it contradicts change at once, as in a primal-dual active-set method [2]_: that ends
nearly always, within a few rounds, at the optimum. Where it does not, multipliers are brought into
their intervals, and from there each round raises the dual objective [3]_ [4]_: it goes towards the
optimum of the working set, giving up whatever blocks; then adds what is violated. What depends on
the working set is exchanged for what it pushes out; if there is nothing, the problem is infeasible.

All compiled functions stand in this file, because numba's cache does not notice that a function of
another file changed. Units: variances are divided by their mean, so multipliers are of the order of
weights. Nothing is reassociated or contracted, and nothing is shared between problems.

References
----------
.. [1] M. Best and J. Hlouskova, "Quadratic programming with transaction costs", Computers &
   Operations Research 35 (2008).
.. [2] M. Hintermueller, K. Ito and K. Kunisch, "The primal-dual active set strategy as a semismooth
   Newton method", SIAM Journal on Optimization 13 (2002).
.. [3] D. Goldfarb and A. Idnani, "A numerically stable dual method for solving strictly convex
   quadratic programs", Mathematical Programming 27 (1983).
.. [4] D. Arnstroem, A. Bemporad and D. Axehill, "A dual active-set solver for embedded quadratic
   programming using recursive LDL' updates", IEEE Transactions on Automatic Control 67 (2022).
"""

import numpy as np
from numba import njit

SOLVED, INFEASIBLE, UNSOLVED, BAD_INPUT = 0, 1, 2, 3

# Steps of a symbol; where it cannot move at all it is pinned.
_AT_LOWER, _SELLING, _AT_CURRENT, _BUYING, _AT_UPPER, _PINNED = 0, 1, 2, 3, 4, 5
# Rows of ``asset``, one column per symbol. ``_REST`` is the gain less the risk of fixed weights;
# a weight stays within its cell, a dual within its interval, whose ends tilt with turnover's price.
_GAIN, _SELL, _BUY, _LOWER, _CURRENT, _UPPER, _WEIGHT, _DUAL, _CHANGE, _REST = range(10)
_LEAST_WEIGHT, _MOST_WEIGHT, _LEAST_DUAL, _MOST_DUAL, _LEAST_TILT, _MOST_TILT = range(10, 16)
_IS_RISKY = 16
# Rows of ``step``: where a symbol is, its lowest and highest cells, where it was or is to go, its
# class; then the free symbols and the active rows of the last system.
_NOW, _FIRST, _LAST, _BEFORE, _CLASS, _FREE, _ROWS = range(7)
# Rows of ``group``, one column per class, then invested, risky and turnover. A row's side is 1 at
# its upper limit, -1 at its lower, else 0; ``_FIXED`` is what fixed weights add to its sum.
_LEAST, _MOST, _PRICE, _MOVE, _SUM, _FIXED, _SIDE, _SIDE_BEFORE = range(8)
# ``member[row, symbol]`` is 1 where a row counts a symbol; turnover's row has the sign of free
# trades. ``system`` holds the linear system, its right-hand side and the rows' first pivots.

_PRIMAL_TOLERANCE = 1e-11
_DUAL_TOLERANCE = 1e-12
_RAY_TOLERANCE = 1e-9
_PIVOT_TOLERANCE = 1e-10
_LEAST_VARIANCE = 1e-13
_QUICK_ROUNDS = 12
_INDEPENDENT, _SINGULAR = -1, -2


@njit(cache=True, nogil=True, error_model="numpy")
def solve_range(  # type: ignore[no-untyped-def]
    covariance, class_of, is_risky, expected, tolerance, current, buy_cost, sell_cost, lower, upper,
    class_lower, class_upper, invested_lower, invested_upper, risky_upper, turnover,
    weights, prices, status, rounds, begin, end,
):  # fmt: skip
    """Solve the problems from ``begin`` to ``end``.

    ``covariance`` and ``tolerance`` are in units of the mean variance; ``is_risky`` is of symbols;
    the rest is as in ``Problems``. Fills ``weights``, ``prices`` (multipliers of classes, invested,
    risky, turnover), ``status`` and ``rounds`` (linear systems solved).
    """
    symbols, classes = len(class_of), class_lower.shape[1]
    groups = classes + 3
    asset, group = np.zeros((17, symbols)), np.zeros((8, groups))
    step = np.zeros((7, max(symbols, groups)), np.int64)
    member = np.zeros((groups, symbols))
    system = np.zeros((symbols + groups, symbols + groups + 2))
    for i in range(symbols):
        step[_CLASS, i] = class_of[i]
        member[class_of[i], i] = 1.0
        member[classes, i] = 1.0
        asset[_IS_RISKY, i] = 1.0 if is_risky[i] else 0.0
        member[classes + 1, i] = asset[_IS_RISKY, i]
    for row in range(begin, end):
        scale = tolerance[row]
        for i in range(symbols):
            asset[_GAIN, i] = scale * expected[row, i]
            asset[_SELL, i] = -scale * sell_cost[row, i]
            asset[_BUY, i] = scale * buy_cost[row, i]
            asset[_LOWER, i] = lower[row, i]
            asset[_CURRENT, i] = current[row, i]
            asset[_UPPER, i] = upper[row, i]
        for k in range(classes):
            group[_LEAST, k] = class_lower[row, k]
            group[_MOST, k] = class_upper[row, k]
        group[_LEAST, classes], group[_MOST, classes] = invested_lower[row], invested_upper[row]
        group[_LEAST, classes + 1], group[_MOST, classes + 1] = -np.inf, risky_upper[row]
        group[_LEAST, classes + 2], group[_MOST, classes + 2] = -np.inf, turnover[row]
        status[row] = _check(scale, asset, group)
        if status[row] == SOLVED:
            _start(covariance, asset, step, group, member)
            status[row], rounds[row] = _solve(covariance, asset, step, group, member, system)
        is_solved = status[row] == SOLVED
        for i in range(symbols):
            weights[row, i] = asset[_WEIGHT, i] if is_solved else np.nan
        for g in range(groups):
            prices[row, g] = group[_PRICE, g] if is_solved else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _check(scale, asset, group):  # type: ignore[no-untyped-def]
    """Refuse what is not finite (NaN and infinity times zero are NaN) and contradictory limits."""
    total = 0.0
    for number in range(_UPPER + 1):
        for i in range(asset.shape[1]):
            total += 0.0 * asset[number, i]
    for g in range(group.shape[1] - 1):
        total += 0.0 * group[_MOST, g]
    for g in range(group.shape[1] - 2):
        total += 0.0 * group[_LEAST, g]
    if total != 0.0 or not scale > 0.0 or not group[_MOST, -1] >= 0.0:
        return BAD_INPUT
    is_contradictory = False
    for i in range(asset.shape[1]):
        is_contradictory |= asset[_LOWER, i] > asset[_UPPER, i] + _PRIMAL_TOLERANCE
    for g in range(group.shape[1]):
        is_contradictory |= group[_LEAST, g] > group[_MOST, g] + _PRIMAL_TOLERANCE
    return INFEASIBLE if is_contradictory else SOLVED


@njit(cache=True, nogil=True, error_model="numpy")
def _start(covariance, asset, step, group, member):  # type: ignore[no-untyped-def]
    """Begin at what is held, within bounds, and free what has a reason to be traded."""
    symbols = asset.shape[1]
    group[_PRICE : _SIDE_BEFORE + 1] = 0.0
    member[-1] = 0.0
    asset[_REST] = asset[_GAIN]
    is_limited = group[_MOST, -1] < np.inf
    for i in range(symbols):
        low, now, high = asset[_LOWER, i], asset[_CURRENT, i], asset[_UPPER, i]
        has_kink = is_limited or asset[_BUY, i] > asset[_SELL, i]
        step[_NOW, i] = _PINNED
        step[_FIRST, i] = _SELLING if now > low and (has_kink or now >= high) else _BUYING
        step[_LAST, i] = _BUYING if now < high else _SELLING
        if low >= high:
            code = _PINNED
        elif now <= low:
            code = _AT_LOWER
        else:
            code = _AT_UPPER if now >= high else _AT_CURRENT
        asset[_WEIGHT, i] = now
        _fix(covariance, asset, step, group, i, code)
    asset[_DUAL] = asset[_REST]
    asset[_CHANGE] = asset[_REST]
    for i in range(symbols):
        _release_if_outside(covariance, asset, step, group, member, i, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(covariance, asset, step, group, member, system):  # type: ignore[no-untyped-def]
    """Return how it ended and how many systems were solved; weights and prices are in place."""
    is_optimal, rounds = _switch_until_settled(covariance, asset, step, group, member, system)
    if is_optimal:
        return _finish(covariance, asset, step, group, member, system), rounds + 1
    _make_dual_feasible(asset, group)
    most_rounds = rounds + 40 * (asset.shape[1] + group.shape[1])
    is_fitted = False
    while rounds < most_rounds:
        if not is_fitted:
            rounds += 1
            bad = _fit(covariance, asset, step, group, member, system)
            if bad == _SINGULAR:
                return UNSOLVED, rounds
            if bad != _INDEPENDENT:  # a row that depends on others; without price it may go
                group[_SIDE, bad] = 0.0
                group[_PRICE, bad] = 0.0
                _keep_to_intervals(asset, group, _DUAL)
                continue
        is_fitted = False
        if _advance(covariance, asset, step, group, member, False) < 1.0:
            continue
        outcome, more, is_fitted = _add(covariance, asset, step, group, member, system)
        rounds += more
        if outcome == SOLVED:
            outcome = _finish(covariance, asset, step, group, member, system)
        if outcome != UNSOLVED:
            return outcome, rounds
    return UNSOLVED, rounds


@njit(cache=True, nogil=True, error_model="numpy")
def _switch_until_settled(covariance, asset, step, group, member, system):  # type: ignore[no-untyped-def]
    """Change all that contradicts the optimum at once; return whether that ended there."""
    for rounds in range(1, _QUICK_ROUNDS + 1):
        if _fit(covariance, asset, step, group, member, system) != _INDEPENDENT:
            return False, rounds
        if not _switch(covariance, asset, step, group, member):
            return True, rounds
    return False, _QUICK_ROUNDS


@njit(cache=True, nogil=True, error_model="numpy")
def _finish(covariance, asset, step, group, member, system):  # type: ignore[no-untyped-def]
    """Solve the last system afresh, and put weights on bounds that they pass by rounding."""
    asset[_REST] = asset[_GAIN]
    group[_FIXED] = 0.0
    for i in range(asset.shape[1]):
        if _is_free(step, i):
            group[_FIXED, -1] -= member[-1, i] * asset[_CURRENT, i]
        else:
            _weigh(covariance, asset, step, group, i, asset[_WEIGHT, i])
            group[_FIXED, -1] += abs(asset[_WEIGHT, i] - asset[_CURRENT, i])
    outcome = _fit(covariance, asset, step, group, member, system)
    group[_PRICE] = group[_MOVE]
    for i in range(asset.shape[1]):
        low, high = asset[_LEAST_WEIGHT, i], asset[_MOST_WEIGHT, i]
        asset[_WEIGHT, i] = min(max(asset[_WEIGHT, i], low), high)
    return SOLVED if outcome == _INDEPENDENT else UNSOLVED


@njit(cache=True, nogil=True, error_model="numpy")
def _is_free(step, i):  # type: ignore[no-untyped-def]
    return step[_NOW, i] == _SELLING or step[_NOW, i] == _BUYING


@njit(cache=True, nogil=True, error_model="numpy")
def _next_step(step, i, up):  # type: ignore[no-untyped-def]
    """Return the step above or below."""
    now, first, last = step[_NOW, i], step[_FIRST, i], step[_LAST, i]
    if now == _AT_CURRENT:
        return last if up else first
    if now == _AT_LOWER:
        return first
    if now == _AT_UPPER:
        return last
    if up:
        return _AT_UPPER if now == last else _AT_CURRENT
    return _AT_LOWER if now == first else _AT_CURRENT


@njit(cache=True, nogil=True, error_model="numpy")
def _slope(asset, code, i):  # type: ignore[no-untyped-def]
    """Return the slope of a symbol's cost where it is sold or bought, and turnover's part in it."""
    if code == _BUYING:
        return asset[_BUY, i], 1.0
    return asset[_SELL, i], -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh(covariance, asset, step, group, i, weight):  # type: ignore[no-untyped-def]
    """Add a fixed weight's risk to all symbols', and the weight to the sums of its rows."""
    if weight != 0.0:
        for j in range(asset.shape[1]):
            asset[_REST, j] -= weight * covariance[i, j]
        group[_FIXED, step[_CLASS, i]] += weight
        group[_FIXED, -3] += weight
        group[_FIXED, -2] += weight * asset[_IS_RISKY, i]


@njit(cache=True, nogil=True, error_model="numpy")
def _leave(covariance, asset, step, group, member, i):  # type: ignore[no-untyped-def]
    """Take away what a symbol's step adds to sums and risk."""
    if _is_free(step, i):
        group[_FIXED, -1] += member[-1, i] * asset[_CURRENT, i]
        member[-1, i] = 0.0
    else:
        _weigh(covariance, asset, step, group, i, -asset[_WEIGHT, i])
        group[_FIXED, -1] -= abs(asset[_WEIGHT, i] - asset[_CURRENT, i])


@njit(cache=True, nogil=True, error_model="numpy")
def _fix(covariance, asset, step, group, i, code):  # type: ignore[no-untyped-def]
    """Put a symbol that has left its step on one where its weight is fixed."""
    step[_NOW, i] = code
    weight = asset[_UPPER, i] if code == _AT_UPPER else asset[_LOWER, i]
    if code == _AT_CURRENT:
        weight = asset[_CURRENT, i]
    asset[_WEIGHT, i] = weight
    _weigh(covariance, asset, step, group, i, weight)
    group[_FIXED, -1] += abs(weight - asset[_CURRENT, i])
    asset[_LEAST_WEIGHT, i], asset[_MOST_WEIGHT, i] = weight, weight
    asset[_LEAST_DUAL, i], asset[_LEAST_TILT, i] = -np.inf, 0.0
    asset[_MOST_DUAL, i], asset[_MOST_TILT, i] = np.inf, 0.0
    if code != _PINNED and code != _AT_LOWER:
        slope, tilt = _slope(asset, _next_step(step, i, False), i)
        asset[_LEAST_DUAL, i], asset[_LEAST_TILT, i] = slope, tilt
    if code != _PINNED and code != _AT_UPPER:
        slope, tilt = _slope(asset, _next_step(step, i, True), i)
        asset[_MOST_DUAL, i], asset[_MOST_TILT, i] = slope, tilt


@njit(cache=True, nogil=True, error_model="numpy")
def _put(covariance, asset, step, group, member, i, code):  # type: ignore[no-untyped-def]
    """Move a symbol to another step."""
    _leave(covariance, asset, step, group, member, i)
    if code != _SELLING and code != _BUYING:
        _fix(covariance, asset, step, group, i, code)
        return
    step[_NOW, i] = code
    low, high = asset[_LOWER, i], asset[_UPPER, i]
    if step[_FIRST, i] != step[_LAST, i]:
        if code == _BUYING:
            low = asset[_CURRENT, i]
        else:
            high = asset[_CURRENT, i]
    asset[_LEAST_WEIGHT, i], asset[_MOST_WEIGHT, i] = low, high
    asset[_LEAST_DUAL, i], asset[_LEAST_TILT, i] = -np.inf, 0.0
    asset[_MOST_DUAL, i], asset[_MOST_TILT, i] = np.inf, 0.0
    member[-1, i] = 1.0 if code == _BUYING else -1.0
    group[_FIXED, -1] -= member[-1, i] * asset[_CURRENT, i]


@njit(cache=True, nogil=True, error_model="numpy")
def _fit(covariance, asset, step, group, member, system):  # type: ignore[no-untyped-def]
    """Find the working set's optimum: weights, and multipliers as ``_CHANGE`` and ``_MOVE``.

    Solves [S A'; A 0] [w; price] = [gain - slope; limit] over free symbols and active rows by LDL'
    without pivoting, which is stable enough as S is positive definite: its pivots are positive, and
    those of independent rows negative. Returns a row that depends on others, or how it went.
    """
    symbols, groups = asset.shape[1], group.shape[1]
    count, size = _assemble(covariance, asset, step, group, member, system)
    bad = _eliminate(system, count, size)
    if bad >= 0:
        return _SINGULAR if bad < count else step[_ROWS, bad - count]
    _substitute(system, size)
    asset[_CHANGE] = asset[_REST]
    group[_SUM] = group[_FIXED]
    group[_MOVE] = 0.0
    for a in range(count):
        i, weight = step[_FREE, a], system[a, size]
        asset[_WEIGHT, i] = weight
        group[_SUM, step[_CLASS, i]] += weight
        for g in range(groups - 3, groups):
            group[_SUM, g] += weight * member[g, i]
        for j in range(symbols):
            asset[_CHANGE, j] -= weight * covariance[i, j]
    for number in range(count, size):
        g, price = step[_ROWS, number - count], system[number, size]
        group[_MOVE, g] = price
        for j in range(symbols):
            asset[_CHANGE, j] -= price * member[g, j]
    return _INDEPENDENT


@njit(cache=True, nogil=True, error_model="numpy")
def _assemble(covariance, asset, step, group, member, system):  # type: ignore[no-untyped-def]
    """Write down the working set's system, its right-hand side last; return its parts' sizes."""
    count = 0
    for i in range(asset.shape[1]):
        step[_FREE, count] = i
        count += _is_free(step, i)
    size = count
    for g in range(group.shape[1]):
        step[_ROWS, size - count] = g
        size += group[_SIDE, g] != 0.0
    for a in range(count):
        i = step[_FREE, a]
        for b in range(a, count):
            system[a, b] = covariance[i, step[_FREE, b]]
        for number in range(count, size):
            system[a, number] = member[step[_ROWS, number - count], i]
        slope = asset[_BUY, i] if step[_NOW, i] == _BUYING else asset[_SELL, i]
        system[a, size] = asset[_REST, i] - slope
    for number in range(count, size):
        g = step[_ROWS, number - count]
        for b in range(number, size):
            system[number, b] = 0.0
        limit = group[_MOST, g] if group[_SIDE, g] > 0.0 else group[_LEAST, g]
        system[number, size] = limit - group[_FIXED, g]
        system[number, size + 1] = 0.0
    return count, size


@njit(cache=True, nogil=True, error_model="numpy")
def _eliminate(system, count, size):  # type: ignore[no-untyped-def]
    """Turn the upper triangle into D L' and the last column into D times what is to substitute.

    Returns the first pivot that has the wrong sign or is nearly zero, or -1. A row's pivot is
    compared with what it was before other rows were taken out of it.
    """
    for k in range(size):
        if k == count:
            for i in range(count, size):
                system[i, size + 1] = -system[i, i]
        pivot = system[k, k]
        least = _LEAST_VARIANCE if k < count else _PIVOT_TOLERANCE * system[k, size + 1]
        if not (pivot if k < count else -pivot) > least:
            return k
        inverse = 1.0 / pivot
        for i in range(k + 1, size):
            factor = system[k, i] * inverse
            if factor != 0.0:
                for j in range(i, size + 1):
                    system[i, j] -= factor * system[k, j]
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def _substitute(system, size):  # type: ignore[no-untyped-def]
    """Solve with what ``_eliminate`` left, into the last column."""
    for k in range(size - 1, -1, -1):
        value = system[k, size] / system[k, k]
        system[k, size] = value
        for i in range(k):
            system[i, size] -= system[i, k] * value


@njit(cache=True, nogil=True, error_model="numpy")
def _excess(asset, i):  # type: ignore[no-untyped-def]
    """Return how far a weight is above (or, negative, below) its cell."""
    over = asset[_WEIGHT, i] - asset[_MOST_WEIGHT, i]
    under = asset[_WEIGHT, i] - asset[_LEAST_WEIGHT, i]
    if over > _PRIMAL_TOLERANCE:
        return over
    return under if under < -_PRIMAL_TOLERANCE else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _row_excess(group, g):  # type: ignore[no-untyped-def]
    """Return how far an inactive row's sum is above (or, negative, below) its limits."""
    over, under = group[_SUM, g] - group[_MOST, g], group[_SUM, g] - group[_LEAST, g]
    if group[_SIDE, g] != 0.0:
        return 0.0
    if over > _PRIMAL_TOLERANCE:
        return over
    return under if under < -_PRIMAL_TOLERANCE else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _cross_free_kinks(covariance, asset, step, group, member):  # type: ignore[no-untyped-def]
    """Let weights cross kinks where trading costs nothing: only their sign in turnover changes."""
    if group[_SIDE, -1] != 0.0:
        return
    for i in range(asset.shape[1]):
        excess = _excess(asset, i)
        if excess != 0.0 and asset[_BUY, i] - asset[_SELL, i] <= _DUAL_TOLERANCE:
            code, weight = _next_step(step, i, excess > 0.0), asset[_WEIGHT, i]
            if code == _AT_CURRENT:
                other = _BUYING if excess > 0.0 else _SELLING
                change = 2.0 * abs(weight - asset[_CURRENT, i])
                _put(covariance, asset, step, group, member, i, other)
                group[_SUM, -1] += change


@njit(cache=True, nogil=True, error_model="numpy")
def _release_if_outside(covariance, asset, step, group, member, i, theta):  # type: ignore[no-untyped-def]
    """Free a fixed symbol if the multiplier that it would need is outside its interval."""
    dual = asset[_CHANGE, i]
    if dual > asset[_MOST_DUAL, i] + asset[_MOST_TILT, i] * theta + _DUAL_TOLERANCE:
        _put(covariance, asset, step, group, member, i, _next_step(step, i, True))
        return True
    if dual < asset[_LEAST_DUAL, i] + asset[_LEAST_TILT, i] * theta - _DUAL_TOLERANCE:
        _put(covariance, asset, step, group, member, i, _next_step(step, i, False))
        return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _switch(covariance, asset, step, group, member):  # type: ignore[no-untyped-def]
    """Change every step and row that the working set's optimum contradicts; say whether any."""
    _cross_free_kinks(covariance, asset, step, group, member)
    theta = max(group[_MOVE, -1], 0.0)
    is_changed = False
    for i in range(asset.shape[1]):
        excess = _excess(asset, i)
        if excess != 0.0:
            code = _next_step(step, i, excess > 0.0)
            _put(covariance, asset, step, group, member, i, code)
            is_changed = True
        else:
            is_changed |= _release_if_outside(covariance, asset, step, group, member, i, theta)
    for g in range(group.shape[1]):
        excess = _row_excess(group, g)
        if excess != 0.0:
            group[_SIDE, g] = 1.0 if excess > 0.0 else -1.0
            is_changed = True
        elif group[_SIDE, g] * group[_MOVE, g] < -_DUAL_TOLERANCE and not _is_equality(group, g):
            group[_SIDE, g] = 0.0
            is_changed = True
    return is_changed


@njit(cache=True, nogil=True, error_model="numpy")
def _is_equality(group, g):  # type: ignore[no-untyped-def]
    return group[_LEAST, g] == group[_MOST, g]


@njit(cache=True, nogil=True, error_model="numpy")
def _make_dual_feasible(asset, group):  # type: ignore[no-untyped-def]
    """Bring the last multipliers into the intervals of their steps, and prices to their signs."""
    for g in range(group.shape[1]):
        side, price = group[_SIDE, g], group[_MOVE, g]
        is_right = side * price > 0.0 or (side != 0.0 and _is_equality(group, g))
        group[_PRICE, g] = price if is_right else 0.0
    _keep_to_intervals(asset, group, _CHANGE)


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_to_intervals(asset, group, source):  # type: ignore[no-untyped-def]
    """Take multipliers of fixed symbols from a row of ``asset``, as near as their steps allow."""
    theta = group[_PRICE, -1]
    for i in range(asset.shape[1]):
        least = asset[_LEAST_DUAL, i] + asset[_LEAST_TILT, i] * theta
        most = asset[_MOST_DUAL, i] + asset[_MOST_TILT, i] * theta
        asset[_DUAL, i] = min(max(asset[source, i], least), most)


@njit(cache=True, nogil=True, error_model="numpy")
def _reach(gap, closing, is_ray):  # type: ignore[no-untyped-def]
    """Return how far one can go until a gap closes; a ray has no end, other ways end at 1."""
    if closing > _RAY_TOLERANCE if is_ray else closing - gap > _DUAL_TOLERANCE:
        return max(gap, 0.0) / closing
    return np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _room(asset, group, i, is_ray):  # type: ignore[no-untyped-def]
    """Return how far one can go until a symbol leaves its step upwards, and downwards."""
    theta, widening = group[_PRICE, -1], group[_MOVE, -1]
    dual, change = asset[_DUAL, i], asset[_CHANGE, i]
    tilt = asset[_MOST_TILT, i]
    up = _reach(asset[_MOST_DUAL, i] + tilt * theta - dual, change - tilt * widening, is_ray)
    tilt = asset[_LEAST_TILT, i]
    down = _reach(dual - asset[_LEAST_DUAL, i] - tilt * theta, tilt * widening - change, is_ray)
    return up, down


@njit(cache=True, nogil=True, error_model="numpy")
def _row_room(group, g, is_ray):  # type: ignore[no-untyped-def]
    """Return how far one can go until a row's price changes its sign."""
    side = group[_SIDE, g]
    if side == 0.0 or _is_equality(group, g):
        return np.inf
    return _reach(side * group[_PRICE, g], -side * group[_MOVE, g], is_ray)


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(covariance, asset, step, group, member, is_ray):  # type: ignore[no-untyped-def]
    """Go towards the optimum, or along a ray, until something blocks; return how far that was.

    What blocks is given up, on a ray only the first, as whatever else blocks may be needed there.
    """
    symbols, groups = asset.shape[1], group.shape[1]
    length = np.inf
    if not is_ray:
        _aim(asset, group)
        length = 1.0
    for i in range(symbols):
        up, down = _room(asset, group, i, is_ray)
        length = min(length, up, down)
    for g in range(groups):
        length = min(length, _row_room(group, g, is_ray))
    if length == np.inf:
        return length
    if length < 1.0 or is_ray:
        _mark_blockers(asset, step, group, length, is_ray)
    for i in range(symbols):
        asset[_DUAL, i] += length * asset[_CHANGE, i]
    for g in range(groups):
        group[_PRICE, g] += length * group[_MOVE, g]
    if length < 1.0 or is_ray:
        _give_up_blockers(covariance, asset, step, group, member)
    return length


@njit(cache=True, nogil=True, error_model="numpy")
def _aim(asset, group):  # type: ignore[no-untyped-def]
    """Turn the optimum's multipliers into the way there."""
    for i in range(asset.shape[1]):
        asset[_CHANGE, i] -= asset[_DUAL, i]
    for g in range(group.shape[1]):
        group[_MOVE, g] -= group[_PRICE, g]


@njit(cache=True, nogil=True, error_model="numpy")
def _mark_blockers(asset, step, group, length, is_ray):  # type: ignore[no-untyped-def]
    """Write down, as where a symbol or row is to go, what blocks at a length."""
    has_enough = False
    for i in range(asset.shape[1]):
        up, down = _room(asset, group, i, is_ray)
        step[_BEFORE, i] = step[_NOW, i]
        if min(up, down) <= length and not has_enough:
            step[_BEFORE, i] = _next_step(step, i, up <= down)
            has_enough = is_ray
    for g in range(group.shape[1]):
        group[_SIDE_BEFORE, g] = group[_SIDE, g]
        if _row_room(group, g, is_ray) <= length and not has_enough:
            group[_SIDE_BEFORE, g] = 0.0
            has_enough = is_ray


@njit(cache=True, nogil=True, error_model="numpy")
def _give_up_blockers(covariance, asset, step, group, member):  # type: ignore[no-untyped-def]
    _go_back(covariance, asset, step, group, member)
    for g in range(group.shape[1]):
        if group[_SIDE, g] == 0.0:
            group[_PRICE, g] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _take_in(covariance, asset, step, group, member, number, excess):  # type: ignore[no-untyped-def]
    """Add a violated symbol or (after the symbols) row, at the multiplier that it has outside."""
    symbols = asset.shape[1]
    if number >= symbols:
        group[_SIDE, number - symbols] = 1.0 if excess > 0.0 else -1.0
        return
    slope, tilt = _slope(asset, step[_NOW, number], number)
    asset[_DUAL, number] = slope + tilt * group[_PRICE, -1]
    code = _next_step(step, number, excess > 0.0)
    _put(covariance, asset, step, group, member, number, code)


@njit(cache=True, nogil=True, error_model="numpy")
def _go_back(covariance, asset, step, group, member):  # type: ignore[no-untyped-def]
    """Put symbols and rows where they were, or where they are meant to go."""
    for i in range(asset.shape[1]):
        if step[_NOW, i] != step[_BEFORE, i]:
            _put(covariance, asset, step, group, member, i, step[_BEFORE, i])
    group[_SIDE] = group[_SIDE_BEFORE]


@njit(cache=True, nogil=True, error_model="numpy")
def _add(covariance, asset, step, group, member, system):  # type: ignore[no-untyped-def]
    """Add what the working set's optimum violates.

    All violated symbols if that leaves the rows independent, else the worst symbol or row; and if
    that depends on the working set, in exchange for what it pushes out.

    Returns SOLVED where nothing is violated, INFEASIBLE, or UNSOLVED where there is more to do; how
    many systems were solved; and whether the last is that of the new working set.
    """
    _cross_free_kinks(covariance, asset, step, group, member)
    symbols, groups = asset.shape[1], group.shape[1]
    worst, size, many = -1, 0.0, 0
    for number in range(symbols + groups):
        is_row = number >= symbols
        excess = _row_excess(group, number - symbols) if is_row else _excess(asset, number)
        many += excess != 0.0 and not is_row
        if abs(excess) > abs(size):
            worst, size = number, excess
    if worst < 0:
        return SOLVED, 0, False
    step[_BEFORE] = step[_NOW]
    group[_SIDE_BEFORE] = group[_SIDE]
    if many > 1:
        for i in range(symbols):
            excess = _excess(asset, i)
            if excess != 0.0:
                _take_in(covariance, asset, step, group, member, i, excess)
        if _fit(covariance, asset, step, group, member, system) == _INDEPENDENT:
            return UNSOLVED, 1, True
        _go_back(covariance, asset, step, group, member)
    _take_in(covariance, asset, step, group, member, worst, size)
    if _fit(covariance, asset, step, group, member, system) == _INDEPENDENT:
        return UNSOLVED, 2, True
    _go_back(covariance, asset, step, group, member)
    _fit(covariance, asset, step, group, member, system)
    _point(asset, step, group, member, system, worst, 1.0 if size > 0.0 else -1.0)
    _take_in(covariance, asset, step, group, member, worst, size)
    if _advance(covariance, asset, step, group, member, True) == np.inf:
        return INFEASIBLE, 3, False
    return UNSOLVED, 3, False


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_again(system, size):  # type: ignore[no-untyped-def]
    """Solve an eliminated system for another right-hand side."""
    for k in range(size):
        factor = system[k, size] / system[k, k]
        for i in range(k + 1, size):
            system[i, size] -= factor * system[k, i]
    _substitute(system, size)


@njit(cache=True, nogil=True, error_model="numpy")
def _sizes(step, group):  # type: ignore[no-untyped-def]
    """Return how many symbols are free, and with the active rows how large the system is."""
    count = 0
    for i in range(len(step[0])):
        count += _is_free(step, i)
    size = count
    for g in range(group.shape[1]):
        size += group[_SIDE, g] != 0.0
    return count, size


@njit(cache=True, nogil=True, error_model="numpy")
def _point(asset, step, group, member, system, number, side):  # type: ignore[no-untyped-def]
    """Find how multipliers move with that of a dependent symbol or row, weights staying.

    Uses the system that was solved last, which is that of the working set without it.
    """
    symbols, groups = asset.shape[1], group.shape[1]
    count, size = _sizes(step, group)
    for a in range(size):
        system[a, size] = 0.0
    for a in range(count):
        i = step[_FREE, a]
        if number >= symbols:
            system[a, size] = -side * member[number - symbols, i]
        elif number == i:
            system[a, size] = -side
    _solve_again(system, size)
    group[_MOVE] = 0.0
    for a in range(count, size):
        group[_MOVE, step[_ROWS, a - count]] = system[a, size]
    if number >= symbols:
        group[_MOVE, number - symbols] = side
    asset[_CHANGE] = 0.0
    for g in range(groups - 1):
        for i in range(symbols):
            asset[_CHANGE, i] -= group[_MOVE, g] * member[g, i]
    if number < symbols:
        asset[_CHANGE, number] = side + member[-1, number] * group[_MOVE, -1]
