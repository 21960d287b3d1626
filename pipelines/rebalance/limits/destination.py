"""How far an account is brought towards its target: all the way, to the band's edge, or as cash goes."""

from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy


def destination_nanos(
    shard: Shard, account_nanos: Integers, trigger: Integers, market: Market, policy: Policy
) -> Integers:
    """Return where accounts' trades should lead: their target, or a point on the way to it.

    Parameters
    ----------
    account_nanos : (accounts, symbols + 1) targets in billionths, cash last; -1: none.
    trigger : (accounts,) as :func:`trigger_of` returns it.

    Returns
    -------
    (accounts, symbols + 1) billionths that sum to those of the target; -1 where there is none.
    """
    raise NotImplementedError
