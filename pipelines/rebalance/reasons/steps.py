"""The targets that lie between what a goal holds and its target, each under one thing more.

Steps without trading cost depend on no holdings, so goals of one risk and one set of limits share
an optimum: it is solved once for them. A problem's optimum depends on its own row alone, so that
sharing changes no bit.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from pipelines.rebalance.arrays import Integers, Vector
from pipelines.rebalance.goal_problems import (
    Start,
    costless_problems,
    take,
    target_problems,
    unbounded_problems,
)
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.problems import Problems, Risk
from pipelines.rebalance.solver.solve import solve
from pipelines.rebalance.trades.weights import clean


def goal_steps(
    bounds: Bounds,
    rows: Integers,
    outlook: Outlook,
    start: Start,
    target_nanos: Integers,
    policy: Policy,
) -> Iterator[tuple[str, Integers]]:
    """Yield each cause with the targets that goals have once it counts too, in the path's order.

    Parameters
    ----------
    rows : the goals that are asked for.
    start : of all goals.
    target_nanos : (rows, symbols + 1) their targets, which end the path.

    Yields
    ------
    The cause, but for forecasts that change no expected return, and (rows, symbols + 1) billionths,
    cash last; ``NO_TARGET`` where the step has no verified optimum.
    """
    unbounded = unbounded_problems(bounds, rows, outlook.long_run_prior)
    yield "profile", _Shared(unbounded).optima(outlook.long_run, outlook.long_run_prior, policy)
    shared = _Shared(costless_problems(bounds, rows, outlook.long_run_prior))
    yield "constraints", shared.optima(outlook.long_run, outlook.long_run_prior, policy)
    yield "risk_model", shared.optima(outlook.today, outlook.todays_prior, policy)
    if not np.array_equal(outlook.expected_returns, outlook.todays_prior):
        yield "forecast", shared.optima(outlook.today, outlook.expected_returns, policy)
    yield "cost", _without_tax(bounds, rows, outlook, start, target_nanos, policy)
    yield "tax", target_nanos


def optima(risk: Risk, problems: Problems, policy: Policy) -> Integers:
    """Return the problems' optima in billionths, (problems, symbols + 1), cash last."""
    return clean(solve(risk, problems, policy).weights, problems, risk.class_of, risk.is_risky)


class _Shared:
    """Problems of which those that are alike in every number are solved once."""

    def __init__(self, problems: Problems) -> None:
        table = np.column_stack([getattr(problems, f.name) for f in dataclasses.fields(Problems)])
        differs = np.any(table != table[:1], axis=0)
        differs[0] = True  # a key has at least one column
        keys = np.ascontiguousarray(table[:, differs])
        row = np.dtype((np.void, keys.itemsize * keys.shape[1]))
        _, first, self._same = np.unique(
            keys.view(row).ravel(), return_index=True, return_inverse=True
        )
        self._problems = take(problems, first)

    def optima(self, risk: Risk, expected: Vector, policy: Policy) -> Integers:
        """Return the optimum of each problem, were these returns expected."""
        returns = np.tile(expected, (len(self._problems.tolerance), 1))
        once = dataclasses.replace(self._problems, expected=returns)
        return optima(risk, once, policy)[self._same]


def _without_tax(
    bounds: Bounds,
    rows: Integers,
    outlook: Outlook,
    start: Start,
    target_nanos: Integers,
    policy: Policy,
) -> Integers:
    """Return the targets without tax on sells or losses to save: the goals' own, if it is alike."""
    nanos = target_nanos.copy()
    pays = (start.taxed_sell_cost[rows] != start.sell_cost[rows]).any(axis=1)
    pays |= (bounds.reachable_upper[rows] != bounds.upper[rows]).any(axis=1)
    untaxed = dataclasses.replace(start, taxed_sell_cost=start.sell_cost)
    free = dataclasses.replace(bounds, reachable_upper=bounds.upper)
    problems = target_problems(free, rows[pays], outlook.expected_returns, untaxed)
    nanos[pays] = optima(outlook.today, problems, policy)
    return nanos
