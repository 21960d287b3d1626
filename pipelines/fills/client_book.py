"""What a client holds in all accounts, and what fills make of it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from models.vocabulary import CASH, MICROS_PER_CENT, Side, TaxKind
from pipelines.fills.fill import Fill, share_of
from pipelines.fills.lots import ClosedLot, OpenLot, close_lots, opened_by, split, still_held
from pipelines.lineage import json_digest

WASH_SALE_DAYS = 30


@dataclass
class AccountBook:
    """An account's holdings by symbol, with cash, and its tax lots.

    ``has_lot_rows`` says whether the store has rows of its lots, which a version must replace.
    """

    account_id: str
    tax_kind: TaxKind
    quantity_micros: dict[str, int]
    lots: list[OpenLot] = field(default_factory=list)
    has_lot_rows: bool = False

    @property
    def is_taxed(self) -> bool:
        """Whether gains and losses count for tax."""
        return self.tax_kind is TaxKind.TAXABLE


@dataclass
class Loss:
    """Shares sold at a loss, of which purchases may be matched with what is left.

    ``purchase`` is the transaction that opened their lot; None: unknown, or long ago.
    """

    transaction_id: str
    lot_id: str
    purchase: str | None
    account_id: str
    symbol: str
    sold_date: dt.date
    held_since: dt.date | None
    quantity_micros: int
    loss_cents: int
    matched_micros: int = 0
    disallowed_cents: int = 0


@dataclass(frozen=True)
class LotSale:
    """A lot that a sell closed, as in ``lot_sale``."""

    fill: Fill
    closed: ClosedLot


@dataclass(frozen=True)
class WashSale:
    """A loss that a replacement takes away, as in ``wash_sale``."""

    transaction_id: str
    lot_id: str
    replacement_lot_id: str
    account_id: str
    replacement_account_id: str
    quantity_micros: int
    disallowed_cents: int
    is_forfeited: bool


@dataclass
class ClientBook:
    """All accounts of a client, and what fills did to them so far.

    Attributes
    ----------
    groups : substitute group by symbol; a symbol that is not there is its own.
    losses : of taxable accounts, those that purchases may still be matched with.
    replaced : keys of the lots that were matched already; a share is matched once.
    """

    accounts: dict[str, AccountBook]
    groups: Mapping[str, str]
    losses: list[Loss] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)
    lot_sales: list[LotSale] = field(default_factory=list)
    wash_sales: list[WashSale] = field(default_factory=list)

    def apply(self, fill: Fill, planned: Mapping[str, int]) -> None:
        """Book a fill whose account and symbol are known; a sell must not exceed the holding.

        Parameters
        ----------
        planned : shares that its trade still means to sell of each lot.
        """
        account = self.accounts[fill.account_id or ""]
        held = account.quantity_micros
        symbol = fill.symbol or ""
        held[symbol] = held.get(symbol, 0) + fill.signed_micros
        held[CASH] = held.get(CASH, 0) + fill.cash_cents * MICROS_PER_CENT
        if fill.side is Side.BUY:
            self._buy(account, fill)
        else:
            self._sell(account, fill, planned)
        if held[symbol] == 0:
            del held[symbol]

    def _buy(self, account: AccountBook, fill: Fill) -> None:
        lot = opened_by(fill)
        account.lots.append(lot)
        for loss in sorted(self.losses, key=_matching_order):
            if lot.lot_id in self.replaced:
                break
            if self._is_replaced_by(loss, lot):
                self._match(loss, account, lot)

    def _sell(self, account: AccountBook, fill: Fill, planned: Mapping[str, int]) -> None:
        mine = [lot for lot in account.lots if lot.symbol == fill.symbol]
        for closed in close_lots(mine, fill, planned):
            self.lot_sales.append(LotSale(fill, closed))
            if account.is_taxed and closed.loss_cents:
                self.losses.append(_loss(fill, closed))
                self._match_with_purchases(self.losses[-1])
        account.lots = still_held(account.lots)

    def _match_with_purchases(self, loss: Loss) -> None:
        found = [
            (lot.acquired_date or dt.date.min, lot.lot_id, account, lot)
            for account, lot in self._lots()
            if self._is_replaced_by(loss, lot)
        ]
        for _, _, account, lot in sorted(found, key=lambda each: each[:2]):
            self._match(loss, account, lot)

    def _lots(self) -> Iterator[tuple[AccountBook, OpenLot]]:
        for account in self.accounts.values():
            for lot in account.lots:
                yield account, lot

    def _is_replaced_by(self, loss: Loss, lot: OpenLot) -> bool:
        """Say whether buying a lot takes a loss away."""
        if lot.acquired_date is None or lot.quantity_micros == 0:
            return False
        return (
            abs((lot.acquired_date - loss.sold_date).days) <= WASH_SALE_DAYS
            and self._group(lot.symbol) == self._group(loss.symbol)
            and lot.lot_id not in self.replaced
            and lot.lot_id != loss.lot_id
            and (lot.transaction_id is None or lot.transaction_id != loss.purchase)
        )

    def _group(self, symbol: str) -> str:
        return self.groups.get(symbol, symbol)

    def _match(self, loss: Loss, account: AccountBook, lot: OpenLot) -> None:
        """Carry a loss over to a lot, as far as both reach, or forfeit it."""
        quantity = min(loss.quantity_micros - loss.matched_micros, lot.quantity_micros)
        if quantity == 0:
            return
        until_here = share_of(loss.loss_cents, loss.matched_micros + quantity, loss.quantity_micros)
        disallowed = until_here - loss.disallowed_cents
        loss.matched_micros += quantity
        loss.disallowed_cents = until_here
        if disallowed == 0:
            return
        if quantity < lot.quantity_micros:
            key = json_digest([lot.lot_id, loss.transaction_id, loss.lot_id])[:32]
            lot = split(lot, quantity, key)
            account.lots.append(lot)
        self.replaced.add(lot.lot_id)
        if account.is_taxed:
            _carry_over(loss, lot, disallowed)
        self.wash_sales.append(
            WashSale(
                transaction_id=loss.transaction_id,
                lot_id=loss.lot_id,
                replacement_lot_id=lot.lot_id,
                account_id=loss.account_id,
                replacement_account_id=account.account_id,
                quantity_micros=quantity,
                disallowed_cents=disallowed,
                is_forfeited=not account.is_taxed,
            )
        )


def _matching_order(loss: Loss) -> tuple[dt.date, dt.date, str]:
    """Losses of one day count in the order in which the shares were bought (Reg. 1.1091-1(b))."""
    return loss.sold_date, loss.held_since or dt.date.max, loss.lot_id


def _carry_over(loss: Loss, lot: OpenLot, disallowed: int) -> None:
    """Add a loss to a lot's basis, and the time that the sold shares were held to its own."""
    lot.carried_over_cents += disallowed
    if lot.basis_cents is not None:
        lot.basis_cents += disallowed
    if lot.held_since is not None and loss.held_since is not None:
        lot.held_since -= loss.sold_date - loss.held_since


def _loss(fill: Fill, closed: ClosedLot) -> Loss:
    return Loss(
        transaction_id=fill.transaction_id,
        lot_id=closed.lot_id,
        purchase=closed.purchase,
        account_id=fill.account_id or "",
        symbol=fill.symbol or "",
        sold_date=fill.trade_date,
        held_since=closed.held_since,
        quantity_micros=closed.quantity_micros,
        loss_cents=closed.loss_cents,
    )
