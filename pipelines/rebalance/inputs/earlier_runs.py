"""The runs before a session's that its advice goes on from."""

import datetime as dt
from collections.abc import Mapping
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
    seen = sa.select(run.c.run_id, run.c.session_date).where(
        run.c.source == source,
        run.c.status != RunStatus.BUILDING,
        run.c.session_date <= session,
        run.c.session_date >= session - dt.timedelta(days=_ORDERS_LAST_DAYS),
    )
    candidates = {row.run_id: row.session_date for row in store.execute(seen)}
    latest = (previous.run_id, previous.session_date) if previous else None
    return earlier_runs(store, session, latest, candidates)


def earlier_runs(
    store: sa.Connection,
    session: dt.date,
    previous: tuple[str, dt.date] | None,
    candidates: Mapping[str, dt.date],
) -> EarlierRuns:
    """Return what a session's advice goes on from, where the earlier runs are known.

    Parameters
    ----------
    previous : key and session of the run whose targets are in force.
    candidates : session by key of the runs whose trades may be with the broker.
    """
    valid = {
        run_id: date
        for run_id, date in candidates.items()
        if (end := _valid_until(store, run_id)) is not None and end >= session
    }
    return EarlierRuns(
        session=session,
        target_run_id=previous[0] if previous else None,
        cash_since=available_at(previous[1]) if previous else None,
        order_run_ids=tuple(sorted(valid)),
        own_run_ids=tuple(sorted(name for name, date in valid.items() if date == session)),
    )


def _valid_until(store: sa.Connection, run_id: str) -> dt.date | None:
    """Return when a run's trades end: all on the same day, so any of them tells."""
    trade = tables["trade"]
    return store.execute(
        sa.select(trade.c.valid_until).where(trade.c.run_id == run_id).limit(1)
    ).scalar()
