"""Where a goal's one target is held: over its accounts, by how each is taxed."""

from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.market.market import Market


def locate(shard: Shard, goal_nanos: Integers, market: Market) -> Integers:
    """Return each account's target: its goal's target located over the goal's accounts.

    Parameters
    ----------
    shard : goals and accounts, the latter sorted by account id.
    goal_nanos : (goals, symbols + 1) billionths, cash last; ``NO_TARGET`` where there is none.
    market : symbols, their classes and prices, and which may be bought.

    Returns
    -------
    (accounts, symbols + 1) billionths of each account's wealth, cash last, frozen holdings counting
    as cash; ``NO_TARGET`` for accounts without a target: with an issue, without a goal, whose goal
    has no target, or beyond ``orders.is_tradable``.
    """
    raise NotImplementedError
