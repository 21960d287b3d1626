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
    """Targets under other forecasts, all else equal, in the order of ``AllocationView``.

    Attributes
    ----------
    nanos : (views, goals, symbols + 1) billionths, cash last; -1 where there is none.
    account_nanos : (views, accounts, symbols + 1) the same, located over the goals' accounts.
    """

    nanos: Integers
    account_nanos: Integers


@dataclass(frozen=True)
class ShardAdvice:
    """All advice of a shard.

    Attributes
    ----------
    solutions : a row per goal; NaN, and -1 for the solver, where none was solved in this run.
    reasons : a row per trade, in the order of accounts and then of symbols.
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
