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

# Steps of a symbol; where it cannot move at all it is PINNED.
_AT_LOWER, _SELLING, _AT_CURRENT, _BUYING, _AT_UPPER, _PINNED = 0, 1, 2, 3, 4, 5
# Rows of ``asset``, one column per symbol.
_GAIN, _SELL, _BUY, _LOWER, _CURRENT, _UPPER, _WEIGHT, _DUAL, _CHANGE, _REST = range(10)
# Rows of ``step``: where a symbol is, its lowest and highest cells, and copies to go back to.
_NOW, _FIRST, _LAST, _BEFORE = range(4)
# Rows of ``group``, one column per class, then invested, risky and turnover.
_LEAST, _MOST, _PRICE, _MOVE, _SUM = range(5)
# Rows of ``active``: 1 at the upper limit, -1 at the lower, 0 neither.
_IS_ACTIVE, _WAS_ACTIVE = range(2)

_PRIMAL_TOLERANCE = 1e-11
_DUAL_TOLERANCE = 1e-12
_PIVOT_TOLERANCE = 1e-10
_QUICK_ROUNDS = 12
_LEAST_VARIANCE = 1e-13
_RAY_TOLERANCE = 1e-9
_INDEPENDENT, _SINGULAR = -1, -2


@njit(cache=True, nogil=True)
def solve_range(  # type: ignore[no-untyped-def]
    covariance, class_of, is_risky, expected, tolerance, current, buy_cost, sell_cost, lower, upper,
    class_lower, class_upper, invested_lower, invested_upper, risky_upper, turnover,
    weights, prices, status, rounds, begin, end,
):  # fmt: skip
    """Solve the problems from ``begin`` to ``end``.

    ``covariance`` and ``tolerance`` are in units of the mean variance; the rest is as in
    ``Problems``. Fills ``weights``, ``prices`` (multipliers of classes, invested, risky, turnover),
    ``status`` and ``rounds`` (linear systems solved).
    """
    symbols, classes = len(class_of), class_lower.shape[1]
    asset, step = np.zeros((10, symbols)), np.zeros((4, symbols), np.int64)
    group, active = np.zeros((5, classes + 3)), np.zeros((2, classes + 3), np.int64)
    system, free = np.zeros((symbols + classes + 3, symbols + classes + 5)), np.zeros_like(class_of)
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
        group[_LEAST, classes + 2], group[_MOST, classes + 2] = -1.0, turnover[row]
        status[row] = _check(scale, asset, group)
        if status[row] == SOLVED:
            _start(covariance, asset, step, group, active)
            status[row], rounds[row] = _solve(
                covariance, class_of, is_risky, asset, step, group, active, system, free
            )
        is_solved = status[row] == SOLVED
        for i in range(symbols):
            weights[row, i] = asset[_WEIGHT, i] if is_solved else np.nan
        for g in range(classes + 3):
            prices[row, g] = group[_PRICE, g] if is_solved else np.nan


@njit(cache=True, nogil=True)
def _check(scale, asset, group):  # type: ignore[no-untyped-def]
    """Refuse what is not finite (NaN times zero is NaN) and bounds that exclude each other."""
    total = 0.0
    for number in range(6):
        for i in range(asset.shape[1]):
            total += 0.0 * asset[number, i]
    turnover = group.shape[1] - 1
    for g in range(turnover):
        total += 0.0 * group[_MOST, g]
    for g in range(turnover - 1):
        total += 0.0 * group[_LEAST, g]
    if total != 0.0 or not scale > 0.0 or not group[_MOST, turnover] >= 0.0:
        return BAD_INPUT
    for i in range(asset.shape[1]):
        if asset[_LOWER, i] > asset[_UPPER, i] + _PRIMAL_TOLERANCE:
            return INFEASIBLE
    for g in range(turnover):
        if group[_LEAST, g] > group[_MOST, g] + _PRIMAL_TOLERANCE:
            return INFEASIBLE
    return SOLVED


@njit(cache=True, nogil=True)
def _start(covariance, asset, step, group, active):  # type: ignore[no-untyped-def]
    """Begin at the current weights: each symbol at, above or below the kink as its slope says."""
    symbols, turnover = asset.shape[1], group.shape[1] - 1
    active[:] = 0
    group[_PRICE] = 0.0
    group[_MOVE] = 0.0
    asset[_DUAL] = asset[_GAIN]
    is_limited = group[_MOST, turnover] < np.inf
    for i in range(symbols):
        low, now, high = asset[_LOWER, i], asset[_CURRENT, i], asset[_UPPER, i]
        held = min(max(now, low), high)
        if held != 0.0:
            for j in range(symbols):
                asset[_DUAL, j] -= held * covariance[i, j]
        has_kink = is_limited or asset[_BUY, i] > asset[_SELL, i]
        step[_FIRST, i] = _SELLING if now > low and (has_kink or now >= high) else _BUYING
        step[_LAST, i] = _BUYING if now < high else _SELLING
    for i in range(symbols):
        low, now, high = asset[_LOWER, i], asset[_CURRENT, i], asset[_UPPER, i]
        slope = asset[_DUAL, i]
        if low >= high:
            step[_NOW, i] = _PINNED
        elif now <= low:
            step[_NOW, i] = _BUYING if slope > asset[_BUY, i] else _AT_LOWER
        elif now >= high:
            step[_NOW, i] = _SELLING if slope < asset[_SELL, i] else _AT_UPPER
        elif slope > asset[_BUY, i] or step[_FIRST, i] == _BUYING:
            step[_NOW, i] = _BUYING
        elif slope < asset[_SELL, i]:
            step[_NOW, i] = _SELLING
        else:
            step[_NOW, i] = _AT_CURRENT
        asset[_CHANGE, i] = slope


@njit(cache=True, nogil=True)
def _solve(covariance, class_of, is_risky, asset, step, group, active, system, free):  # type: ignore[no-untyped-def]
    """Return how it ended and how many systems were solved; weights and prices are in place."""
    rounds = 0
    while rounds < _QUICK_ROUNDS:
        rounds += 1
        outcome = _fit(covariance, class_of, is_risky, asset, step, group, active, system, free)
        if outcome != _INDEPENDENT:
            break
        if not _switch(asset, step, group, active, class_of, is_risky):
            group[_PRICE] = group[_MOVE]
            _finish(asset, step)
            return SOLVED, rounds
    _make_dual_feasible(asset, step, group, active)
    most_rounds = rounds + 40 * (asset.shape[1] + group.shape[1])
    while rounds < most_rounds:
        rounds += 1
        outcome = _fit(covariance, class_of, is_risky, asset, step, group, active, system, free)
        if outcome == _SINGULAR:
            return UNSOLVED, rounds
        if outcome >= 0:  # a row that depends on the others; without price it may go
            active[_IS_ACTIVE, outcome] = 0
            group[_PRICE, outcome] = 0.0
            _keep_to_intervals(asset, step, group, _DUAL)
            continue
        _aim(asset, group)
        if _advance(asset, step, group, active, False) < 1.0:
            continue
        outcome, more = _add(
            covariance, class_of, is_risky, asset, step, group, active, system, free
        )
        rounds += more
        if outcome == SOLVED:
            _finish(asset, step)
        if outcome != UNSOLVED:
            return outcome, rounds
    return UNSOLVED, rounds


@njit(cache=True, nogil=True)
def _holds(class_of, is_risky, g, i, groups):  # type: ignore[no-untyped-def]
    """Say whether a row other than turnover counts a symbol."""
    return class_of[i] == g or g == groups - 3 or (g == groups - 2 and is_risky[i])


@njit(cache=True, nogil=True)
def _place(asset, step, i):  # type: ignore[no-untyped-def]
    """Return the weight of a symbol that is fixed."""
    now = step[_NOW, i]
    if now == _AT_CURRENT:
        return asset[_CURRENT, i]
    return asset[_UPPER, i] if now == _AT_UPPER else asset[_LOWER, i]


@njit(cache=True, nogil=True)
def _is_free(step, i):  # type: ignore[no-untyped-def]
    return step[_NOW, i] == _SELLING or step[_NOW, i] == _BUYING


@njit(cache=True, nogil=True)
def _fit(covariance, class_of, is_risky, asset, step, group, active, system, free):  # type: ignore[no-untyped-def]
    """Find weights and multipliers (as ``_CHANGE`` and ``_MOVE``) of the working set's optimum.

    Solves [S A'; A 0] [w; price] = [gain - slope; limit] over free symbols and active rows by LDL'
    without pivoting, which is stable enough as S is positive definite: its pivots are positive, and
    those of independent rows negative. Returns a row that depends on others, or how it went.
    """
    count = _assemble(covariance, class_of, is_risky, asset, step, group, active, system, free)
    symbols, groups = asset.shape[1], group.shape[1]
    size = count
    for g in range(groups):
        size += active[_IS_ACTIVE, g] != 0
    bad = _eliminate(system, count, size)
    if bad >= 0:
        if bad < count:
            return _SINGULAR
        number = count
        for g in range(groups):
            if active[_IS_ACTIVE, g] != 0:
                if number == bad:
                    return g
                number += 1
    _substitute(system, size)
    number = count
    for g in range(groups):
        group[_MOVE, g] = 0.0
        if active[_IS_ACTIVE, g] != 0:
            group[_MOVE, g] = system[number, size]
            number += 1
    invested, risky, theta = group[_MOVE, -3], group[_MOVE, -2], group[_MOVE, -1]
    for a in range(count):
        weight = system[a, size]
        asset[_WEIGHT, free[a]] = weight
        for j in range(symbols):
            asset[_REST, j] -= weight * covariance[free[a], j]
    for i in range(symbols):
        now = step[_NOW, i]
        if now == _BUYING:
            asset[_CHANGE, i] = asset[_BUY, i] + theta
        elif now == _SELLING:
            asset[_CHANGE, i] = asset[_SELL, i] - theta
        else:
            asset[_CHANGE, i] = asset[_REST, i] - group[_MOVE, class_of[i]] - invested
            if is_risky[i]:
                asset[_CHANGE, i] -= risky
    return _INDEPENDENT


@njit(cache=True, nogil=True)
def _assemble(covariance, class_of, is_risky, asset, step, group, active, system, free):  # type: ignore[no-untyped-def]
    """Write down the working set's system, its right-hand side last; return how many are free.

    Leaves the weights of fixed symbols in place, and in ``_REST`` the gain less their risk.
    """
    symbols, groups = asset.shape[1], group.shape[1]
    turnover = groups - 1
    count, changed = 0, 0.0
    group[_SUM] = 0.0
    asset[_REST] = asset[_GAIN]
    for i in range(symbols):
        if _is_free(step, i):
            free[count] = i
            count += 1
            sign = 1.0 if step[_NOW, i] == _BUYING else -1.0
            changed -= sign * asset[_CURRENT, i]
            continue
        weight = _place(asset, step, i)
        asset[_WEIGHT, i] = weight
        changed += abs(weight - asset[_CURRENT, i])
        if weight != 0.0:
            group[_SUM, class_of[i]] += weight
            group[_SUM, groups - 3] += weight
            if is_risky[i]:
                group[_SUM, groups - 2] += weight
            for j in range(symbols):
                asset[_REST, j] -= weight * covariance[i, j]
    group[_SUM, turnover] = changed
    size = count
    for g in range(groups):
        size += active[_IS_ACTIVE, g] != 0
    for a in range(count):
        i = free[a]
        for b in range(a, count):
            system[a, b] = covariance[i, free[b]]
        is_buying = step[_NOW, i] == _BUYING
        number = count
        for g in range(groups):
            if active[_IS_ACTIVE, g] != 0:
                if g == turnover:
                    system[a, number] = 1.0 if is_buying else -1.0
                else:
                    system[a, number] = 1.0 if _holds(class_of, is_risky, g, i, groups) else 0.0
                number += 1
        system[a, size] = asset[_REST, i] - (asset[_BUY, i] if is_buying else asset[_SELL, i])
    number = count
    for g in range(groups):
        side = active[_IS_ACTIVE, g]
        if side != 0:
            for b in range(number, size):
                system[number, b] = 0.0
            limit = group[_MOST, g] if side > 0 else group[_LEAST, g]
            system[number, size] = limit - group[_SUM, g]
            number += 1
    return count


@njit(cache=True, nogil=True)
def _eliminate(system, count, size):  # type: ignore[no-untyped-def]
    """Turn the upper triangle into D L' and the last column into D times what is to substitute.

    Returns the first pivot that has the wrong sign or is nearly zero, or -1. A row's pivot is
    compared with what it was before other rows were taken out of it.
    """
    for k in range(count, size):
        system[k, size + 1] = 0.0
    for k in range(size):
        pivot = system[k, k]
        if k < count:
            if not pivot > _LEAST_VARIANCE:
                return k
        elif not -pivot > _PIVOT_TOLERANCE * system[k, size + 1]:
            return k
        inverse = 1.0 / pivot
        for i in range(k + 1, size):
            factor = system[k, i] * inverse
            if factor != 0.0:
                for j in range(i, size + 1):
                    system[i, j] -= factor * system[k, j]
        if k == count - 1:
            for i in range(count, size):
                system[i, size + 1] = -system[i, i]
    return -1


@njit(cache=True, nogil=True)
def _substitute(system, size):  # type: ignore[no-untyped-def]
    """Solve with what ``_eliminate`` left, into the last column."""
    for k in range(size - 1, -1, -1):
        value = system[k, size] / system[k, k]
        system[k, size] = value
        for i in range(k):
            system[i, size] -= system[i, k] * value


@njit(cache=True, nogil=True)
def _add_up(asset, step, group, active, class_of, is_risky):  # type: ignore[no-untyped-def]
    """Add free weights to the sums of fixed ones, and turnover.

    Where trading costs nothing, a symbol crosses its kink without ado: only its sign changes.
    """
    groups = group.shape[1]
    changed = 0.0
    for i in range(len(class_of)):
        weight, now = asset[_WEIGHT, i], asset[_CURRENT, i]
        if not _is_free(step, i):
            changed += abs(weight - now)
            continue
        if (
            active[_IS_ACTIVE, groups - 1] == 0
            and step[_FIRST, i] != step[_LAST, i]
            and asset[_BUY, i] - asset[_SELL, i] <= _DUAL_TOLERANCE
        ):
            step[_NOW, i] = _BUYING if weight >= now else _SELLING
        group[_SUM, class_of[i]] += weight
        group[_SUM, groups - 3] += weight
        if is_risky[i]:
            group[_SUM, groups - 2] += weight
        changed += weight - now if step[_NOW, i] == _BUYING else now - weight
    group[_SUM, groups - 1] = changed


@njit(cache=True, nogil=True)
def _cell(asset, step, i):  # type: ignore[no-untyped-def]
    """Return between which weights a free symbol stays on its step."""
    low, high = asset[_LOWER, i], asset[_UPPER, i]
    if step[_FIRST, i] != step[_LAST, i]:
        if step[_NOW, i] == _BUYING:
            low = asset[_CURRENT, i]
        else:
            high = asset[_CURRENT, i]
    return low, high


@njit(cache=True, nogil=True)
def _next_step(step, i, up):  # type: ignore[no-untyped-def]
    """Return the step above or below."""
    now = step[_NOW, i]
    if now == _AT_LOWER:
        return step[_FIRST, i]
    if now == _AT_UPPER:
        return step[_LAST, i]
    if now == _AT_CURRENT:
        return _BUYING if up else _SELLING
    if up:
        return _AT_UPPER if now == step[_LAST, i] else _AT_CURRENT
    return _AT_LOWER if now == step[_FIRST, i] else _AT_CURRENT


@njit(cache=True, nogil=True)
def _excess(asset, step, i):  # type: ignore[no-untyped-def]
    """Return how far a free weight is above (or, negative, below) its cell."""
    low, high = _cell(asset, step, i)
    weight = asset[_WEIGHT, i]
    if weight > high + _PRIMAL_TOLERANCE:
        return weight - high
    if weight < low - _PRIMAL_TOLERANCE:
        return weight - low
    return 0.0


@njit(cache=True, nogil=True)
def _overshoot(group, active, g):  # type: ignore[no-untyped-def]
    """Return how far an inactive row's sum is above (or, negative, below) its limits."""
    if active[_IS_ACTIVE, g] == 0:
        if group[_SUM, g] > group[_MOST, g] + _PRIMAL_TOLERANCE:
            return group[_SUM, g] - group[_MOST, g]
        if group[_SUM, g] < group[_LEAST, g] - _PRIMAL_TOLERANCE:
            return group[_SUM, g] - group[_LEAST, g]
    return 0.0


@njit(cache=True, nogil=True)
def _slope(asset, code, i, theta):  # type: ignore[no-untyped-def]
    """Return the slope of a symbol's cost while it is sold or bought."""
    return asset[_BUY, i] + theta if code == _BUYING else asset[_SELL, i] - theta


@njit(cache=True, nogil=True)
def _switch(asset, step, group, active, class_of, is_risky):  # type: ignore[no-untyped-def]
    """Change every step and row that the working set's optimum contradicts; say whether any."""
    _add_up(asset, step, group, active, class_of, is_risky)
    groups = group.shape[1]
    theta = max(group[_MOVE, groups - 1], 0.0)
    is_changed = False
    for i in range(len(class_of)):
        if step[_NOW, i] == _PINNED:
            continue
        if _is_free(step, i):
            excess = _excess(asset, step, i)
            if excess != 0.0:
                step[_NOW, i] = _next_step(step, i, excess > 0.0)
                is_changed = True
            continue
        above = asset[_CHANGE, i] - _slope(asset, _next_step(step, i, True), i, theta)
        below = _slope(asset, _next_step(step, i, False), i, theta) - asset[_CHANGE, i]
        if step[_NOW, i] != _AT_UPPER and above > _DUAL_TOLERANCE:
            step[_NOW, i] = _next_step(step, i, True)
            is_changed = True
        elif step[_NOW, i] != _AT_LOWER and below > _DUAL_TOLERANCE:
            step[_NOW, i] = _next_step(step, i, False)
            is_changed = True
    for g in range(groups):
        side = active[_IS_ACTIVE, g]
        overshoot = _overshoot(group, active, g)
        if overshoot != 0.0:
            active[_IS_ACTIVE, g] = 1 if overshoot > 0.0 else -1
            is_changed = True
        elif side * group[_MOVE, g] < -_DUAL_TOLERANCE and group[_LEAST, g] < group[_MOST, g]:
            active[_IS_ACTIVE, g] = 0
            is_changed = True
    return is_changed


@njit(cache=True, nogil=True)
def _finish(asset, step):  # type: ignore[no-untyped-def]
    """Put weights on the bounds that they are beyond by rounding."""
    for i in range(asset.shape[1]):
        if _is_free(step, i):
            low, high = _cell(asset, step, i)
            asset[_WEIGHT, i] = min(max(asset[_WEIGHT, i], low), high)


@njit(cache=True, nogil=True)
def _make_dual_feasible(asset, step, group, active):  # type: ignore[no-untyped-def]
    """Bring the last multipliers into the intervals of their steps, and prices to their signs."""
    for g in range(group.shape[1]):
        side, price = active[_IS_ACTIVE, g], group[_MOVE, g]
        is_right = side * price > 0.0 or (side != 0 and group[_LEAST, g] == group[_MOST, g])
        group[_PRICE, g] = price if is_right else 0.0
    _keep_to_intervals(asset, step, group, _CHANGE)


@njit(cache=True, nogil=True)
def _keep_to_intervals(asset, step, group, source):  # type: ignore[no-untyped-def]
    """Take multipliers of fixed symbols from a row of ``asset``, as near as their steps allow."""
    theta = group[_PRICE, group.shape[1] - 1]
    for i in range(asset.shape[1]):
        dual = asset[source, i]
        if step[_NOW, i] == _PINNED or _is_free(step, i):
            continue
        if step[_NOW, i] != _AT_UPPER:
            dual = min(dual, _slope(asset, _next_step(step, i, True), i, theta))
        if step[_NOW, i] != _AT_LOWER:
            dual = max(dual, _slope(asset, _next_step(step, i, False), i, theta))
        asset[_DUAL, i] = dual


@njit(cache=True, nogil=True)
def _aim(asset, group):  # type: ignore[no-untyped-def]
    """Turn the optimum's multipliers into the way there."""
    for i in range(asset.shape[1]):
        asset[_CHANGE, i] -= asset[_DUAL, i]
    for g in range(group.shape[1]):
        group[_MOVE, g] -= group[_PRICE, g]


@njit(cache=True, nogil=True)
def _room(asset, step, group, i, is_ray):  # type: ignore[no-untyped-def]
    """Return how far one can go until a symbol leaves its step, and whether upwards."""
    turnover = group.shape[1] - 1
    theta, widening = group[_PRICE, turnover], group[_MOVE, turnover]
    dual, change = asset[_DUAL, i], asset[_CHANGE, i]
    room, up = np.inf, False
    if step[_NOW, i] != _AT_UPPER:
        code = _next_step(step, i, True)
        gap = max(_slope(asset, code, i, theta) - dual, 0.0)
        closing = change - (widening if code == _BUYING else -widening)
        if closing > _RAY_TOLERANCE if is_ray else closing - gap > _DUAL_TOLERANCE:
            room, up = gap / closing, True
    if step[_NOW, i] != _AT_LOWER:
        code = _next_step(step, i, False)
        gap = max(dual - _slope(asset, code, i, theta), 0.0)
        closing = (widening if code == _BUYING else -widening) - change
        if closing > _RAY_TOLERANCE if is_ray else closing - gap > _DUAL_TOLERANCE:
            room, up = min(room, gap / closing), gap / closing >= room and up
    return room, up


@njit(cache=True, nogil=True)
def _row_room(group, active, g, is_ray):  # type: ignore[no-untyped-def]
    """Return how far one can go until a row's price changes its sign."""
    side = active[_IS_ACTIVE, g]
    if side == 0 or group[_LEAST, g] == group[_MOST, g]:
        return np.inf
    gap, closing = max(side * group[_PRICE, g], 0.0), -side * group[_MOVE, g]
    if closing > _RAY_TOLERANCE if is_ray else closing - gap > _DUAL_TOLERANCE:
        return gap / closing
    return np.inf


@njit(cache=True, nogil=True)
def _advance(asset, step, group, active, is_ray):  # type: ignore[no-untyped-def]
    """Go until something blocks, and give that up; return how far that was.

    A ray, which has no end of its own, gives up one blocker: whatever else blocks may be needed.
    """
    symbols, groups = asset.shape[1], group.shape[1]
    length = np.inf if is_ray else 1.0
    for i in range(symbols):
        if step[_NOW, i] != _PINNED and not _is_free(step, i):
            length = min(length, _room(asset, step, group, i, is_ray)[0])
    for g in range(groups):
        length = min(length, _row_room(group, active, g, is_ray))
    if length == np.inf:
        return length
    is_done = length >= 1.0 and not is_ray
    for i in range(symbols):
        step[_BEFORE, i] = step[_NOW, i]
        if not is_done and step[_NOW, i] != _PINNED and not _is_free(step, i):
            room, up = _room(asset, step, group, i, is_ray)
            if room <= length:
                step[_BEFORE, i] = _next_step(step, i, up)
                is_done = is_ray
    for g in range(groups):
        active[_WAS_ACTIVE, g] = active[_IS_ACTIVE, g]
        if not is_done and _row_room(group, active, g, is_ray) <= length:
            active[_WAS_ACTIVE, g] = 0
            is_done = is_ray
    for i in range(symbols):
        asset[_DUAL, i] += length * asset[_CHANGE, i]
        step[_NOW, i] = step[_BEFORE, i]
    for g in range(groups):
        group[_PRICE, g] += length * group[_MOVE, g]
        active[_IS_ACTIVE, g] = active[_WAS_ACTIVE, g]
        if active[_IS_ACTIVE, g] == 0:
            group[_PRICE, g] = 0.0
    return length


@njit(cache=True, nogil=True)
def _violate(asset, step, group, active, number):  # type: ignore[no-untyped-def]
    """Return how far the symbol or (after the symbols) the row of a number is out of its limits."""
    symbols = asset.shape[1]
    if number >= symbols:
        return _overshoot(group, active, number - symbols)
    return _excess(asset, step, number) if _is_free(step, number) else 0.0


@njit(cache=True, nogil=True)
def _take_in(asset, step, group, active, number, excess):  # type: ignore[no-untyped-def]
    """Add a violated symbol or row to the working set, at the multiplier that it has outside."""
    symbols = asset.shape[1]
    if number >= symbols:
        active[_IS_ACTIVE, number - symbols] = 1 if excess > 0.0 else -1
        return
    theta = group[_PRICE, group.shape[1] - 1]
    asset[_DUAL, number] = _slope(asset, step[_NOW, number], number, theta)
    step[_NOW, number] = _next_step(step, number, excess > 0.0)


@njit(cache=True, nogil=True)
def _add(covariance, class_of, is_risky, asset, step, group, active, system, free):  # type: ignore[no-untyped-def]
    """Add what the working set's optimum violates; return UNSOLVED where there is more to do.

    All violated symbols if that leaves the rows independent, else the worst symbol or row; and if
    that depends on the working set, in exchange for what it pushes out.
    """
    _add_up(asset, step, group, active, class_of, is_risky)
    symbols, groups = asset.shape[1], group.shape[1]
    worst, size, number_violated = -1, 0.0, 0
    for number in range(symbols + groups):
        excess = _violate(asset, step, group, active, number)
        if excess != 0.0 and number < symbols:
            number_violated += 1
        if abs(excess) > abs(size):
            worst, size = number, excess
    if worst < 0:
        return SOLVED, 0
    step[_BEFORE] = step[_NOW]
    if number_violated > 1:
        for i in range(symbols):
            excess = _violate(asset, step, group, active, i)
            if excess != 0.0:
                _take_in(asset, step, group, active, i, excess)
        if (
            _fit(covariance, class_of, is_risky, asset, step, group, active, system, free)
            == _INDEPENDENT
        ):
            return UNSOLVED, 1
        step[_NOW] = step[_BEFORE]
    _take_in(asset, step, group, active, worst, size)
    if (
        _fit(covariance, class_of, is_risky, asset, step, group, active, system, free)
        == _INDEPENDENT
    ):
        return UNSOLVED, 2
    step[_NOW] = step[_BEFORE]
    if worst >= symbols:
        active[_IS_ACTIVE, worst - symbols] = 0
    _fit(covariance, class_of, is_risky, asset, step, group, active, system, free)
    _point(
        class_of,
        is_risky,
        asset,
        step,
        group,
        active,
        system,
        free,
        worst,
        1.0 if size > 0 else -1.0,
    )
    _take_in(asset, step, group, active, worst, size)
    if _advance(asset, step, group, active, True) == np.inf:
        return INFEASIBLE, 3
    return UNSOLVED, 3


@njit(cache=True, nogil=True)
def _point(class_of, is_risky, asset, step, group, active, system, free, number, side):  # type: ignore[no-untyped-def]
    """Find how multipliers move with that of a dependent symbol or row, weights staying."""
    symbols, groups = asset.shape[1], group.shape[1]
    turnover = groups - 1
    count = 0
    for i in range(symbols):
        count += _is_free(step, i)
    size = count
    for g in range(groups):
        size += active[_IS_ACTIVE, g] != 0
    for a in range(size):
        system[a, size] = 0.0
    for a in range(count):
        sign = 1.0 if step[_NOW, free[a]] == _BUYING else -1.0
        g = number - symbols
        if number == free[a] or _holds(class_of, is_risky, g, free[a], groups):
            system[a, size] = -side
        elif g == turnover:
            system[a, size] = -side * sign
    for k in range(size):
        factor = system[k, size] / system[k, k]
        for i in range(k + 1, size):
            system[i, size] -= factor * system[k, i]
    _substitute(system, size)
    position = count
    for g in range(groups):
        group[_MOVE, g] = side if number == symbols + g else 0.0
        if active[_IS_ACTIVE, g] != 0:
            group[_MOVE, g] = system[position, size]
            position += 1
    for i in range(symbols):
        asset[_CHANGE, i] = -group[_MOVE, class_of[i]] - group[_MOVE, turnover - 2]
        if is_risky[i]:
            asset[_CHANGE, i] -= group[_MOVE, turnover - 1]
    if number < symbols:
        widening = group[_MOVE, turnover]
        asset[_CHANGE, number] = side + (widening if step[_NOW, number] == _BUYING else -widening)
