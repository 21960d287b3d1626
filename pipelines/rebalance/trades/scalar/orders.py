"""Orders of an account, and the integer arithmetic of what they cost."""

from dataclasses import dataclass

from models.vocabulary import MICROS, ShareKind, Side
from pipelines.rebalance.policy import Policy

_MICROS_SQUARED_PER_CENT = 10_000_000_000  # micros of a share * micros of USD
_BPS = 10_000


@dataclass(frozen=True)
class Order:
    """One trade; ``position`` is the symbol's place in the book."""

    position: int
    side: Side
    quantity_micros: int
    price_micros: int
    notional_cents: int
    fee_cents: int


@dataclass(frozen=True)
class Orders:
    """All trades of an account, sells first, and what they do to its cash.

    ``settled`` is the target in micros of a share as far as cash allows: buys are reduced in
    proportion where fees or sells in whole lots leave less, and sells enlarged where the buffer
    would not be reached. A trade differs from it by one lot at most.
    """

    orders: tuple[Order, ...]
    settled: tuple[int, ...]
    cash_before_cents: int

    @property
    def sells_cents(self) -> int:
        """Proceeds of all sells."""
        return sum(order.notional_cents for order in self.orders if order.side is Side.SELL)

    @property
    def buys_cents(self) -> int:
        """Cost of all buys."""
        return sum(order.notional_cents for order in self.orders if order.side is Side.BUY)

    @property
    def fees_cents(self) -> int:
        """Fees of all trades."""
        return sum(order.fee_cents for order in self.orders)

    @property
    def cash_after_cents(self) -> int:
        """Cash once every trade is filled at its price."""
        return self.cash_before_cents + self.sells_cents - self.buys_cents - self.fees_cents


def notional_cents(quantity_micros: int, price_micros: int) -> int:
    """Return quantity times price in cents, rounded half to even."""
    return _divide_half_even(quantity_micros * price_micros, _MICROS_SQUARED_PER_CENT)


def fee_cents(notional: int, policy: Policy) -> int:
    """Return the estimated cost of a trade in cents, rounded half to even."""
    return _divide_half_even(notional * policy.cost_bps, _BPS)


def lot_micros(share_kind: str, policy: Policy) -> int:
    """Return the smallest step of a quantity for an account."""
    return MICROS if share_kind == ShareKind.WHOLE else policy.fractional_lot_micros


def grain_cents(share_kind: str, price_micros: int, policy: Policy) -> int:
    """Return the worth of the smallest trade of a symbol that an account can make."""
    lot = notional_cents(lot_micros(share_kind, policy), price_micros)
    return max(lot, policy.minimum_notional_cents)


def _divide_half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient
