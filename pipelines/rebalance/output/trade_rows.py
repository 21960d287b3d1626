"""Rows of ``trade``, ``trade_reason``, ``trade_lot`` and ``open_order``."""

import datetime as dt

import numpy as np
import pyarrow as pa

from models.store_trades import CAUSES, OPEN_ORDER, TRADE, TRADE_LOT, TRADE_REASON
from models.vocabulary import Side, TradeStatus
from pipelines.rebalance.advice import ShardAdvice
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.output.columns import integers, same, table_of, trade_ids, words
from pipelines.rebalance.trades.lots import lot_ids

_SELL, _BUY = (tuple(Side).index(side) for side in (Side.SELL, Side.BUY))
_UNKNOWN = -1

Traded = tuple[Integers, Integers]
"""Account and symbol of each trade, in the order of accounts and then symbols."""


def trades(
    run_id: str, market: Market, advice: ShardAdvice, traded: Traded, valid_until: dt.date
) -> pa.Table:
    """Return one row for each trade, numbered within its account, sells first."""
    account, symbol = traded
    quantity = advice.sized.traded_micros[traded]
    account_ids = advice.shard.accounts.account_id
    names = pa.array(market.symbols, pa.string())
    return table_of(
        TRADE,
        {
            "trade_id": trade_ids(run_id, account_ids, account, market.symbols, symbol),
            "run_id": same(run_id, len(account)),
            "account_id": account_ids.take(pa.array(account)),
            "symbol": names.take(pa.array(symbol)),
            "side": words(np.where(quantity > 0, _BUY, _SELL), Side),
            "quantity_micros": integers(np.abs(quantity)),
            "price_micros": integers(np.array(market.price_micros, dtype=np.int64)[symbol]),
            "notional_cents": integers(advice.sized.notional_cents[traded]),
            "fee_cents": integers(advice.sized.fee_cents[traded]),
            "sequence": integers(_sequence(account, quantity > 0)),
            "status": same(TradeStatus.PROPOSED.value, len(account)),
            "valid_until": pa.repeat(pa.scalar(valid_until), len(account)),
        },
    )


def trade_reasons(made: pa.Table, advice: ShardAdvice) -> pa.Table:
    """Return the causes of each trade, in the order of the trades."""
    causes = advice.reasons.causes_micros
    return table_of(
        TRADE_REASON,
        {
            "trade_id": made["trade_id"],
            "sentence": advice.reasons.sentence,
            **{
                f"{cause}_micros": integers(np.ascontiguousarray(causes[:, number]))
                for number, cause in enumerate(CAUSES)
            },
        },
    )


def trade_lots(made: pa.Table, traded: Traded, advice: ShardAdvice) -> pa.Table:
    """Return one row for each sale of a lot."""
    sales, lots = advice.lot_sales, advice.shard.lots
    trade_of = np.full(advice.sized.traded_micros.shape, _UNKNOWN)
    trade_of[traded] = np.arange(made.num_rows)
    since = np.append(lots.held_since_day, _UNKNOWN)[sales.lot]
    return table_of(
        TRADE_LOT,
        {
            "trade_id": made["trade_id"].take(pa.array(trade_of[sales.account, sales.symbol])),
            "lot_id": lot_ids(advice.shard, sales),
            "quantity_micros": integers(sales.quantity_micros),
            "proceeds_cents": integers(sales.proceeds_cents),
            "basis_cents": integers(sales.basis_cents, sales.basis_cents != _UNKNOWN),
            "is_long_term": pa.array(sales.is_long_term, pa.bool_(), mask=since == _UNKNOWN),
            "disallowed_cents": integers(sales.disallowed_cents),
        },
    )


def open_orders(run_id: str, shard: Shard) -> pa.Table:
    """Return one row for each order of earlier advice that counted, in the order of accounts."""
    orders = shard.orders
    return table_of(
        OPEN_ORDER,
        {
            "run_id": same(run_id, len(orders.account)),
            "account_id": shard.accounts.account_id.take(pa.array(orders.account)),
            "trade_id": orders.trade_id,
            "left_micros": integers(orders.left_micros),
        },
    )


def _sequence(account: Integers, is_buy: np.ndarray) -> Integers:
    """Return each trade's number within its account, sells first, each in symbol order."""
    order = np.lexsort((is_buy, account))  # stable: symbols stay in order
    first = np.searchsorted(account, account)
    sequence = np.empty(len(account), dtype=np.int64)
    sequence[order] = np.arange(len(account)) - first[order] + 1
    return sequence
