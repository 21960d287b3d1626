"""What a shard's clients sold at a loss lately, so that nobody buys it back too early."""

from typing import TYPE_CHECKING

import numpy as np

from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions
from pipelines.rebalance.inputs.shard import LossSales
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.market.market import Market

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CLIENTS = "SELECT DISTINCT client_id FROM account WHERE {clients} ORDER BY client_id"
_QUERY = """
    SELECT
        client_id,
        symbol,
        sum(unmatched_micros)::BIGINT AS quantity_micros,
        sum(loss_cents)::BIGINT AS loss_cents
    FROM loss_sale
    WHERE {clients}
    GROUP BY client_id, symbol
    ORDER BY client_id, symbol
"""


def read_loss_sales(warehouse: "DuckDBPyConnection", plan: ShardPlan, market: Market) -> LossSales:
    """Read the mart ``loss_sale``; each loss counts for the first symbol that would replace it."""
    clients = rows_of_clients(warehouse, plan, _CLIENTS)["client_id"].combine_chunks()
    rows = rows_of_clients(warehouse, plan, _QUERY)
    sold = tuple(sorted(market.instruments))
    replaces = _replaces(market, sold)[positions(rows["symbol"], sold)]
    sale = np.flatnonzero(replaces.any(axis=1))
    return LossSales(
        client=positions(rows["client_id"], clients)[sale],
        symbol=replaces[sale].argmax(axis=1),
        quantity_micros=integers(rows["quantity_micros"])[sale],
        loss_cents=integers(rows["loss_cents"])[sale],
    )


def _replaces(market: Market, sold: tuple[str, ...]) -> np.ndarray:
    """Return (sold + 1, symbols) whether a symbol of the market is as good as what was sold."""
    group = [market.instruments[symbol].substitute_group for symbol in sold]
    candidates = [market.instruments[symbol].substitute_group for symbol in market.symbols]
    same = np.array(group)[:, None] == np.array(candidates)[None, :]
    return np.vstack([same, np.zeros((1, len(candidates)), dtype=np.bool_)])
