"""What fills do to tax lots: lots opened and closed, and losses that wash sales carry over.

The rules are those of 26 U.S.C. 1091 and IRS Publication 550, as in the advice
(``pipelines.rebalance.trades``), here for one fill after the other and exactly.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.fills.fill import Fill, share_of

NO_LOT = "$NONE"
"""Stands for the lot where shares are sold that no lot tells of."""


@dataclass
class OpenLot:
    """A lot that is still held; fields as in ``tax_lot``."""

    lot_id: str
    symbol: str
    quantity_micros: int
    acquired_date: dt.date | None
    held_since: dt.date | None
    basis_cents: int | None
    carried_over_cents: int
    transaction_id: str | None


@dataclass(frozen=True)
class ClosedLot:
    """What a sell closed of a lot; ``net_cents`` are its part of the proceeds after fees.

    ``purchase`` is the transaction that opened the lot; None: unknown.
    """

    lot_id: str
    purchase: str | None
    quantity_micros: int
    net_cents: int
    basis_cents: int | None
    held_since: dt.date | None

    @property
    def loss_cents(self) -> int:
        """The loss; 0 where there is a gain or the basis is unknown."""
        return 0 if self.basis_cents is None else max(self.basis_cents - self.net_cents, 0)


def opened_by(fill: Fill) -> OpenLot:
    """Return the lot that a buy opens; its fee is part of the basis."""
    return OpenLot(
        lot_id=fill.transaction_id,
        symbol=fill.symbol or "",
        quantity_micros=fill.quantity_micros,
        acquired_date=fill.trade_date,
        held_since=fill.trade_date,
        basis_cents=fill.notional_cents + fill.fee_cents,
        carried_over_cents=0,
        transaction_id=fill.transaction_id,
    )


def close_lots(lots: list[OpenLot], fill: Fill, planned: Mapping[str, int]) -> list[ClosedLot]:
    """Take what a sell closes out of an account's lots, and return it.

    Lots that the trade named go first, as far as it named them, then the others; among either in
    the order of the advice, with lots that were bought later at the end: a fill may be booked late.
    What no lot tells of goes last, with an unknown basis.

    Parameters
    ----------
    lots : of the account and the fill's symbol; changed in place, emptied lots stay with 0.
    planned : shares that the trade still means to sell of each lot, by its key.
    """
    closing = sorted(lots, key=lambda lot: _sale_order(lot, fill))
    wanted = [(lot, min(lot.quantity_micros, planned.get(lot.lot_id, 0))) for lot in closing]
    closed: dict[str, int] = {}
    left = fill.quantity_micros
    for lot, most in (*wanted, *((lot, lot.quantity_micros) for lot in closing)):
        part = min(left, most - closed.get(lot.lot_id, 0))
        if part > 0:
            closed[lot.lot_id] = closed.get(lot.lot_id, 0) + part
            left -= part
    if left:
        closed[NO_LOT] = left
    by_id = {lot.lot_id: lot for lot in closing}
    return _take(closed, by_id, fill)


def is_long_term(held_since: dt.date | None, sold: dt.date) -> bool:
    """Say whether something was held for more than one year; False where unknown."""
    if held_since is None:
        return False
    begun = held_since + dt.timedelta(days=1)
    try:
        return sold >= begun.replace(year=begun.year + 1)
    except ValueError:  # begun on 29 February
        return sold >= dt.date(begun.year + 1, 3, 1)


def split(lot: OpenLot, quantity: int, lot_id: str) -> OpenLot:
    """Take a part of a lot out of it as a lot of its own."""
    whole = lot.quantity_micros
    basis = None if lot.basis_cents is None else share_of(lot.basis_cents, quantity, whole)
    part = OpenLot(
        lot_id=lot_id,
        symbol=lot.symbol,
        quantity_micros=quantity,
        acquired_date=lot.acquired_date,
        held_since=lot.held_since,
        basis_cents=basis,
        carried_over_cents=share_of(lot.carried_over_cents, quantity, whole),
        transaction_id=lot.transaction_id,
    )
    _reduce(lot, part)
    return part


def _reduce(lot: OpenLot, part: OpenLot) -> None:
    lot.quantity_micros -= part.quantity_micros
    lot.carried_over_cents -= part.carried_over_cents
    if lot.basis_cents is not None and part.basis_cents is not None:
        lot.basis_cents -= part.basis_cents


def _sale_order(lot: OpenLot, fill: Fill) -> tuple[int, float, str]:
    """Sort short-term losses first, then long-term losses, long-term gains, short-term gains."""
    if lot.acquired_date is not None and lot.acquired_date > fill.trade_date:
        return 5, 0.0, lot.lot_id
    if lot.basis_cents is None:
        return 4, 0.0, lot.lot_id
    worth = lot.quantity_micros * (fill.cash_cents / fill.quantity_micros)
    is_long = is_long_term(lot.held_since, fill.trade_date)
    place = int(is_long) if worth < lot.basis_cents else 3 - int(is_long)
    return place, -lot.basis_cents / lot.quantity_micros, lot.lot_id


def _take(closed: Mapping[str, int], lots: Mapping[str, OpenLot], fill: Fill) -> list[ClosedLot]:
    done = paid = 0
    sales = []
    for lot_id, quantity in closed.items():
        done += quantity
        until_here = share_of(fill.cash_cents, done, fill.quantity_micros)
        lot = lots.get(lot_id)
        part = None if lot is None else split(lot, quantity, lot_id)
        sales.append(
            ClosedLot(
                lot_id=lot_id,
                purchase=None if part is None else part.transaction_id,
                quantity_micros=quantity,
                net_cents=until_here - paid,
                basis_cents=None if part is None else part.basis_cents,
                held_since=None if part is None else part.held_since,
            )
        )
        paid = until_here
    return sales


def still_held(lots: Iterable[OpenLot]) -> list[OpenLot]:
    """Return the lots of which something is left."""
    return [lot for lot in lots if lot.quantity_micros > 0]
