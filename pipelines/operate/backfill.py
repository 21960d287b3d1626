"""Which sessions a backfill runs, or why it is refused."""

import datetime as dt

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.errors import SessionError
from pipelines.sessions import (
    FIRST_DATE,
    LAST_DATE,
    newest_available,
    read_date,
    sessions_between,
)
from pipelines.settings import Settings
from pipelines.store import connect, tables

MOST_SESSIONS = 260
"""A year and some days; more than that is asked for by mistake, or in parts."""


def sessions_to_backfill(
    settings: Settings, first: str, last: str, now: dt.datetime, *, again: bool
) -> list[dt.date]:
    """Return the sessions between two days, both included, oldest first.

    Parameters
    ----------
    first, last : days, written YYYY-MM-DD; they need not be sessions.
    now : the present moment; sessions whose bars cannot be known by then are refused.
    again : whether those are run too that have published advice.

    Raises
    ------
    SessionError
        The days make no sense, there is no session between them, the source has no data for some,
        or there are too many; or nothing is left to do.
    StoreError
        The store cannot be read.
    """
    from pipelines.ingest.sources import provider_for

    start, end = _day("first session", first), _day("last session", last)
    if start > end:
        raise SessionError(
            "backfill", f"{start} to {end}", "it ends before it begins", "Swap the two days."
        )
    provider = provider_for(settings)
    oldest = provider.first_session()
    newest = min(provider.newest_session(), newest_available(now))
    if start < oldest or end > newest:
        raise SessionError(
            "backfill",
            f"{start} to {end}",
            f"source {settings.source.value} has nothing for part of it",
            f"Its sessions go from {oldest} to {newest}.",
        )
    sessions = sessions_between(start, end)
    if not sessions:
        raise SessionError(
            "backfill",
            f"{start} to {end}",
            "the exchange is closed on all of these days",
            "Give days with a session between them.",
        )
    if len(sessions) > MOST_SESSIONS:
        raise SessionError(
            "backfill",
            f"{start} to {end}",
            f"it has {len(sessions)} sessions, more than the {MOST_SESSIONS} that are run at once",
            "Do it in parts, the earliest first.",
        )
    if again:
        return sessions
    done = _published(settings)
    missing = [session for session in sessions if session not in done]
    if not missing:
        raise SessionError(
            "backfill",
            f"{start} to {end}",
            f"advice is published for all of its {len(sessions)} sessions",
            "Choose to run them again, or other days.",
        )
    return missing


def _day(what: str, text: str) -> dt.date:
    try:
        day = read_date(text)
    except ValueError:
        raise SessionError(what, text, "it is not a date", "Write it as YYYY-MM-DD.") from None
    if not FIRST_DATE <= day <= LAST_DATE:
        raise SessionError(
            what, text, "it lies outside the calendar", f"Use {FIRST_DATE} to {LAST_DATE}."
        )
    return day


def _published(settings: Settings) -> set[dt.date]:
    run = tables["advice_run"]
    query = sa.select(run.c.session_date).where(
        run.c.source == settings.source.value, run.c.status == RunStatus.PUBLISHED.value
    )
    with connect(settings) as store:
        return set(store.execute(query).scalars())
