"""Which session the chain runs next by itself, where its source is one that is polled."""

import datetime as dt

import sqlalchemy as sa

from models.vocabulary import RunStatus, Source
from pipelines.sessions import newest_available, session_after
from pipelines.settings import Settings

CATCH_UP_SESSIONS = 21
"""How many sessions, the newest included, are caught up with by themselves after a standstill.

What lies further back is left to a backfill that somebody asks for: advice of a month ago helps
no client, and a first backfill of an old year must not call up all the years after it.
"""

_POLLED = frozenset({Source.YAHOO})


def runs_by_itself(source: Source) -> bool:
    """Tell whether new sessions of a source appear without anybody bringing them."""
    return source in _POLLED


def next_session(
    settings: Settings, after: dt.date | None, now: dt.datetime, *, catchup: bool
) -> dt.date:
    """Return the session that runs next; it may lie in the future.

    Parameters
    ----------
    after : the newest session that was run by itself or by a backfill.
    now : the present moment; sessions whose bars are known by then are due.
    catchup : whether sessions that were missed are run too, or only the newest one.

    Returns
    -------
    datetime.date
        The session after the newest one that was run, by itself, by a backfill, or by hand so that
        its advice is published; the newest one that is due, where there was no run yet.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    newest = newest_available(now)
    if after is not None and after >= newest:
        return session_after(after)
    done = max((date for date in (after, _newest_published(settings)) if date), default=None)
    if done is None:
        return newest
    oldest = session_after(newest, 1 - CATCH_UP_SESSIONS) if catchup else newest
    return max(session_after(done), oldest)


def _newest_published(settings: Settings) -> dt.date | None:
    # Heavy for what parses DAG files: it brings pyarrow and Alembic.
    from pipelines.store import connect, tables
    from pipelines.store.engine import sqlite_path

    path = sqlite_path(settings)
    if path is not None and not path.is_file():
        return None
    run = tables["advice_run"]
    query = sa.select(sa.func.max(run.c.session_date)).where(
        run.c.source == settings.source, run.c.status == RunStatus.PUBLISHED
    )
    with connect(settings) as connection:
        newest: dt.date | None = connection.execute(query).scalar()
    return newest
