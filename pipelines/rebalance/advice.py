"""What a run does with a shard: the result of all its steps, before it becomes rows."""

from dataclasses import dataclass

import pyarrow as pa

from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.solver.problems import Solutions
from pipelines.rebalance.trades.sized import LotSales, Sized, Targets


@dataclass(frozen=True)
class Reasons:
    """Causes of each trade, and of each target.

    Attributes
    ----------
    causes_micros : (trades, causes) in the order of ``models.store_trades.CAUSES``; a row sums to
        the trade's signed quantity. Trades in the order of accounts and then symbols.
    sentence : (trades,) text.
    is_complete : whether every step of a trade's path could be solved, (trades,) as 0 or 1.
    """

    causes_micros: Integers
    sentence: pa.StringArray
    is_complete: Integers


@dataclass(frozen=True)
class Views:
    """Targets under other forecasts, all else equal.

    Attributes
    ----------
    nanos : (views, goals, symbols + 1) in the order of ``AllocationView``; -1 where there is none.
    """

    nanos: Integers


@dataclass(frozen=True)
class ShardAdvice:
    """All advice of a shard.

    Attributes
    ----------
    outcome, trigger : (accounts,) as ``tuple(Outcome)`` and ``tuple(Trigger)`` number them.
    drift : (accounts,) half the sum of absolute weight gaps; NaN where there is no target.
    sentence : (accounts,) text for the client.
    """

    shard: Shard
    bounds: Bounds
    targets: Targets
    solutions: Solutions
    sized: Sized
    lot_sales: LotSales
    reasons: Reasons
    views: Views
    outcome: Integers
    trigger: Integers
    drift: Floats
    sentence: pa.StringArray
