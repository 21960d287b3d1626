"""The tax lots of a shard."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rebalance.arrays import Integers
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
    order = _order(rows, account)
    rows, account = rows.take(pa.array(order)), account[order]
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


def _order(rows: pa.Table, account: Integers) -> Integers:
    """Return the rows of known accounts in the order of account, symbol and lot.

    The mart lies in that order but for its accounts, so sorting numbers is enough but where
    somebody wrote lots in another one: texts are sorted only then.
    """
    names = pc.array_sort_indices(pc.unique(rows["symbol"]))
    sorted_names = pc.unique(rows["symbol"]).take(names)
    key = account * (len(sorted_names) + 1) + positions(rows["symbol"], sorted_names)
    order = np.argsort(key, kind="stable")
    order = order[account[order] >= 0]
    lot_id, sorted_key = rows["lot_id"].combine_chunks().take(pa.array(order)), key[order]
    rises = pc.less(lot_id[:-1], lot_id[1:]).to_numpy(zero_copy_only=False)
    if (rises | (sorted_key[:-1] < sorted_key[1:])).all():
        return order
    by = pa.table({"key": sorted_key, "lot_id": lot_id})
    exact = pc.sort_indices(by, sort_keys=[("key", "ascending"), ("lot_id", "ascending")])
    return order[exact.to_numpy()]
