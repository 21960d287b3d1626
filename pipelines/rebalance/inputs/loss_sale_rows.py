"""What a shard's clients sold at a loss lately, so that nobody buys it back too early."""

from typing import TYPE_CHECKING

import numpy as np

from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions
from pipelines.rebalance.inputs.shard import LossSales
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.inputs.worth import MOST_CENTS
from pipelines.rebalance.market.market import Market

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CLIENTS = "SELECT DISTINCT client_id FROM account WHERE {clients} ORDER BY client_id"
_QUERY = f"""
    SELECT
        client_id,
        symbol,
        least({MOST_CENTS}, sum(unmatched_micros))::BIGINT AS quantity_micros,
        least({MOST_CENTS}, sum(loss_cents))::BIGINT AS loss_cents
    FROM loss_sale
    WHERE {{clients}} AND unmatched_micros > 0 AND loss_cents > 0
    GROUP BY client_id, symbol
    ORDER BY client_id, symbol
"""


def read_loss_sales(warehouse: "DuckDBPyConnection", plan: ShardPlan, market: Market) -> LossSales:
    """Read the mart ``loss_sale``; what neither the market nor a substitute in it is, nobody buys.

    Clients are numbered in the order of their ids, as ``Accounts.client`` is.
    """
    clients = rows_of_clients(warehouse, plan, _CLIENTS)["client_id"].combine_chunks()
    rows = rows_of_clients(warehouse, plan, _QUERY)
    client = positions(rows["client_id"], clients)
    known = tuple(sorted(market.instruments))
    symbol = _stands_for(market, known)[positions(rows["symbol"], known)]
    counts = (client >= 0) & (symbol >= 0)
    return LossSales(
        client=client[counts],
        symbol=symbol[counts],
        quantity_micros=integers(rows["quantity_micros"])[counts],
        loss_cents=integers(rows["loss_cents"])[counts],
    )


def _stands_for(market: Market, known: tuple[str, ...]) -> Integers:
    """Return, per known symbol and then for an unknown one, its position or a substitute's; or -1.

    All of a substitute group count alike, so any position of the group says what is meant.
    """
    of_group = {
        market.instruments[symbol].substitute_group: position
        for position, symbol in reversed(list(enumerate(market.symbols)))
    }
    found = [of_group.get(market.instruments[symbol].substitute_group, -1) for symbol in known]
    return np.array([*found, -1], dtype=np.int64)
