"""What trades of one account are sized on: holdings, targets, prices and bounds, in integers."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.rebalance.trades.scalar.orders import notional_cents
from pipelines.rebalance.trades.scalar.weights import NANOS


@dataclass(frozen=True)
class Book:
    """What an account has and shall have; lists are aligned by symbol, in symbol order.

    Attributes
    ----------
    held, target : quantities in micros of a share.
    price_micros : prices in micros of USD per share.
    upper_nanos : largest weight of each symbol, in billionths of ``wealth_cents``.
    class_of : number of each symbol's class.
    class_upper_nanos : largest weight of each class, by its number; buys never exceed it.
    cash_cents : cash before trading.
    buffer_cents : cash that the client wants to stay; sells are enlarged to reach it.
    reserve_cents : cash that buys must leave, at least the buffer: the target's cash, so that
        what cannot be sold in whole lots does not become risk elsewhere.
    lot_micros : smallest step of a quantity.
    """

    held: list[int]
    target: list[int]
    price_micros: list[int]
    upper_nanos: list[int]
    class_of: list[int]
    class_upper_nanos: list[int]
    wealth_cents: int
    cash_cents: int
    buffer_cents: int
    reserve_cents: int
    lot_micros: int

    def is_within_bound(self, position: int, quantity: int) -> bool:
        """Say whether so much of a symbol is not above its largest weight."""
        value = notional_cents(quantity, self.price_micros[position])
        return value * NANOS <= self.upper_nanos[position] * self.wealth_cents

    def is_within_class_bound(self, number: int, quantities: Sequence[int]) -> bool:
        """Say whether quantities of all symbols do not lift a class above its largest weight."""
        value = self.class_cents(number, quantities)
        return value * NANOS <= self.class_upper_nanos[number] * self.wealth_cents

    def class_cents(self, number: int, quantities: Sequence[int]) -> int:
        """Return the worth of a class at quantities of all symbols."""
        return sum(
            notional_cents(quantities[position], self.price_micros[position])
            for position in self.members(number)
        )

    def members(self, number: int) -> list[int]:
        """Return the positions of a class's symbols."""
        return [position for position, of in enumerate(self.class_of) if of == number]
