"""A fill as a broker reports it, and the arithmetic of its money."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from models.vocabulary import MICROS, Side
from pipelines.lineage import json_digest

_EXCHANGE_ZONE = ZoneInfo("America/New_York")
_MICROS_SQUARED_PER_CENT = 10_000_000_000


@dataclass(frozen=True)
class Fill:
    """What was executed of an order.

    Attributes
    ----------
    line : where it stands in its file; 0 where there is none.
    external_id : the broker's key of it.
    trade_id : the advised trade; None: to be found by account, symbol and side.
    account_id, symbol : None where the trade says it.
    quantity_micros, price_micros : above 0.
    fee_cents : at least 0.
    settlement_date : None: unknown.
    """

    line: int
    external_id: str
    trade_id: str | None
    account_id: str | None
    symbol: str | None
    side: Side
    quantity_micros: int
    price_micros: int
    fee_cents: int
    executed_at: dt.datetime
    settlement_date: dt.date | None

    @cached_property
    def transaction_id(self) -> str:
        """The key of its transaction, a function of the broker's key."""
        return json_digest(["fill", self.external_id])[:32]

    @cached_property
    def trade_date(self) -> dt.date:
        """The exchange's date of the execution, from which tax counts."""
        return self.executed_at.astimezone(_EXCHANGE_ZONE).date()

    @cached_property
    def notional_cents(self) -> int:
        """Quantity times price, half-even."""
        return half_even(self.quantity_micros * self.price_micros, _MICROS_SQUARED_PER_CENT)

    @cached_property
    def cash_cents(self) -> int:
        """What it changes the account's cash by, after fees."""
        signed = self.notional_cents if self.side is Side.SELL else -self.notional_cents
        return signed - self.fee_cents

    @property
    def shares(self) -> str:
        """The quantity as a reader writes it."""
        return f"{Decimal(self.quantity_micros) / MICROS:f}"

    @property
    def signed_micros(self) -> int:
        """What it changes the holding by."""
        return self.quantity_micros if self.side is Side.BUY else -self.quantity_micros


def half_even(numerator: int, denominator: int) -> int:
    """Divide integers, rounding half to even; the denominator is above 0."""
    quotient, rest = divmod(numerator, denominator)
    is_up = 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1)
    return quotient + is_up


def share_of(cents: int, part: int, whole: int) -> int:
    """Return the part of an amount, half-even."""
    return half_even(cents * part, whole)
