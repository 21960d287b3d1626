"""What is late by the clock, also where nothing runs any more that could notice."""

import datetime as dt
from dataclasses import replace

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.alerts.alert import Alert, Kind, Where
from pipelines.alerts.causes import Cause
from pipelines.alerts.market import late_source
from pipelines.errors import StoreError
from pipelines.operate.due import runs_by_itself
from pipelines.sessions import close_of, newest_available, session_after
from pipelines.settings import Settings


def advice_due(settings: Settings, session: dt.date) -> dt.datetime:
    """Return the moment (UTC) at which somebody waits for a session's advice."""
    return close_of(session) + dt.timedelta(hours=settings.advice_due_hours)


def late_alerts(settings: Settings, now: dt.datetime, where: Where) -> list[Alert]:
    """Return what is late of a source that is polled: its data, and the advice that is due.

    Of a source without any advice nothing is late: it was never started.

    Parameters
    ----------
    now : the moment of asking (UTC).
    where : the task that asks.

    Raises
    ------
    StoreError, LakeError
        The store cannot be read; a file of the lake is broken.
    """
    if not runs_by_itself(settings.source) or not _was_ever_published(settings):
        return []
    newest = due = newest_available(now)
    while advice_due(settings, due) > now:
        due = session_after(due, -1)
    advice = late_advice(settings, replace(where, session=due))
    source = late_source(settings, now, replace(where, session=newest))
    return [*source, *([advice] if advice else [])]


def late_advice(settings: Settings, where: Where) -> Alert | None:
    """Return an alert if a session's advice is not published, or the store cannot say that it is.

    Parameters
    ----------
    where : who asks, and for which session; it is due by now.
    """
    from pipelines.operate.summary import published_runs

    try:
        if where.session is not None and published_runs(settings, where.session):
            return None
    except StoreError:
        pass  # is told like advice that is not there: nobody can read it
    cause = Cause(
        "AdviceLate",
        "advice",
        str(where.session),
        f"it is not published {settings.advice_due_hours:g} hours after the session's close",
        "See on the page Operations where the chain stands: mend what is red and clear it, start "
        "what is paused.",
    )
    return Alert(Kind.DEADLINE_MISSED, cause, where, subject_of="advice")


def _was_ever_published(settings: Settings) -> bool:
    from pipelines.store import connect, tables

    run = tables["advice_run"]
    any_run = sa.select(run.c.run_id).where(
        run.c.source == settings.source.value, run.c.status == RunStatus.PUBLISHED.value
    )
    with connect(settings) as store:
        return store.execute(any_run.limit(1)).first() is not None
