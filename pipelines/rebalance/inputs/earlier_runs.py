"""The runs before a session's that its advice goes on from."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from models.store_trades import OPEN_ORDER
from models.vocabulary import RunStatus, TradeStatus
from pipelines.sessions import available_at
from pipelines.store import tables

WITH_THE_BROKER = (TradeStatus.SENT, TradeStatus.PARTLY_FILLED, TradeStatus.FILLED)
"""A filled trade too: a build may be older than the fill, and then its holdings lack it."""

_ORDERS_LAST_DAYS = 31
"""No trade stays valid for longer, so older runs are not asked for open orders."""


@dataclass(frozen=True)
class EarlierRuns:
    """What is read of the store once, so that all shards of a run go on from the same runs.

    Attributes
    ----------
    session : the session that is advised on.
    target_run_id : run whose outcomes name the targets in force: the published one of the newest
        session before; None if there is none.
    cash_since : moment (UTC) from which recorded external cash is new to that run; None likewise.
    order_run_ids : runs whose trades may still be executed in the session, sorted.
    own_run_ids : those of them that advised on the session itself.
    orders_sent : how many of their trades are with the broker, and the sum of their notionals in
        cents: others than these mean that a broker did something.
    counted_by : run that is replayed, whose orders are those that it counted; None where a trade's
        status tells.
    """

    session: dt.date
    target_run_id: str | None
    cash_since: dt.datetime | None
    order_run_ids: tuple[str, ...]
    own_run_ids: tuple[str, ...]
    orders_sent: tuple[int, int] = (0, 0)
    counted_by: str | None = None


def read_earlier_runs(store: sa.Connection, source: str, session: dt.date) -> EarlierRuns:
    """Return the runs that the advice on a session goes on from.

    A run of the same session leaves no target, since this run replaces it, but what was sent of its
    trades stays with the broker.
    """
    run = tables["advice_run"]
    before = sa.and_(
        run.c.status == RunStatus.PUBLISHED, run.c.source == source, run.c.session_date < session
    )
    previous = store.execute(
        sa.select(run.c.run_id, run.c.session_date)
        .where(before)
        .order_by(run.c.session_date.desc())
        .limit(1)
    ).first()
    seen = sa.select(run.c.run_id, run.c.session_date).where(
        run.c.source == source,
        run.c.status != RunStatus.BUILDING,
        run.c.session_date <= session,
        run.c.session_date >= session - dt.timedelta(days=_ORDERS_LAST_DAYS),
    )
    valid = {
        row.run_id: row.session_date
        for row in store.execute(seen)
        if (end := _valid_until(store, row.run_id)) is not None and end >= session
    }
    order_run_ids = tuple(sorted(valid))
    return EarlierRuns(
        session=session,
        target_run_id=previous.run_id if previous else None,
        cash_since=available_at(previous.session_date) if previous else None,
        order_run_ids=order_run_ids,
        own_run_ids=tuple(sorted(name for name, date in valid.items() if date == session)),
        orders_sent=_orders_sent(store, order_run_ids),
    )


def recorded_earlier_runs(
    store: sa.Connection, run_id: str, session: dt.date, previous: tuple[str, dt.date] | None
) -> EarlierRuns:
    """Return what a past run went on from, with the orders that it counted.

    Parameters
    ----------
    previous : key and session of the run whose targets were in force.
    """
    counted, trade, run = (tables[name] for name in (OPEN_ORDER.name, "trade", "advice_run"))
    orders = store.execute(
        sa.select(run.c.run_id, run.c.session_date)
        .select_from(counted)
        .join(trade, trade.c.trade_id == counted.c.trade_id)
        .join(run, run.c.run_id == trade.c.run_id)
        .where(counted.c.run_id == run_id)
        .distinct()
    ).all()
    return EarlierRuns(
        session=session,
        target_run_id=previous[0] if previous else None,
        cash_since=available_at(previous[1]) if previous else None,
        order_run_ids=tuple(sorted(row.run_id for row in orders)),
        own_run_ids=tuple(sorted(row.run_id for row in orders if row.session_date == session)),
        counted_by=run_id,
    )


def _orders_sent(store: sa.Connection, run_ids: tuple[str, ...]) -> tuple[int, int]:
    trade = tables["trade"]
    found = store.execute(
        sa.select(
            sa.func.count().label("orders"), sa.func.sum(trade.c.notional_cents).label("cents")
        ).where(trade.c.run_id.in_(run_ids), trade.c.status.in_(WITH_THE_BROKER))
    ).one()
    return int(found.orders), int(found.cents or 0)


def _valid_until(store: sa.Connection, run_id: str) -> dt.date | None:
    """Return when a run's trades end: all on the same day, so any of them tells."""
    trade = tables["trade"]
    return store.execute(
        sa.select(trade.c.valid_until).where(trade.c.run_id == run_id).limit(1)
    ).scalar()
