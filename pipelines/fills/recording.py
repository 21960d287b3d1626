"""Booking fills: transactions, holdings, tax lots and the trades' states, all or nothing."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from models.store_inputs import HOLDING
from models.store_ledger import LOT_SALE, TAX_LOT, TRANSACTION, WASH_SALE
from models.vocabulary import Side, TradeStatus
from pipelines.clients.issues import RowIssue
from pipelines.clients.versions import Recording, record_changes
from pipelines.fills.client_book import AccountBook, ClientBook
from pipelines.fills.file import issue
from pipelines.fills.fill import Fill
from pipelines.fills.matching import Orders, notices, other_content, repeats, resolve
from pipelines.fills.orders import OPEN, Order, known_fills, orders_of, set_status
from pipelines.fills.reading import accounts_of, groups_of, read_books
from pipelines.fills.rows import (
    holding_rows,
    lot_rows,
    lot_sale_rows,
    transaction_row,
    wash_sale_rows,
)
from pipelines.store import insert


@dataclass
class Booked:
    """What became of fills.

    Attributes
    ----------
    fills : those that were booked, with their trade, account and symbol.
    repeated : how many were known already.
    rejected : what is wrong with those that were not booked.
    notices : what is odd about those that were.
    client_of : client of each line, where known.
    """

    fills: list[Fill] = field(default_factory=list)
    repeated: int = 0
    rejected: list[RowIssue] = field(default_factory=list)
    notices: list[RowIssue] = field(default_factory=list)
    client_of: dict[int, str] = field(default_factory=dict)


def book_fills(
    connection: sa.Connection, fills: Sequence[Fill], at: dt.datetime, by: str
) -> Booked:
    """Book fills in the order of their execution, in the caller's transaction.

    Parameters
    ----------
    at : when they are recorded; later where what they change was recorded later.
    by : who or what records them.
    """
    booked = Booked()
    new = _unknown(connection, fills, booked)
    orders = Orders(orders_of(connection, new))
    named = {order.account_id for fill in new if (order := orders.named(fill))}
    accounts = accounts_of(connection, named | {f.account_id for f in new if f.account_id})
    groups = groups_of(connection)
    resolved: list[Fill] = []
    for fill in new:
        found = resolve(fill, orders, accounts, groups)
        if isinstance(found, RowIssue):
            booked.rejected.append(found)
        else:
            resolved.append(found)
    if not resolved:
        return booked
    for fill in resolved:
        booked.client_of[fill.line] = accounts[fill.account_id or ""]["client_id"]
    clients = {accounts[fill.account_id or ""]["client_id"] for fill in resolved}
    first = min(fill.trade_date for fill in resolved)
    books, recorded = read_books(connection, clients, groups, first)
    status: dict[str, TradeStatus] = {}
    for fill in sorted(resolved, key=_order):
        book = books[accounts[fill.account_id or ""]["client_id"]]
        _book(book, fill, orders, booked, status)
    touched = {fill.account_id or "" for fill in booked.fills}
    when = {key: max(at, recorded.get(key, at)) for book in books.values() for key in book.accounts}
    _save(connection, books, booked.fills, touched, when, by)
    set_status(connection, status)
    return booked


def _order(fill: Fill) -> tuple[dt.datetime, bool, str]:
    return fill.executed_at, fill.side is Side.BUY, fill.external_id


def _unknown(connection: sa.Connection, fills: Sequence[Fill], booked: Booked) -> list[Fill]:
    """Return the fills that are not known yet, each once.

    Where rows of a file contradict each other under one key, none of them is taken: which of them
    is right does not follow from which comes first.
    """
    known = known_fills(connection, fills)
    new: dict[str, Fill] = {}
    contradicted: set[str] = set()
    for fill in fills:
        first = new.setdefault(fill.external_id, fill)
        if dataclasses.replace(fill, line=0) != dataclasses.replace(first, line=0):
            contradicted.add(fill.external_id)
    for fill in fills:
        key = fill.external_id
        if key in contradicted or (key in known and not repeats(fill, known[key])):
            booked.rejected.append(other_content(fill))
        elif key in known or fill is not new[key]:
            booked.repeated += 1
    return [fill for key, fill in new.items() if key not in known and key not in contradicted]


def _book(
    book: ClientBook,
    fill: Fill,
    orders: Orders,
    booked: Booked,
    status: dict[str, TradeStatus],
) -> None:
    held = book.accounts[fill.account_id or ""].quantity_micros.get(fill.symbol or "", 0)
    if fill.side is Side.SELL and fill.quantity_micros > held:
        booked.rejected.append(
            issue(
                fill.line,
                "quantity",
                "the account does not hold so much",
                "Record what came into the account before, then import this file again.",
                fill.shares,
            )
        )
        return
    order = None if fill.trade_id is None else orders[fill.trade_id]
    if order is not None:
        booked.notices += notices(fill, order)
    book.apply(fill, {} if order is None else order.planned)
    booked.fills.append(fill)
    if order is not None:
        _advance(order, fill, book)
        status[order.trade_id] = TradeStatus(order.status)


def _advance(order: Order, fill: Fill, book: ClientBook) -> None:
    """Let a trade know what was filled of it and which lots that closed."""
    order.filled_micros += fill.quantity_micros
    for sale in book.lot_sales:
        if sale.fill is fill and sale.closed.lot_id in order.planned:
            order.planned[sale.closed.lot_id] -= sale.closed.quantity_micros
    if order.left_micros == 0:
        order.status = TradeStatus.FILLED
    elif order.status in OPEN:
        order.status = TradeStatus.PARTLY_FILLED


def _save(
    connection: sa.Connection,
    books: dict[str, ClientBook],
    fills: Sequence[Fill],
    touched: set[str],
    when: dict[str, dt.datetime],
    by: str,
) -> None:
    insert(
        connection,
        TRANSACTION,
        (transaction_row(fill, Recording(when[fill.account_id or ""], by)) for fill in fills),
    )
    accounts = {key: account for book in books.values() for key, account in book.accounts.items()}
    replaced = {wash.replacement_account_id for book in books.values() for wash in book.wash_sales}
    changed: dict[dt.datetime, list[AccountBook]] = defaultdict(list)
    for key in sorted(touched | replaced):
        changed[when[key]].append(accounts[key])
    for moment, part in sorted(changed.items(), key=lambda each: each[0]):
        recording = Recording(moment, by)
        holdings = (row for one in part for row in holding_rows(one))
        record_changes(connection, HOLDING, holdings, recording)
        lots = (row for one in part for row in lot_rows(one))
        record_changes(connection, TAX_LOT, lots, recording)
    sold = (row for book in books.values() for row in lot_sale_rows(book, when, by))
    insert(connection, LOT_SALE, sold)
    washed = (row for book in books.values() for row in wash_sale_rows(book, when, by))
    insert(connection, WASH_SALE, washed)
