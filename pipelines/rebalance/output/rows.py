"""Advice as rows of the store's output tables."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from models.store_inputs import INSTRUMENT
from models.vocabulary import CASH, TradeStatus
from pipelines.rebalance.advisor import Advice, NewTarget
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.solver.definition import SOLVER
from pipelines.rebalance.trades.scalar.weights import NANOS

Row = dict[str, Any]
_TRADE_ID_DIGITS = 32
_ON_BOUND = 1.5 / NANOS


def trade_id(run_id: str, account_id: str, symbol: str) -> str:
    """Return the key of a trade: an account trades a symbol at most once in a run."""
    text = "\n".join((run_id, account_id, symbol))
    return hashlib.sha256(text.encode()).hexdigest()[:_TRADE_ID_DIGITS]


def outcome_rows(run_id: str, advice: Iterable[Advice]) -> Iterator[Row]:
    """Yield one row of ``client_outcome`` per account."""
    for item in advice:
        account, orders, new, last = item.account, item.orders, item.new, item.last
        score = account.risk_score if new else last.risk_score if last else None
        yield {
            "run_id": run_id,
            "account_id": account.account_id,
            "client_id": account.client_id,
            "outcome": item.outcome,
            "allocation_run_id": run_id if new else last.run_id if last else None,
            "trigger": item.trigger,
            "risk_score": score,
            "drift": item.drift,
            "objective": new.solution.objective if new else None,
            "kkt_residual": new.solution.kkt_residual if new else None,
            "solver": SOLVER if new else None,
            "relaxed_constraints": ",".join(item.relaxed) or None,
            "wealth_cents": account.wealth_cents if account.is_priced else None,
            "cash_before_cents": orders.cash_before_cents,
            "sells_cents": orders.sells_cents,
            "buys_cents": orders.buys_cents,
            "fees_cents": orders.fees_cents,
            "cash_after_cents": orders.cash_after_cents,
            "sentence": item.sentence,
        }


def allocation_rows(run_id: str, market: Market, advice: Iterable[Advice]) -> Iterator[Row]:
    """Yield the rows of ``target_allocation``: every symbol and cash of every new target."""
    for item in advice:
        if item.new is None:
            continue
        key = {"run_id": run_id, "account_id": item.account.account_id}
        for values in _weights(market, item.new):
            yield key | values


def trade_rows(
    run_id: str, market: Market, advice: Iterable[Advice], valid_until: dt.date
) -> Iterator[Row]:
    """Yield one row of ``trade`` per order, numbered within its account, sells first."""
    for item in advice:
        for sequence, order in enumerate(item.orders.orders, start=1):
            symbol = market.symbols[order.position]
            yield {
                "trade_id": trade_id(run_id, item.account.account_id, symbol),
                "run_id": run_id,
                "account_id": item.account.account_id,
                "symbol": symbol,
                "side": order.side,
                "quantity_micros": order.quantity_micros,
                "price_micros": order.price_micros,
                "notional_cents": order.notional_cents,
                "fee_cents": order.fee_cents,
                "sequence": sequence,
                "status": TradeStatus.PROPOSED,
                "valid_until": valid_until,
            }


def reason_rows(run_id: str, market: Market, advice: Iterable[Advice]) -> Iterator[Row]:
    """Yield one row of ``trade_reason`` per order."""
    for item in advice:
        for order, reason in zip(item.orders.orders, item.reasons, strict=True):
            symbol = market.symbols[order.position]
            key = {"trade_id": trade_id(run_id, item.account.account_id, symbol)}
            yield key | vars(reason)


def instrument_rows(market: Market) -> Iterator[Row]:
    """Yield one row of ``instrument`` per instrument that the source describes."""
    for instrument in market.instruments.values():
        yield {name: getattr(instrument, name) for name in INSTRUMENT.column_names}


def price_rows(market: Market, data_snapshot: str) -> Iterator[Row]:
    """Yield one row of ``market_price`` per instrument that has an accepted close."""
    for instrument in market.instruments.values():
        if instrument.price_micros is not None:
            yield {
                "symbol": instrument.symbol,
                "session_date": instrument.price_session_date,
                "price_micros": instrument.price_micros,
                "data_snapshot": data_snapshot,
            }


def _weights(market: Market, new: NewTarget) -> Iterator[Row]:
    limits = new.limits.limits
    lower = np.append(np.zeros(len(market.symbols)), limits.cash_floor)
    upper = np.append(limits.upper, limits.cash_ceiling)
    weights = new.target.as_fractions()
    binds = (weights <= lower + _ON_BOUND) | (weights >= upper - _ON_BOUND)
    columns = zip((*market.symbols, CASH), weights, new.current, lower, upper, binds, strict=True)
    for symbol, weight, current, low, high, bound in columns:
        yield {
            "symbol": symbol,
            "weight": weight,
            "current_weight": current,
            "lower_bound": low,
            "upper_bound": high,
            "bound_binds": bound,
        }
