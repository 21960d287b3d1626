"""How far points are from optimal, computed again from problems, weights and multipliers alone.

The natural residual: what is left of ``w - prox(w - gradient)`` for symbols, and of a row's sum
less its projection after a step along its multiplier. It is zero where, and only where, a point is
feasible, stationary (with the cost's subdifferential at kinks), has multipliers of the right sign
and none on a limit that does not bind; and it bounds the distance to the optimum [1]_. Gradients
are divided by the mean variance, so the residual is in units of weight.

References
----------
.. [1] F. Facchinei and J.-S. Pang, "Finite-dimensional variational inequalities and complementarity
   problems", Springer (2003), chapter 6.
"""

import numpy as np

from pipelines.rebalance.arrays import Floats
from pipelines.rebalance.kernels import kernel, part
from pipelines.rebalance.solver.engine import Points, in_parts
from pipelines.rebalance.solver.problems import Problems, Risk
from pipelines.rebalance.solver.scaled import scaled


def residuals(
    risk: Risk, problems: Problems, points: Points, threads: int
) -> tuple[Floats, Floats]:
    """Return the largest violation of the optimality conditions, and the utility, of each point.

    Returns
    -------
    residual : (problems,) in units of weight; NaN where the point has NaN.
    objective : (problems,) as in ``Solutions``.
    """
    count = len(problems.tolerance)
    residual, objective = np.empty(count), np.empty(count)
    given = scaled(risk, problems)

    def check_part(begin: int, end: int) -> None:
        _residual_range(given, points.weights, points.prices, residual, objective, begin, end)

    in_parts(check_part, count, threads)
    return residual, objective


@kernel
def _residual_range(given, weights, prices, residual, objective, begin, end):  # type: ignore[no-untyped-def]
    symbols, classes = len(given.class_of), given.class_lower.shape[1]
    risk, sums = np.empty(symbols), np.empty(classes)
    for row in range(begin, end):
        weight, price, scale = weights[row], prices[row], given.tolerance[row]
        invested, risky, changed, utility, worst = 0.0, 0.0, 0.0, 0.0, 0.0
        risk[:] = 0.0
        sums[:] = 0.0
        for i in range(symbols):
            if weight[i] != 0.0:
                for j in range(symbols):
                    risk[j] += weight[i] * given.covariance[i, j]
        theta = price[classes + 2]
        for i in range(symbols):
            here, now = weight[i], given.current[row, i]
            sums[given.class_of[i]] += here
            invested += here
            push = (
                scale * given.expected[row, i] - risk[i] - price[given.class_of[i]] - price[classes]
            )
            if given.is_risky[i]:
                risky += here
                push -= price[classes + 1]
            utility += here * (scale * given.expected[row, i] - 0.5 * risk[i])
            buy, sell = scale * given.buy_cost[row, i], scale * given.sell_cost[row, i]
            if here > now:
                changed += here - now
                utility -= buy * (here - now)
            else:
                changed += now - here
                utility -= sell * (now - here)
            there = _shrink(here + push, now, buy + theta, sell + theta)
            there = min(max(there, given.lower[row, i]), given.upper[row, i])
            worst = _larger(worst, abs(here - there))
        for k in range(classes):
            least, most = given.class_lower[row, k], given.class_upper[row, k]
            worst = _larger(worst, _row_residual(sums[k], price[k], least, most))
        least, most = given.invested_lower[row], given.invested_upper[row]
        worst = _larger(worst, _row_residual(invested, price[classes], least, most))
        most = given.risky_upper[row]
        worst = _larger(worst, _row_residual(risky, price[classes + 1], -np.inf, most))
        worst = _larger(worst, _row_residual(changed, theta, -np.inf, given.turnover[row]))
        residual[row] = _larger(worst, -theta)
        objective[row] = utility / scale


@part
def _shrink(there, now, buy, sell):  # type: ignore[no-untyped-def]
    """Return what cost leaves of a step from ``now``: the proximal map of its kink."""
    if there > now + buy:
        return there - buy
    return there + sell if there < now - sell else now


@part
def _row_residual(total, price, least, most):  # type: ignore[no-untyped-def]
    return abs(total - min(max(total + price, least), most))


@part
def _larger(worst, value):  # type: ignore[no-untyped-def]
    """Return the larger of two, or NaN where either is."""
    return value if value > worst or value != value else worst
