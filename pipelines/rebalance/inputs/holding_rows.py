"""What the accounts of a shard hold, with what open orders will make of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import CASH
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions, text
from pipelines.rebalance.inputs.shard import OpenOrders
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.inputs.worth import MOST_CENTS, bounded_micros, worth_cents
from pipelines.rebalance.market.market import Market

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_HOLDINGS = f"""
    SELECT
        account_id,
        symbol,
        quantity_micros,
        greatest(-{MOST_CENTS}, least({MOST_CENTS}, coalesce(value_cents, 0))) AS value_cents,
        price_micros IS NULL AS is_unpriced
    FROM account_holding
    WHERE {{clients}} AND symbol <> '{CASH}'
"""


@dataclass(frozen=True)
class Holdings:
    """What accounts hold besides cash, (accounts,) unless said otherwise.

    Attributes
    ----------
    held_micros, value_cents : (accounts, symbols) of the market's symbols.
    frozen_cents : worth of what is priced and outside the market.
    frozen_class_cents : (accounts, classes) what of it is of one of the market's classes.
    ordered_cents : what open orders will take of cash at the session's prices; negative where they
        bring some.
    unpriced, short : symbols without a price and those owed, comma-separated; empty where none.
    """

    held_micros: Integers
    value_cents: Integers
    frozen_cents: Integers
    frozen_class_cents: Integers
    ordered_cents: Integers
    unpriced: pa.StringArray
    short: pa.StringArray


def read_holdings(
    warehouse: "DuckDBPyConnection",
    plan: ShardPlan,
    market: Market,
    orders: OpenOrders,
    account_ids: pa.StringArray,
) -> Holdings:
    """Read the mart ``account_holding``, and add what orders will still change."""
    rows = rows_of_clients(warehouse, plan, _HOLDINGS)
    account = positions(rows["account_id"], account_ids)
    symbol = positions(rows["symbol"], market.symbols)
    quantity = bounded_micros(integers(rows["quantity_micros"]))
    traded = (account >= 0) & (symbol >= 0)
    held = np.zeros((len(account_ids), len(market.symbols)), dtype=np.int64)
    held[account[traded], symbol[traded]] = quantity[traded]
    known, class_of = _classes(market)
    frozen = np.zeros((len(account_ids), len(market.classes) + 1), dtype=np.int64)
    outside = (account >= 0) & (symbol < 0)
    frozen_class = class_of[positions(rows["symbol"].filter(pa.array(outside)), known)]
    np.add.at(frozen, (account[outside], frozen_class), integers(rows["value_cents"])[outside])
    ordered = _add_orders(held, frozen, orders, market)
    unpriced = (quantity != 0) & rows["is_unpriced"].to_numpy()
    return Holdings(
        held_micros=held,
        value_cents=worth_cents(held, np.array(market.price_micros, dtype=np.int64)),
        frozen_cents=frozen.sum(axis=1),
        frozen_class_cents=np.ascontiguousarray(frozen[:, :-1]),
        ordered_cents=ordered,
        unpriced=_named(rows["symbol"], account, unpriced, len(account_ids)),
        short=_named(rows["symbol"], account, quantity < 0, len(account_ids)),
    )


def _classes(market: Market) -> tuple[tuple[str, ...], Integers]:
    """Return all known symbols, and the number of each one's class and, last, that of none."""
    known = tuple(sorted(market.instruments))
    number = {name: place for place, name in enumerate(market.classes)}
    classes = [number.get(market.instruments[name].asset_class, len(number)) for name in known]
    return known, np.array([*classes, len(number)], dtype=np.int64)


def _add_orders(held: Integers, frozen: Integers, orders: OpenOrders, market: Market) -> Integers:
    """Add open orders to what is held, and return the cash that they take of each account."""
    symbol = positions(orders.symbol, market.symbols)
    traded = symbol >= 0
    np.add.at(held, (orders.account[traded], symbol[traded]), orders.left_micros[traded])
    known, class_of = _classes(market)
    prices = np.array([market.instruments[name].price_micros or 0 for name in known] + [0])
    place = positions(orders.symbol, known)
    worth = worth_cents(orders.left_micros, prices[place])
    np.add.at(frozen, (orders.account[~traded], class_of[place[~traded]]), worth[~traded])
    ordered = np.zeros(len(held), dtype=np.int64)
    np.add.at(ordered, orders.account, worth)
    return ordered


def _named(
    symbols: pa.ChunkedArray, account: Integers, is_meant: Mask, count: int
) -> pa.StringArray:
    """Return, per account, the symbols of the rows that are meant, sorted and comma-separated."""
    row = np.flatnonzero(is_meant & (account >= 0))
    meant = pa.table({"account": account[row], "symbol": symbols.take(pa.array(row))})
    meant = meant.sort_by([("account", "ascending"), ("symbol", "ascending")])
    first = np.searchsorted(integers(meant["account"]), np.arange(count + 1)).astype(np.int32)
    lists = pa.ListArray.from_arrays(first, text(meant["symbol"]))
    return pc.binary_join(lists, ", ")
