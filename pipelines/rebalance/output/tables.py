"""A shard's advice as rows of the store's tables, column by column."""

import datetime as dt

import numpy as np
import pyarrow as pa

from models.store_advice import CLIENT_OUTCOME, TARGET_ALLOCATION
from models.store_explanations import COUNTERFACTUAL_TARGET, GOAL_PROJECTION
from models.store_trades import OPEN_ORDER, TRADE, TRADE_LOT, TRADE_REASON
from pipelines.rebalance.advice import ShardAdvice
from pipelines.rebalance.goals.projection import Projections
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.output.allocations import allocations, counterfactuals
from pipelines.rebalance.output.outcomes import outcomes
from pipelines.rebalance.output.projections import projections
from pipelines.rebalance.output.trade_rows import (
    open_orders,
    trade_lots,
    trade_reasons,
    trades,
)
from pipelines.rebalance.solver.problems import Risk


def tables_of(
    run_id: str,
    market: Market,
    risk: Risk,
    advice: ShardAdvice,
    prospects: Projections,
    valid_until: dt.date,
) -> dict[str, pa.Table]:
    """Return the rows of a shard by the names of their tables, in the order of their keys.

    The same advice gives the same bytes.

    Parameters
    ----------
    risk : whose classes limit targets.
    prospects : of the shard's goals.
    valid_until : last session on which the trades may be executed.
    """
    account, symbol = np.nonzero(advice.sized.traded_micros)
    traded = (account.astype(np.int64), symbol.astype(np.int64))
    made = trades(run_id, market, advice, traded, valid_until)
    return {
        CLIENT_OUTCOME.name: outcomes(run_id, advice),
        TARGET_ALLOCATION.name: allocations(run_id, market, risk, advice),
        COUNTERFACTUAL_TARGET.name: counterfactuals(run_id, market, advice),
        GOAL_PROJECTION.name: projections(run_id, advice.shard.goals, prospects),
        TRADE.name: made,
        TRADE_REASON.name: trade_reasons(made, advice),
        TRADE_LOT.name: trade_lots(made, traded, advice),
        OPEN_ORDER.name: open_orders(run_id, advice.shard),
    }
