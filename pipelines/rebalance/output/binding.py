"""Which bound each weight of a goal's target sits on, and which constraint holds it."""

import numpy as np

from models.vocabulary import Constraint
from pipelines.rebalance.advice import ShardAdvice
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.goal_problems import current_weights
from pipelines.rebalance.solver.problems import Risk
from pipelines.rebalance.trades.arithmetic import NANOS

NO_CONSTRAINT = -1

_NUMBER = {word: number for number, word in enumerate(Constraint)}
_ON_BOUND = 1.5 / NANOS
"""Weights were rounded down to billionths."""


def on_bounds(advice: ShardAdvice) -> Mask:
    """Return (goals, symbols + 1), cash last: whether the weight is the least or most allowed."""
    bounds = advice.bounds
    weights = advice.targets.goal_nanos / NANOS
    lower = np.column_stack([bounds.lower, 1 - bounds.invested_upper])
    upper = np.column_stack([bounds.upper, 1 - bounds.invested_lower])
    binds: Mask = (weights <= lower + _ON_BOUND) | (weights >= upper - _ON_BOUND)
    return binds


def binding_constraints(risk: Risk, advice: ShardAdvice) -> Integers:
    """Return (goals, symbols + 1), cash last, as ``tuple(Constraint)`` numbers them; -1: none.

    Where several hold a weight, the one that is nearest to the symbol is named: its own limit,
    then its class's, then those on all risky classes, on all that is invested, and on turnover.
    """
    bounds, goals = advice.bounds, advice.shard.goals
    weights = advice.targets.goal_nanos[:, :-1] / NANOS
    slack = _ON_BOUND * (weights.shape[1] + 1)
    found = np.full(advice.targets.goal_nanos.shape, NO_CONSTRAINT)
    symbols = found[:, :-1]

    change = np.abs(weights - current_weights(advice.shard, bounds)).sum(axis=1)
    found[change >= bounds.turnover - slack] = _NUMBER[Constraint.TURNOVER]

    at_least = weights.sum(axis=1) <= bounds.invested_lower + slack
    found[at_least & (bounds.invested_lower > 0)] = _NUMBER[Constraint.MINIMUM_INVESTED]

    class_of = risk.class_of
    is_risky = risk.is_risky[class_of]
    at_risk_limit = weights[:, is_risky].sum(axis=1) >= bounds.risky_upper - slack
    symbols[at_risk_limit[:, np.newaxis] & is_risky] = _NUMBER[Constraint.SUITABILITY]

    sums = _class_sums(weights, class_of, risk.classes)
    class_binds = (sums >= bounds.class_upper - slack) | (
        (sums <= bounds.class_lower + slack) & (bounds.class_lower > 0)
    )
    symbols[class_binds[:, class_of]] = _NUMBER[Constraint.CLASS_LIMIT]

    at_upper = weights >= bounds.upper - _ON_BOUND
    at_lower = (weights <= bounds.lower + _ON_BOUND) & (bounds.lower > 0)
    symbols[at_upper | at_lower] = _NUMBER[Constraint.SYMBOL_LIMIT]
    is_wish = goals.excluded | (bounds.upper >= goals.symbol_cap[:, np.newaxis] - _ON_BOUND)
    symbols[at_upper & is_wish] = _NUMBER[Constraint.CLIENT_WISH]
    return found


def _class_sums(weights: Floats, class_of: Integers, classes: int) -> Floats:
    return np.stack(
        [weights[:, class_of == number].sum(axis=1) for number in range(classes)], axis=1
    )
