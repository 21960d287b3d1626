"""Orders of a shard's accounts that are with the broker."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from models.vocabulary import Side, TradeStatus
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions, text
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.inputs.store_rows import fetch, found, wanted_accounts
from pipelines.store import tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_WITH_THE_BROKER = (TradeStatus.SENT, TradeStatus.PARTLY_FILLED, TradeStatus.FILLED)
"""A filled trade too: a build may be older than the fill, and then its holdings lack it."""

_TRADES = pa.schema(
    [
        ("place", pa.int64()),
        ("trade_id", pa.string()),
        ("run_id", pa.string()),
        ("symbol", pa.string()),
        ("side", pa.string()),
        ("quantity_micros", pa.int64()),
    ]
)
_FILLS = """
    SELECT trade_id, sum(quantity_micros)::BIGINT AS filled_micros
    FROM account_transaction
    WHERE {clients} AND trade_id IS NOT NULL AND reversed_at IS NULL
    GROUP BY trade_id
"""


@dataclass(frozen=True)
class OpenOrders:
    """What orders will still change, one entry per order.

    Attributes
    ----------
    account : row of the account in the shard.
    symbol : text.
    left_micros : signed quantity that the build's holdings lack; never 0.
    own_account : (accounts,) whether orders of the session's own run are with the broker: that run
        cannot be replaced for the account.
    """

    account: Integers
    symbol: pa.StringArray
    left_micros: Integers
    own_account: Mask


def read_open_orders(
    warehouse: "DuckDBPyConnection",
    store: sa.Connection,
    runs: EarlierRuns,
    plan: ShardPlan,
    account_ids: pa.StringArray,
) -> OpenOrders:
    """Read the trades that were sent and are still valid, less what the build knows of fills."""
    own_account = np.zeros(len(account_ids), dtype=np.bool_)
    if not runs.order_run_ids or not len(account_ids):
        nobody = np.empty(0, dtype=np.int64)
        return OpenOrders(nobody, pa.array([], pa.string()), nobody, own_account)
    trades = found(fetch(store, _trades(store, runs, account_ids), _TRADES), "trade_id")
    place = integers(trades["place"])
    is_own = pc.is_in(trades["run_id"], value_set=pa.array(runs.own_run_ids, pa.string()))
    own_account[place[is_own.to_numpy()]] = True
    left = _left(trades, rows_of_clients(warehouse, plan, _FILLS))
    is_open = left != 0
    return OpenOrders(
        account=place[is_open],
        symbol=text(trades["symbol"].filter(pa.array(is_open))),
        left_micros=left[is_open],
        own_account=own_account,
    )


def _left(trades: pa.Table, fills: pa.Table) -> Integers:
    ordered = integers(trades["quantity_micros"])
    place = positions(trades["trade_id"], text(fills["trade_id"]))
    filled = np.zeros_like(ordered)
    filled[place >= 0] = np.abs(integers(fills["filled_micros"]))[place[place >= 0]]
    sign = np.where(pc.equal(trades["side"], Side.BUY.value).to_numpy(), 1, -1)
    return sign * np.maximum(ordered - filled, 0)


def _trades(
    store: sa.Connection, runs: EarlierRuns, account_ids: pa.StringArray
) -> sa.Select[tuple[int, str, str, str, str, int]]:
    trade, wanted = tables["trade"], wanted_accounts(store, account_ids)
    return (
        sa.select(
            wanted.c.place,
            trade.c.trade_id,
            trade.c.run_id,
            trade.c.symbol,
            trade.c.side,
            trade.c.quantity_micros,
        )
        .select_from(wanted)
        .outerjoin(
            trade,
            sa.and_(
                trade.c.run_id.in_(runs.order_run_ids),
                trade.c.account_id == wanted.c.account_id,
                trade.c.status.in_(_WITH_THE_BROKER),
            ),
        )
    )
