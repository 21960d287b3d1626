"""An advisor on the small market, and what becomes of an account that follows it."""

import dataclasses

from rebalance_examples import PRICES, forecasts, market

from models.vocabulary import CASH, MICROS_PER_CENT, Side
from pipelines.rebalance.advisor import Advice, Advisor
from pipelines.rebalance.inputs.accounts import Account, Position
from pipelines.rebalance.inputs.last_targets import LastTarget
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import make_outlook
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.scalar.orders import notional_cents

MARKET = market()


def make_advisor(confidence: float = 0.2, of: Market = MARKET) -> Advisor:
    return Advisor(of, make_outlook(of, forecasts(confidence), POLICY), POLICY)


OUTLOOK = make_outlook(MARKET, forecasts(), POLICY)


ADVISOR = Advisor(MARKET, OUTLOOK, POLICY)


def published(advice: Advice, run_id: str = "before") -> LastTarget:
    """The target of an advice as a later run reads it from the store."""
    assert advice.new is not None
    weights = advice.new.target.as_fractions().tolist()
    limits = advice.new.limits.limits
    names = (*MARKET.symbols, CASH)
    upper = [*limits.upper.tolist(), limits.cash_ceiling]
    return LastTarget(
        run_id,
        advice.account.risk_score,
        dict(zip(names, weights, strict=True)),
        dict(zip(names, upper, strict=True)),
    )


def filled(advice: Advice) -> Account:
    """The account once all its trades are done."""
    held = {
        symbol: position.quantity_micros for symbol, position in advice.account.positions.items()
    }
    for order in advice.orders.orders:
        symbol = MARKET.symbols[order.position]
        signed = order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
        held[symbol] = held.get(symbol, 0) + signed
    positions = {
        symbol: Position(quantity, PRICES[symbol], notional_cents(quantity, PRICES[symbol]))
        for symbol, quantity in held.items()
        if quantity
    }
    cash = advice.orders.cash_after_cents
    return dataclasses.replace(
        advice.account,
        positions=positions,
        cash_micros=cash * MICROS_PER_CENT,
        wealth_cents=cash + sum(p.value_cents or 0 for p in positions.values()),
    )
