"""Reading what fills are booked against: accounts, holdings, lots and earlier losses."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from models.store_inputs import ACCOUNT, HOLDING
from models.store_ledger import LOT_SALE, TAX_LOT, WASH_SALE
from models.vocabulary import CASH, TaxKind
from pipelines.clients.versions import current_rows, select_by
from pipelines.fills.client_book import WASH_SALE_DAYS, AccountBook, ClientBook, Loss
from pipelines.fills.lots import OpenLot
from pipelines.store import tables

Row = dict[str, Any]


def accounts_of(connection: sa.Connection, account_ids: Collection[str]) -> dict[str, Row]:
    """Return the accounts as they are now, by key."""
    found = current_rows(connection, ACCOUNT, account_ids)
    return {key: rows[0] for key, rows in found.items()}


def groups_of(connection: sa.Connection) -> dict[str, str]:
    """Return the substitute group of each instrument."""
    instrument = tables["instrument"]
    rows = connection.execute(sa.select(instrument.c.symbol, instrument.c.substitute_group))
    return {row.symbol: row.substitute_group for row in rows}


def read_books(
    connection: sa.Connection,
    client_ids: Collection[str],
    groups: Mapping[str, str],
    first_date: dt.date,
) -> tuple[dict[str, ClientBook], dict[str, dt.datetime]]:
    """Return each client's book, and when each account's rows were recorded last.

    Parameters
    ----------
    first_date : of the fills; losses are read from thirty days before it on.
    """
    account = tables[ACCOUNT.name]
    ids = {row["account_id"] for row in select_by(connection, account.c.client_id, client_ids)}
    accounts = accounts_of(connection, ids)
    holdings = current_rows(connection, HOLDING, accounts)
    lots = current_rows(connection, TAX_LOT, accounts)
    losses = _losses(connection, accounts, first_date)
    replaced = _replaced(connection, accounts)
    books = {client: ClientBook({}, groups) for client in client_ids}
    recorded: dict[str, dt.datetime] = {}
    for key, row in sorted(accounts.items()):
        if row["client_id"] not in books:
            continue
        book = books[row["client_id"]]
        held = holdings.get(key, [])
        book.accounts[key] = AccountBook(
            account_id=key,
            tax_kind=TaxKind(row["tax_kind"]),
            quantity_micros={each["symbol"]: each["quantity_micros"] for each in held},
            lots=_open_lots(lots.get(key, [])),
            has_lot_rows=key in lots,
        )
        book.losses += losses.get(key, [])
        book.replaced |= replaced.get(key, set())
        moments = [each["recorded_at"] for each in (*held, *lots.get(key, []))]
        if moments:
            recorded[key] = max(moments)
    return books, recorded


def _open_lots(rows: Iterable[Row]) -> list[OpenLot]:
    return [
        OpenLot(
            lot_id=row["lot_id"],
            symbol=row["symbol"],
            quantity_micros=row["quantity_micros"],
            acquired_date=row["acquired_date"],
            held_since=row["holding_period_start_date"] or row["acquired_date"],
            basis_cents=row["basis_cents"],
            carried_over_cents=row["carried_over_loss_cents"],
            transaction_id=row["transaction_id"],
        )
        for row in sorted(rows, key=lambda row: row["lot_id"])
        if row["symbol"] != CASH
    ]


def _losses(
    connection: sa.Connection, accounts: Mapping[str, Row], first_date: dt.date
) -> dict[str, list[Loss]]:
    """Return the losses of taxable accounts that purchases may still be matched with."""
    sale, wash = tables[LOT_SALE.name], tables[WASH_SALE.name]
    taxed = [key for key, row in accounts.items() if row["tax_kind"] == TaxKind.TAXABLE]
    since = first_date - dt.timedelta(days=WASH_SALE_DAYS)
    matched: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in select_by(connection, wash.c.account_id, taxed):
        so_far = matched[row["transaction_id"], row["lot_id"]]
        so_far[0] += row["quantity_micros"]
        so_far[1] += row["disallowed_cents"]
    losses: dict[str, list[Loss]] = defaultdict(list)
    rows = select_by(connection, sale.c.account_id, taxed, sale.c.sold_date >= since)
    for row in sorted(rows, key=lambda row: (row["transaction_id"], row["lot_id"])):
        if row["basis_cents"] is None or row["basis_cents"] <= row["proceeds_cents"]:
            continue
        quantity, disallowed = matched[row["transaction_id"], row["lot_id"]]
        losses[row["account_id"]].append(
            Loss(
                transaction_id=row["transaction_id"],
                lot_id=row["lot_id"],
                purchase=None,
                account_id=row["account_id"],
                symbol=row["symbol"],
                sold_date=row["sold_date"],
                held_since=row["holding_period_start_date"],
                quantity_micros=row["quantity_micros"],
                loss_cents=row["basis_cents"] - row["proceeds_cents"],
                matched_micros=quantity,
                disallowed_cents=disallowed,
            )
        )
    return losses


def _replaced(connection: sa.Connection, accounts: Mapping[str, Row]) -> dict[str, set[str]]:
    column = tables[WASH_SALE.name].c.replacement_account_id
    replaced: dict[str, set[str]] = defaultdict(set)
    for row in select_by(connection, column, accounts):
        replaced[row["replacement_account_id"]].add(row["replacement_lot_id"])
    return replaced
