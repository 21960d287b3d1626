"""The tax lots of a shard."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions, text
from pipelines.rebalance.inputs.shard import Lots
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.market.market import Market

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_QUERY = """
    SELECT
        account_id, lot_id, symbol, quantity_micros, basis_cents, held_since_date, acquired_date,
        is_replacement
    FROM tax_lot
    WHERE {clients}
    ORDER BY account_id, symbol, lot_id
"""
_UNKNOWN = -1


def read_lots(
    warehouse: "DuckDBPyConnection",
    plan: ShardPlan,
    market: Market,
    account_ids: pa.StringArray,
) -> Lots:
    """Read the mart ``tax_lot``; the accounts' ids are sorted."""
    rows = rows_of_clients(warehouse, plan, _QUERY)
    account = positions(rows["account_id"], account_ids)
    if (account < 0).any():
        rows, account = rows.filter(pa.array(account >= 0)), account[account >= 0]
    return Lots(
        first=np.searchsorted(account, np.arange(len(account_ids) + 1)).astype(np.int64),
        lot_id=text(rows["lot_id"]),
        symbol=positions(rows["symbol"], market.symbols),
        quantity_micros=integers(rows["quantity_micros"]),
        basis_cents=integers(rows["basis_cents"], missing=_UNKNOWN),
        held_since_day=integers(rows["held_since_date"], missing=_UNKNOWN),
        acquired_day=integers(rows["acquired_date"], missing=_UNKNOWN),
        is_replacement=pc.fill_null(rows["is_replacement"], False).to_numpy(),
    )
