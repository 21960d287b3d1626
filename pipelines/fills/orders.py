"""The trades that fills are of, and what was filled of them before."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from models.store_ledger import LOT_SALE, TRANSACTION
from models.store_runs import ADVICE_RUN
from models.store_trades import TRADE, TRADE_LOT
from models.vocabulary import RunStatus, Side, TradeStatus, TransactionKind
from pipelines.clients.versions import select_by
from pipelines.fills.fill import Fill
from pipelines.sessions import close_of
from pipelines.store import tables

Row = dict[str, Any]

OPEN = (TradeStatus.PROPOSED, TradeStatus.SENT, TradeStatus.PARTLY_FILLED)
"""States in which more may be filled."""

_VALID_DAYS = 31
_ENDED_LONG_AGO_DAYS = 183


@dataclass
class Order:
    """A trade with what was filled of it, and the lots that it still means to sell."""

    trade_id: str
    account_id: str
    symbol: str
    side: Side
    quantity_micros: int
    status: str
    valid_until: dt.date
    session_date: dt.date
    filled_micros: int
    planned: dict[str, int]

    @property
    def left_micros(self) -> int:
        """What is not filled yet."""
        return max(self.quantity_micros - self.filled_micros, 0)

    @property
    def advised_from(self) -> dt.datetime:
        """The close at whose prices it was sized: nobody can have executed it before."""
        return close_of(self.session_date)


def known_fills(connection: sa.Connection, fills: Collection[Fill]) -> dict[str, Row]:
    """Return the transactions that have the external id of a fill, by it."""
    column = tables[TRANSACTION.name].c.external_id
    wanted = {fill.external_id for fill in fills}
    return {row["external_id"]: row for row in select_by(connection, column, wanted)}


def orders_of(connection: sa.Connection, fills: Collection[Fill]) -> list[Order]:
    """Return the trades that the fills name, and those of the accounts that they name instead."""
    trade = tables[TRADE.name]
    named = {fill.trade_id for fill in fills if fill.trade_id is not None}
    rows = {row["trade_id"]: row for row in select_by(connection, trade.c.trade_id, named)}
    unnamed = [fill for fill in fills if fill.trade_id is None]
    if unnamed:
        accounts = {fill.account_id for fill in unnamed if fill.account_id is not None}
        of_runs = trade.c.run_id.in_(_runs_since(connection, unnamed))
        found = select_by(connection, trade.c.account_id, accounts, of_runs)
        rows |= {row["trade_id"]: row for row in found}
    return orders_from(connection, list(rows.values()))


def _runs_since(connection: sa.Connection, fills: Collection[Fill]) -> list[str]:
    """Return the runs whose trades the fills may be of: no trade is valid for longer."""
    run = tables[ADVICE_RUN.name]
    first = min(fill.trade_date for fill in fills) - dt.timedelta(days=_VALID_DAYS)
    last = max(fill.trade_date for fill in fills)
    query = sa.select(run.c.run_id).where(run.c.session_date.between(first, last))
    return list(connection.execute(query).scalars())


def orders_from(connection: sa.Connection, trades: Collection[Row]) -> list[Order]:
    """Return rows of ``trade`` with what was filled; those of runs under way are left out."""
    run = tables[ADVICE_RUN.name]
    runs = {
        row["run_id"]: row["session_date"]
        for row in select_by(
            connection,
            run.c.run_id,
            {row["run_id"] for row in trades},
            run.c.status != RunStatus.BUILDING,
        )
    }
    ids = [row["trade_id"] for row in trades]
    filled = _filled(connection, ids)
    planned = _planned(connection, ids)
    return [
        Order(
            trade_id=row["trade_id"],
            account_id=row["account_id"],
            symbol=row["symbol"],
            side=Side(row["side"]),
            quantity_micros=row["quantity_micros"],
            status=row["status"],
            valid_until=row["valid_until"],
            session_date=runs[row["run_id"]],
            filled_micros=filled.get(row["trade_id"], 0),
            planned=planned.get(row["trade_id"], {}),
        )
        for row in trades
        if row["run_id"] in runs
    ]


def _filled(connection: sa.Connection, trade_ids: Collection[str]) -> dict[str, int]:
    """Return the shares executed of each trade; what was reversed is none."""
    column = tables[TRANSACTION.name].c.trade_id
    kinds = (TransactionKind.BUY, TransactionKind.SELL)
    filled: dict[str, int] = defaultdict(int)
    rows = list(select_by(connection, column, trade_ids, column.table.c.kind.in_(kinds)))
    for row in rows:
        sign = 1 if (row["kind"] == TransactionKind.BUY) == (row["quantity_micros"] > 0) else -1
        filled[row["trade_id"]] += sign * abs(row["quantity_micros"])
    return filled


def _planned(connection: sa.Connection, trade_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """Return the shares that each trade still means to sell of each lot."""
    planned: dict[str, dict[str, int]] = defaultdict(dict)
    for row in select_by(connection, tables[TRADE_LOT.name].c.trade_id, trade_ids):
        planned[row["trade_id"]][row["lot_id"]] = row["quantity_micros"]
    moved, sale = tables[TRANSACTION.name], tables[LOT_SALE.name]
    trade_of = {
        row["transaction_id"]: row["trade_id"]
        for row in select_by(connection, moved.c.trade_id, planned.keys())
    }
    for row in select_by(connection, sale.c.transaction_id, trade_of.keys()):
        lots = planned[trade_of[row["transaction_id"]]]
        if row["lot_id"] in lots:
            lots[row["lot_id"]] -= row["quantity_micros"]
    return planned


def expire_trades(connection: sa.Connection, session: dt.date) -> int:
    """End the trades that were valid until before a session and are not filled; return how many.

    What was filled of them stays: their transactions say so. Runs are looked at from half a year
    before the session on, by the index of their trades: what is older was ended long ago.
    """
    trade, run = tables[TRADE.name], tables[ADVICE_RUN.name]
    first = session - dt.timedelta(days=_ENDED_LONG_AGO_DAYS)
    recent = sa.select(run.c.run_id).where(run.c.session_date.between(first, session))
    is_over = sa.and_(
        trade.c.run_id.in_(recent), trade.c.status.in_(OPEN), trade.c.valid_until < session
    )
    ended = connection.execute(
        trade.update().where(is_over).values(status=TradeStatus.EXPIRED.value)
    )
    return ended.rowcount


def set_status(connection: sa.Connection, status: dict[str, TradeStatus]) -> None:
    """Write where trades stand, by their keys."""
    if not status:
        return
    trade = tables[TRADE.name]
    connection.execute(
        trade.update()
        .where(trade.c.trade_id == sa.bindparam("of_trade"))
        .values(status=sa.bindparam("new_status")),
        [{"of_trade": key, "new_status": word.value} for key, word in sorted(status.items())],
    )
