"""The exchange's sessions (XNYS): which dates are sessions, and when their data can be known."""

import datetime as dt
import re
from functools import cache
from typing import TYPE_CHECKING

from pipelines.errors import SessionError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

EXCHANGE = "XNYS"
FIRST_DATE = dt.date(1950, 1, 3)
LAST_DATE = dt.date(2049, 12, 31)
"""The first and the last are sessions, so that every date between them has one on each side."""

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

PUBLICATION_DELAY = dt.timedelta(hours=4)
"""How long after the close a bar counts as known, where nobody observed its arrival."""


@cache
def calendar() -> "ExchangeCalendar":
    """Return the exchange's calendar between the two fixed dates."""
    import exchange_calendars

    return exchange_calendars.get_calendar(EXCHANGE, start=str(FIRST_DATE), end=str(LAST_DATE))


def read_date(text: str) -> dt.date:
    """Read a date written YYYY-MM-DD, and no other way, so that none is misread.

    Raises
    ------
    ValueError
        The text is no such date.
    """
    if not _ISO_DATE.fullmatch(text):
        raise ValueError(f"not a date written YYYY-MM-DD: {text!r}")
    return dt.date.fromisoformat(text)


def parse_session(text: str) -> dt.date:
    """Read a date written YYYY-MM-DD and check that it is a session.

    Raises
    ------
    SessionError
        The text is no such date, or the exchange is closed on it.
    """
    try:
        date = read_date(text)
    except ValueError:
        raise SessionError("session", text, "it is not a date", "Write it as YYYY-MM-DD.") from None
    return require_session(date)


def require_session(date: dt.date) -> dt.date:
    """Return the date if the exchange opens on it.

    Raises
    ------
    SessionError
        The exchange is closed on it, or it lies outside the calendar.
    """
    if not FIRST_DATE <= date <= LAST_DATE:
        raise SessionError(
            "session", date, "it lies outside the calendar", f"Use {FIRST_DATE} to {LAST_DATE}."
        )
    if not calendar().is_session(str(date)):
        before = calendar().date_to_session(str(date), direction="previous").date()
        after = calendar().date_to_session(str(date), direction="next").date()
        raise SessionError(
            "session",
            date,
            f"{EXCHANGE} is closed on that day",
            f"The sessions next to it are {before} and {after}.",
        )
    return date


def sessions_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return all sessions from first to last, both included."""
    return [stamp.date() for stamp in calendar().sessions_in_range(str(first), str(last))]


def session_after(session: dt.date, count: int = 1) -> dt.date:
    """Return the session that lies ``count`` sessions after (before, if negative) the given one."""
    return calendar().session_offset(str(session), count).date()


@cache
def close_of(session: dt.date) -> dt.datetime:
    """Return the moment (UTC) of a session's close."""
    close: dt.datetime = calendar().session_close(str(session)).to_pydatetime()
    return close.astimezone(dt.UTC)


def available_at(session: dt.date) -> dt.datetime:
    """Return the moment (UTC) from which a session's bars count as known."""
    return close_of(session) + PUBLICATION_DELAY


def newest_available(moment: dt.datetime) -> dt.date:
    """Return the newest session whose bars count as known at a moment."""
    day = moment.astimezone(dt.UTC).date()
    session: dt.date = calendar().date_to_session(str(day), direction="previous").date()
    while available_at(session) > moment:
        session = session_after(session, -1)
    return session


def first_available(moment: dt.datetime) -> dt.date:
    """Return the first session whose bars become known at a moment or after it."""
    # Bars of a session are known within a day of its date.
    day = max(moment.astimezone(dt.UTC).date() - dt.timedelta(days=1), FIRST_DATE)
    session: dt.date = calendar().date_to_session(str(day), direction="next").date()
    while available_at(session) < moment:
        session = session_after(session)
    return session
