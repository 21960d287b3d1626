"""Orders of a shard's accounts that are with the broker."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from models.store_trades import OPEN_ORDER
from models.vocabulary import Side
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions, text
from pipelines.rebalance.inputs.earlier_runs import WITH_THE_BROKER, EarlierRuns
from pipelines.rebalance.inputs.shard import OpenOrders, no_open_orders
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.inputs.store_rows import fetch, found, wanted_accounts
from pipelines.store import tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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


def read_open_orders(
    warehouse: "DuckDBPyConnection",
    store: sa.Connection,
    runs: EarlierRuns,
    plan: ShardPlan,
    account_ids: pa.StringArray,
) -> OpenOrders:
    """Read the trades that are with the broker and still valid, less what the build has of fills.

    A replay reads those that its run counted, in place of those that have such a status now.
    """
    if not runs.order_run_ids or not len(account_ids):
        return no_open_orders()
    trades = found(fetch(store, _trades(store, runs, account_ids), _TRADES), "trade_id")
    left = _left(trades, rows_of_clients(warehouse, plan, _FILLS))
    is_own = pc.is_in(trades["run_id"], value_set=pa.array(runs.own_run_ids, pa.string()))
    counts = pa.array((left != 0) | is_own.to_numpy())
    trades = (
        trades.append_column("left_micros", pa.array(left))
        .append_column("is_own", is_own)
        .filter(counts)
        .sort_by([("place", "ascending"), ("trade_id", "ascending")])
    )
    return OpenOrders(
        trade_id=text(trades["trade_id"]),
        symbol=text(trades["symbol"]),
        account=integers(trades["place"]),
        left_micros=integers(trades["left_micros"]),
        is_own=trades["is_own"].to_numpy(),
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
    if runs.counted_by is None:
        orders = wanted.outerjoin(
            trade,
            sa.and_(
                trade.c.run_id.in_(runs.order_run_ids),
                trade.c.account_id == wanted.c.account_id,
                trade.c.status.in_(WITH_THE_BROKER),
            ),
        )
    else:
        counted = tables[OPEN_ORDER.name]
        of_account = sa.and_(
            counted.c.run_id == runs.counted_by, counted.c.account_id == wanted.c.account_id
        )
        orders = wanted.outerjoin(counted, of_account).outerjoin(
            trade, trade.c.trade_id == counted.c.trade_id
        )
    return sa.select(
        wanted.c.place,
        trade.c.trade_id,
        trade.c.run_id,
        trade.c.symbol,
        trade.c.side,
        trade.c.quantity_micros,
    ).select_from(orders)
