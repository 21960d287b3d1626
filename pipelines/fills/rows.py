"""What fills changed, as rows of the store."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any

from models.vocabulary import CASH
from pipelines.clients.versions import Recording
from pipelines.fills.client_book import AccountBook, ClientBook
from pipelines.fills.fill import Fill
from pipelines.fills.lots import OpenLot

Row = dict[str, Any]

NO_LOTS = CASH
"""Key and symbol of the row that stands where an account's last lot was sold: a version must have
a row, or the lot could never go."""


def transaction_row(fill: Fill, recording: Recording) -> Row:
    """Return the row of ``transaction``."""
    return {
        "transaction_id": fill.transaction_id,
        "external_id": fill.external_id,
        "account_id": fill.account_id,
        "kind": fill.side.value,
        "trade_id": fill.trade_id,
        "symbol": fill.symbol,
        "quantity_micros": fill.signed_micros,
        "price_micros": fill.price_micros,
        "fee_cents": fill.fee_cents,
        "cash_cents": fill.cash_cents,
        "executed_at": fill.executed_at,
        "trade_date": fill.trade_date,
        "settlement_date": fill.settlement_date,
        **recording.columns,
    }


def holding_rows(account: AccountBook) -> list[Row]:
    """Return the rows of ``holding``, with cash."""
    return [
        {"account_id": account.account_id, "symbol": symbol, "quantity_micros": quantity}
        for symbol, quantity in {CASH: 0, **account.quantity_micros}.items()
    ]


def lot_rows(account: AccountBook) -> list[Row]:
    """Return the rows of ``tax_lot``."""
    lots = account.lots
    if not lots and account.has_lot_rows:
        lots = [OpenLot(NO_LOTS, CASH, 1, None, None, None, 0, None)]
    return [
        {
            "account_id": account.account_id,
            "lot_id": lot.lot_id,
            "symbol": lot.symbol,
            "quantity_micros": lot.quantity_micros,
            "acquired_date": lot.acquired_date,
            "holding_period_start_date": lot.held_since,
            "basis_cents": lot.basis_cents,
            "carried_over_loss_cents": lot.carried_over_cents,
            "transaction_id": lot.transaction_id,
        }
        for lot in lots
    ]


def lot_sale_rows(book: ClientBook, when: dict[str, dt.datetime], by: str) -> Iterable[Row]:
    """Yield the rows of ``lot_sale``."""
    for sale in book.lot_sales:
        account_id = sale.fill.account_id or ""
        yield {
            "transaction_id": sale.fill.transaction_id,
            "lot_id": sale.closed.lot_id,
            "account_id": account_id,
            "symbol": sale.fill.symbol,
            "sold_date": sale.fill.trade_date,
            "quantity_micros": sale.closed.quantity_micros,
            "proceeds_cents": sale.closed.net_cents,
            "basis_cents": sale.closed.basis_cents,
            "holding_period_start_date": sale.closed.held_since,
            **Recording(when[account_id], by).columns,
        }


def wash_sale_rows(book: ClientBook, when: dict[str, dt.datetime], by: str) -> Iterable[Row]:
    """Yield the rows of ``wash_sale``."""
    for wash in book.wash_sales:
        moment = max(when[wash.account_id], when[wash.replacement_account_id])
        yield {**dataclasses.asdict(wash), **Recording(moment, by).columns}
