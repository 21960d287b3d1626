"""From account targets to executable trades, in integers throughout."""

from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.sized import Sized, Targets
from pipelines.rebalance.trades.weights import WeightLimits


def size(
    shard: Shard,
    targets: Targets,
    bounds: WeightLimits,
    market: Market,
    policy: Policy,
    *,
    idle_because: Integers,
    is_flow_only: Mask,
    sell_limit_micros: Integers | None = None,
    is_buy_blocked: Mask | None = None,
) -> Sized:
    """Return the trades that bring accounts as near to their targets as lots and cash allow.

    Parameters
    ----------
    shard : what accounts hold.
    targets : of accounts, as ``location.locate`` gives them; ``NO_TARGET`` rows are not traded.
    bounds : (goals, ...) limits of each goal.
    market : symbols, prices, and which may be bought.
    policy : lots, fees and the smallest trade.
    idle_because : (accounts,) why an account is not traded, as ``tuple(NoTrade)`` numbers it
        (within_band, cooldown, open_order, held); -1: it is traded.
    is_flow_only : (accounts,) whether the target stands and only cash is brought to its place:
        what is too much buys what is underweight, what is missing is raised from what is
        overweight, and nothing else is traded.
    sell_limit_micros : (accounts, symbols) the most that tax allows to sell, given up only for the
        cash buffer; None: no limit.
    is_buy_blocked : (accounts, symbols) what a wash sale keeps from being bought; None: nothing.
    """
    raise NotImplementedError
