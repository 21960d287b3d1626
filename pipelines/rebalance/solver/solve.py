"""Solve many allocation problems, and let nothing out that was not verified."""

from dataclasses import fields

import numpy as np

from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.active_set.ascend import SOLVED, UNSOLVED
from pipelines.rebalance.solver.engine import Points, solve_batch
from pipelines.rebalance.solver.kkt import residuals
from pipelines.rebalance.solver.problems import Problems, Risk, Solutions

SOLVERS = ("active_set", "clarabel")
"""What ``Solutions.solver`` numbers: our engine, and cvxpy's definition solved by Clarabel."""

_ACTIVE_SET, _CLARABEL = range(len(SOLVERS))


def solve(risk: Risk, problems: Problems, policy: Policy, threads: int = 1) -> Solutions:
    """Return the verified optimum of each problem; NaN where there is none.

    A problem's answer depends on its own row and on ``risk`` alone, to the last bit: not on other
    rows, their order, or how many threads share the work.

    Parameters
    ----------
    risk : what all problems share.
    problems : finite but for ``turnover``; a row that is not, is not solved.
    policy : for the tolerance of verification.
    threads : how many share the batch. Processes that each have a shard need one each.

    Raises
    ------
    ValueError
        An array has another shape than the others imply.
    """
    aligned = _aligned(risk, problems)
    found = solve_batch(risk, aligned, threads)
    points = found.points
    residual, objective = residuals(risk, aligned, points, threads)
    solver = np.full(len(residual), _ACTIVE_SET, np.int8)
    unverified = ~(residual <= policy.kkt_tolerance)
    # What is proved to be infeasible, or is not finite, has no other answer elsewhere.
    is_open = (found.status == SOLVED) | (found.status == UNSOLVED)
    for row in np.flatnonzero(unverified & is_open):
        again, its_residual, its_objective = _solve_again(risk, aligned, int(row))
        if its_residual <= policy.kkt_tolerance:
            points.weights[row], solver[row] = again.weights[0], _CLARABEL
            residual[row], objective[row], unverified[row] = its_residual, its_objective, False
    for values in (points.weights, residual, objective):
        values[unverified] = np.nan
    return Solutions(points.weights, objective, residual, solver)


def _solve_again(risk: Risk, problems: Problems, row: int) -> tuple[Points, float, float]:
    """Return what cvxpy's definition has for one row, and how good it is; NaN if nothing."""
    # Heavy, and most shards have no such row.
    from pipelines.rebalance.solver.definition import UnsolvedError, definition_of

    alone = Problems(**{f.name: getattr(problems, f.name)[[row]] for f in fields(Problems)})
    try:
        weights, prices = definition_of(risk).solve(alone, 0)
    except UnsolvedError:
        weights, prices = np.full(len(risk.class_of), np.nan), np.zeros(risk.classes + 3)
    points = Points(weights[np.newaxis], prices[np.newaxis])
    residual, objective = residuals(risk, alone, points, threads=1)
    return points, float(residual[0]), float(objective[0])


def _aligned(risk: Risk, problems: Problems) -> Problems:
    """Return the problems as the compiled loops need them: shapes agree, rows are contiguous."""
    count, symbols = len(problems.tolerance), len(risk.class_of)
    flat = ("tolerance", "invested_lower", "invested_upper", "risky_upper", "turnover")
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(flat, (count,))
    shapes |= dict.fromkeys(("class_lower", "class_upper"), (count, risk.classes))
    arrays = {}
    for name in (f.name for f in fields(Problems)):
        values = np.ascontiguousarray(getattr(problems, name), np.float64)
        shape = shapes.get(name, (count, symbols))
        if values.shape != shape:
            raise ValueError(f"{name} has shape {values.shape}, where {shape} is meant")
        arrays[name] = values
    return Problems(**arrays)
