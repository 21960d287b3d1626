"""What the paper broker executes of one trade."""

import datetime as dt
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from models.vocabulary import MICROS, MICROS_PER_CENT, ShareKind, Side
from pipelines.fills.fill import Fill, half_even
from pipelines.fills.orders import Order
from pipelines.rebalance.policy import POLICY
from pipelines.sessions import close_of, session_after

Row = dict[str, Any]

_BPS = 10_000


def executed(
    order: Order,
    accounts: Mapping[str, Row],
    cash: dict[str, int],
    prices: Mapping[str, int],
    executed_on: dt.date,
    share: Fraction,
) -> Fill | None:
    """Return what is executed of a trade, and keep count of the account's cash."""
    price = prices.get(order.symbol)
    if price is None or order.account_id not in accounts or order.valid_until < executed_on:
        return None
    is_whole = accounts[order.account_id]["share_kind"] == ShareKind.WHOLE
    quantity = int(order.left_micros * share)
    if is_whole and quantity < order.left_micros:
        quantity -= quantity % MICROS
    if order.side is Side.BUY:
        quantity = _affordable(quantity, price, cash.get(order.account_id, 0), is_whole=is_whole)
    if quantity <= 0:
        return None
    fill = _make(order, quantity, price, executed_on)
    cash[order.account_id] = cash.get(order.account_id, 0) + fill.cash_cents
    return fill


def _affordable(quantity: int, price_micros: int, cash_cents: int, *, is_whole: bool) -> int:
    """Return how much of a buy the cash pays for, fee included."""
    lot = MICROS if is_whole else POLICY.fractional_lot_micros
    while quantity > 0:
        notional = half_even(quantity * price_micros, MICROS * MICROS_PER_CENT)
        cost = notional + _fee(notional)
        if cost <= cash_cents:
            return quantity
        paid_for = max(quantity * max(cash_cents, 0) // cost, 0)
        quantity = min(paid_for, quantity - 1) // lot * lot
    return 0


def _fee(notional_cents: int) -> int:
    return half_even(notional_cents * POLICY.cost_bps, _BPS)


def _make(order: Order, quantity: int, price: int, executed_on: dt.date) -> Fill:
    notional = half_even(quantity * price, MICROS * MICROS_PER_CENT)
    return Fill(
        line=0,
        external_id=f"paper/{order.trade_id}/{executed_on}",
        trade_id=order.trade_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        quantity_micros=quantity,
        price_micros=price,
        fee_cents=_fee(notional),
        executed_at=close_of(executed_on),
        settlement_date=session_after(executed_on),
    )
