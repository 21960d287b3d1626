"""Which constraint holds each weight of a goal's target."""

import numpy as np

from models.vocabulary import Constraint
from pipelines.rebalance.advice import ShardAdvice
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.trades.arithmetic import NANOS

NO_CONSTRAINT = -1

_NUMBER = {word: number for number, word in enumerate(Constraint)}
_ON_BOUND = 1.5 / NANOS
"""Weights were rounded down to billionths."""


def binding_constraints(market: Market, advice: ShardAdvice) -> Integers:
    """Return (goals, symbols + 1), cash last, as ``tuple(Constraint)`` numbers them; -1: none.

    Where several hold a weight, the one that is nearest to the symbol is named: its own limit,
    then its class's, then the limits on all that is invested.
    """
    bounds, goals = advice.bounds, advice.shard.goals
    weights = advice.targets.goal_nanos[:, :-1] / NANOS
    invested = weights.sum(axis=1)
    slack = _ON_BOUND * (weights.shape[1] + 1)
    found = np.full(advice.targets.goal_nanos.shape, NO_CONSTRAINT)

    at_most = invested >= bounds.invested_upper - slack
    at_least = invested <= bounds.invested_lower + slack
    found[at_most] = _NUMBER[Constraint.SUITABILITY]
    found[at_least] = _NUMBER[Constraint.MINIMUM_INVESTED]

    class_of = market.membership.argmax(axis=0)
    sums = np.stack(
        [weights[:, class_of == number].sum(axis=1) for number in range(len(market.classes))],
        axis=1,
    )
    class_binds = (sums >= bounds.class_upper - slack) | (
        (sums <= bounds.class_lower + slack) & (bounds.class_lower > 0)
    )
    symbols = found[:, :-1]
    symbols[class_binds[:, class_of]] = _NUMBER[Constraint.CLASS_LIMIT]

    at_upper = weights >= bounds.upper - _ON_BOUND
    at_lower = (weights <= bounds.lower + _ON_BOUND) & (bounds.lower > 0)
    symbols[at_upper | at_lower] = _NUMBER[Constraint.SYMBOL_LIMIT]
    wished = goals.excluded | (bounds.upper >= goals.symbol_cap[:, np.newaxis] - _ON_BOUND)
    symbols[at_upper & wished] = _NUMBER[Constraint.CLIENT_WISH]
    return found
