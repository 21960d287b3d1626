"""Why an account is acted on today, or that it is not."""

from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy


def trigger_of(
    shard: Shard, bounds: Bounds, market: Market, policy: Policy, harvests: Mask | None = None
) -> Integers:
    """Return each account's trigger, the first that holds in the order of ``Trigger``.

    Parameters
    ----------
    harvests : (accounts,) whether losses of it would be harvested; none by default.

    Returns
    -------
    (accounts,) as ``tuple(Trigger)`` numbers them.
    """
    raise NotImplementedError
