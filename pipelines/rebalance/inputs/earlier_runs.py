"""The runs before a session's that its advice goes on from."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.sessions import available_at
from pipelines.store import tables

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
    """

    session: dt.date
    target_run_id: str | None
    cash_since: dt.datetime | None
    order_run_ids: tuple[str, ...]
    own_run_ids: tuple[str, ...]


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
    valid = _runs_with_valid_trades(store, source, session)
    return EarlierRuns(
        session=session,
        target_run_id=previous.run_id if previous else None,
        cash_since=available_at(previous.session_date) if previous else None,
        order_run_ids=tuple(sorted(valid)),
        own_run_ids=tuple(sorted(name for name, date in valid.items() if date == session)),
    )


def _runs_with_valid_trades(
    store: sa.Connection, source: str, session: dt.date
) -> dict[str, dt.date]:
    """Return run and session of those whose trades are valid in a session.

    All trades of a run end on the same day, so one of them tells, and no index on the largest
    table is needed.
    """
    run, trade = tables["advice_run"], tables["trade"]
    candidates = store.execute(
        sa.select(run.c.run_id, run.c.session_date).where(
            run.c.source == source,
            run.c.status != RunStatus.BUILDING,
            run.c.session_date <= session,
            run.c.session_date >= session - dt.timedelta(days=_ORDERS_LAST_DAYS),
        )
    ).all()
    return {
        candidate.run_id: candidate.session_date
        for candidate in candidates
        if (end := _valid_until(store, trade, candidate.run_id)) is not None and end >= session
    }


def _valid_until(store: sa.Connection, trade: sa.Table, run_id: str) -> dt.date | None:
    return store.execute(
        sa.select(trade.c.valid_until).where(trade.c.run_id == run_id).limit(1)
    ).scalar()
