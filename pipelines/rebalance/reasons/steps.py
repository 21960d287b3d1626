"""The targets that lie between what a goal holds and its target, each under one thing more.

Steps without trading cost depend on no holdings, so goals of one risk and one set of limits share
an optimum: it is solved once for them. A problem's optimum depends on its own row alone, so that
sharing changes no bit.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from pipelines.rebalance.arrays import Integers
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
    The cause and (rows, symbols + 1) billionths, cash last; ``NO_TARGET`` where the step has no
    verified optimum.
    """
    unbounded = unbounded_problems(bounds, rows, outlook.long_run_prior)
    yield "profile", shared_optima(outlook.long_run, unbounded, policy)
    bounded = costless_problems(bounds, rows, outlook.long_run_prior)
    yield "constraints", shared_optima(outlook.long_run, bounded, policy)
    todays = costless_problems(bounds, rows, outlook.todays_prior)
    yield "risk_model", shared_optima(outlook.today, todays, policy)
    forecast = costless_problems(bounds, rows, outlook.expected_returns)
    yield "forecast", shared_optima(outlook.today, forecast, policy)
    yield "cost", _without_tax(bounds, rows, outlook, start, target_nanos, policy)
    yield "tax", target_nanos


def optima(risk: Risk, problems: Problems, policy: Policy) -> Integers:
    """Return the problems' optima in billionths, (problems, symbols + 1), cash last."""
    return clean(solve(risk, problems, policy).weights, problems, risk.class_of, risk.is_risky)


def shared_optima(risk: Risk, problems: Problems, policy: Policy) -> Integers:
    """Return the problems' optima, solving those that are alike in every number once."""
    columns = [getattr(problems, field.name) for field in dataclasses.fields(Problems)]
    table = np.column_stack(columns)
    keys = np.ascontiguousarray(table).view(np.dtype((np.void, table.itemsize * table.shape[1])))
    _, first, same = np.unique(keys.ravel(), return_index=True, return_inverse=True)
    return optima(risk, take(problems, first), policy)[same]


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
