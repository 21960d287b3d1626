"""A paper broker: it fills trades at the next session's closes, and nobody's money moves.

Deterministic: the same trades, prices and share give the same fills, whenever it is asked.
"""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sqlalchemy as sa

from models.store_inputs import ACCOUNT, HOLDING
from models.store_runs import ADVICE_RUN
from models.store_trades import TRADE
from models.vocabulary import CASH, MICROS_PER_CENT, RunStatus, TradeStatus
from pipelines.clients.versions import current_rows
from pipelines.errors import RebalanceError
from pipelines.fills.orders import OPEN, expire_trades, orders_from, set_status
from pipelines.fills.paper_broker import executed
from pipelines.fills.recording import book_fills
from pipelines.progress import track
from pipelines.sessions import available_at, session_after
from pipelines.settings import Settings
from pipelines.store import connect, tables, transaction

logger = logging.getLogger(__name__)

BROKER = "paper broker"
_ACCOUNTS_AT_ONCE = 2_000
_REJECTED = "rejected"


@dataclass(frozen=True)
class PaperReport:
    """What the paper broker did with the trades of a run.

    Attributes
    ----------
    executed_on : the session at whose closes it fills.
    has_prices : whether the lake has them; else trades were sent, and wait for the next call.
    sent : trades that were sent in this call.
    filled, partly_filled, expired : trades that came to stand so in this call.
    rejected : fills that could not be booked, since less is held by now than was to be sold.
    """

    run_id: str
    session_date: dt.date
    executed_on: dt.date
    has_prices: bool
    sent: int
    filled: int
    partly_filled: int
    expired: int
    rejected: int


def paper_fills(
    settings: Settings, session: dt.date | None = None, share: Fraction = Fraction(1)
) -> PaperReport:
    """Send the trades of a published run and fill them at the closes of the session after it.

    Sells go first, and buys are cut to what the cash pays for. What is not filled by the end of
    the trade's last session expires. A second call changes nothing. Orders of a run that another
    took the place of are filled too: it could not for accounts with orders at the broker.

    Parameters
    ----------
    session : whose advice is executed; that of the newest published run if None.
    share : of each trade that is filled, from 0 to 1, down to whole lots.

    Raises
    ------
    RebalanceError
        No run is published for the session.
    StoreError, LakeError
        The store or the lake cannot be read, or the store cannot be written.
    """
    run_id, session = _published_run(settings, session)
    executed_on = session_after(session)
    with connect(settings) as connection:
        run_ids = _runs_of(connection, settings, session)
        accounts = _accounts_with_open_trades(connection, run_ids)
        symbols = _symbols(connection, run_ids)
    prices = _closes(settings, symbols, executed_on)
    counts: dict[str, int] = defaultdict(int)
    for part in track(list(_parts(accounts)), "paper fills"):
        with transaction(settings) as connection:
            _execute(connection, run_ids, part, prices, executed_on, share, counts)
    expired = 0
    if prices is not None:
        with transaction(settings) as connection:
            expired = expire_trades(connection, session_after(executed_on))
    report = PaperReport(
        run_id=run_id,
        session_date=session,
        executed_on=executed_on,
        has_prices=prices is not None,
        sent=counts[TradeStatus.SENT],
        filled=counts[TradeStatus.FILLED],
        partly_filled=counts[TradeStatus.PARTLY_FILLED],
        expired=expired,
        rejected=counts[_REJECTED],
    )
    logger.info("paper fills of run %s: %d filled, %d expired", run_id, report.filled, expired)
    return report


def _published_run(settings: Settings, session: dt.date | None) -> tuple[str, dt.date]:
    run = tables[ADVICE_RUN.name]
    query = sa.select(run.c.run_id, run.c.session_date).where(
        run.c.status == RunStatus.PUBLISHED, run.c.source == settings.source.value
    )
    if session is not None:
        query = query.where(run.c.session_date == session)
    with connect(settings) as connection:
        found = connection.execute(query.order_by(run.c.session_date.desc()).limit(1)).first()
    if found is None:
        raise RebalanceError(
            "session",
            session or "any",
            "no advice is published for it",
            "Run `smartinvest rebalance` for it first, or name another one with --session.",
        )
    return found.run_id, found.session_date


def _runs_of(connection: sa.Connection, settings: Settings, session: dt.date) -> list[str]:
    """Return the session's runs that are or were published."""
    run = tables[ADVICE_RUN.name]
    query = sa.select(run.c.run_id).where(
        run.c.status != RunStatus.BUILDING,
        run.c.source == settings.source.value,
        run.c.session_date == session,
    )
    return sorted(connection.execute(query).scalars())


def _accounts_with_open_trades(connection: sa.Connection, run_ids: Sequence[str]) -> list[str]:
    trade = tables[TRADE.name]
    query = sa.select(trade.c.account_id).where(
        trade.c.run_id.in_(run_ids), trade.c.status.in_(OPEN)
    )
    return sorted(set(connection.execute(query).scalars()))


def _symbols(connection: sa.Connection, run_ids: Sequence[str]) -> list[str]:
    trade = tables[TRADE.name]
    query = sa.select(trade.c.symbol).where(trade.c.run_id.in_(run_ids)).distinct()
    return sorted(connection.execute(query).scalars())


def _closes(settings: Settings, symbols: Sequence[str], session: dt.date) -> dict[str, int] | None:
    """Return the accepted closes of a session as traded; None where the lake has none."""
    import pyarrow.compute as pc

    from pipelines.clients.market import newest_closes
    from pipelines.lake.views import prices_as_of

    rows = prices_as_of(settings, symbols, session)
    found = newest_closes(rows.filter(pc.field("session_date") == session))
    return found or None


def _parts(accounts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(accounts), _ACCOUNTS_AT_ONCE):
        yield accounts[start : start + _ACCOUNTS_AT_ONCE]


def _execute(
    connection: sa.Connection,
    run_ids: Sequence[str],
    account_ids: Sequence[str],
    prices: Mapping[str, int] | None,
    executed_on: dt.date,
    share: Fraction,
    counts: dict[str, int],
) -> None:
    """Send the open trades of some accounts and fill them, in the caller's transaction."""
    trade = tables[TRADE.name]
    query = sa.select(trade).where(
        trade.c.run_id.in_(run_ids),
        trade.c.account_id.in_(account_ids),
        trade.c.status.in_(OPEN),
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    rows.sort(key=lambda row: (row["account_id"], row["sequence"]))
    proposed = [row["trade_id"] for row in rows if row["status"] == TradeStatus.PROPOSED]
    set_status(connection, dict.fromkeys(proposed, TradeStatus.SENT))
    counts[TradeStatus.SENT] += len(proposed)
    if prices is None or share == 0:
        return
    accounts = {
        key: held[0] for key, held in current_rows(connection, ACCOUNT, account_ids).items()
    }
    cash = _cash(connection, account_ids)
    fills = [
        fill
        for order in orders_from(connection, rows)
        if (fill := executed(order, accounts, cash, prices, executed_on, share)) is not None
    ]
    booked = book_fills(connection, fills, available_at(executed_on), BROKER)
    counts[_REJECTED] += len(booked.rejected)
    ordered = {row["trade_id"]: row["quantity_micros"] for row in rows}
    for fill in booked.fills:
        is_whole = ordered[fill.trade_id] == fill.quantity_micros
        counts[TradeStatus.FILLED if is_whole else TradeStatus.PARTLY_FILLED] += 1


def _cash(connection: sa.Connection, account_ids: Sequence[str]) -> dict[str, int]:
    """Return the whole cents of each account's cash."""
    return {
        key: sum(row["quantity_micros"] for row in rows if row["symbol"] == CASH) // MICROS_PER_CENT
        for key, rows in current_rows(connection, HOLDING, account_ids).items()
    }
