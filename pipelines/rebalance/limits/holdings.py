"""What the accounts of each goal hold together."""

from dataclasses import dataclass

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.inputs.shard import Shard


@dataclass(frozen=True)
class GoalHoldings:
    """Sums over the accounts of each goal that can be advised on; the others take no part.

    Attributes
    ----------
    accounts : (goals,) how many.
    wealth_cents, frozen_cents, cash_buffer_cents : (goals,).
    value_cents : (goals, symbols).
    current : (goals, symbols) drifted weights; 0 where there is no wealth.
    frozen_weight : (goals,) of what cannot be traded.
    frozen_class_weight : (goals, classes) of what of it is of one of the market's classes.
    """

    accounts: Integers
    wealth_cents: Integers
    frozen_cents: Integers
    cash_buffer_cents: Integers
    value_cents: Integers
    current: Floats
    frozen_weight: Floats
    frozen_class_weight: Floats


def goal_holdings(shard: Shard) -> GoalHoldings:
    """Add up the accounts of each goal, in whole cents."""
    accounts, goals = shard.accounts, len(shard.goals.target_cents)
    taking_part = np.flatnonzero((accounts.issue == 0) & (accounts.goal >= 0))
    goal = accounts.goal[taking_part]

    def total(values: Integers) -> Integers:
        sums = np.zeros((goals, *values.shape[1:]), dtype=np.int64)
        np.add.at(sums, goal, values[taking_part])
        return sums

    wealth = total(accounts.wealth_cents)
    frozen = total(accounts.frozen_cents)
    frozen_class = total(accounts.frozen_class_cents)
    value = total(accounts.value_cents)
    divisor = np.where(wealth > 0, wealth, 1)
    has_wealth = wealth > 0
    return GoalHoldings(
        accounts=total(np.ones(len(accounts.goal), dtype=np.int64)),
        wealth_cents=wealth,
        frozen_cents=frozen,
        cash_buffer_cents=total(accounts.cash_buffer_cents),
        value_cents=value,
        current=np.where(has_wealth[:, None], value / divisor[:, None], 0.0),
        frozen_weight=np.where(has_wealth, frozen / divisor, 0.0),
        frozen_class_weight=np.where(has_wealth[:, None], frozen_class / divisor[:, None], 0.0),
    )
