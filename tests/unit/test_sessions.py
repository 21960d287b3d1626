"""Sessions of the exchange: known days checked by hand."""

import datetime as dt

import pytest

from pipelines.errors import SessionError
from pipelines.sessions import (
    FIRST_DATE,
    LAST_DATE,
    available_at,
    first_available,
    newest_available,
    parse_session,
    require_session,
    session_after,
    sessions_between,
)


@pytest.mark.parametrize("text", ["yesterday", "2022-13-01", "20221228", "2022-W52-3", ""])
def test_a_text_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(SessionError, match="YYYY-MM-DD"):
        parse_session(text)


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        ("2022-12-26", "2022-12-23", "2022-12-27"),  # Christmas Day observed
        ("2022-12-24", "2022-12-23", "2022-12-27"),  # a Saturday
        ("2001-09-12", "2001-09-10", "2001-09-17"),  # closed after the attacks
    ],
)
def test_a_closed_day_is_refused_with_the_sessions_next_to_it(
    day: str, before: str, after: str
) -> None:
    with pytest.raises(SessionError, match=f"{before} and {after}"):
        parse_session(day)


def test_a_date_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(SessionError, match="outside the calendar"):
        require_session(dt.date(2100, 1, 4))


def test_every_date_of_the_calendar_is_a_session_or_has_one_on_each_side() -> None:
    assert require_session(FIRST_DATE) == FIRST_DATE
    assert require_session(LAST_DATE) == LAST_DATE
    with pytest.raises(SessionError, match=f"outside the calendar.*{FIRST_DATE}"):
        require_session(FIRST_DATE - dt.timedelta(days=1))


def test_sessions_between_skips_weekends_and_holidays() -> None:
    week = sessions_between(dt.date(2022, 12, 22), dt.date(2022, 12, 28))
    assert [day.day for day in week] == [22, 23, 27, 28]


def test_counting_sessions_goes_both_ways() -> None:
    assert session_after(dt.date(2022, 12, 23)) == dt.date(2022, 12, 27)
    assert session_after(dt.date(2022, 12, 27), -1) == dt.date(2022, 12, 23)


@pytest.mark.parametrize(
    ("session", "hour"),
    [
        (dt.date(2022, 12, 28), 1),  # close 16:00 in New York = 21:00 UTC, and four hours
        (dt.date(2022, 7, 1), 0),  # summer time: 20:00 UTC
        (dt.date(2022, 11, 25), 22),  # half day: 13:00 in New York = 18:00 UTC
    ],
)
def test_bars_are_known_four_hours_after_the_close(session: dt.date, hour: int) -> None:
    known = available_at(session)
    assert known.hour == hour
    assert known.utcoffset() == dt.timedelta(0)
    assert known.date() == session + dt.timedelta(days=hour < 12)


@pytest.mark.parametrize(
    ("moment", "newest", "first"),
    [
        # Wednesday's bars are known on Thursday at 01:00 UTC.
        ("2022-12-29T00:59", dt.date(2022, 12, 27), dt.date(2022, 12, 28)),
        ("2022-12-29T01:00", dt.date(2022, 12, 28), dt.date(2022, 12, 28)),
        ("2022-12-29T01:01", dt.date(2022, 12, 28), dt.date(2022, 12, 29)),
        ("2022-12-25T12:00", dt.date(2022, 12, 23), dt.date(2022, 12, 27)),
    ],
)
def test_between_two_sessions_one_is_the_newest_and_the_other_comes_first(
    moment: str, newest: dt.date, first: dt.date
) -> None:
    at = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)
    assert (newest_available(at), first_available(at)) == (newest, first)


def test_the_first_session_of_all_comes_first_after_the_calendar_begins() -> None:
    assert first_available(dt.datetime.combine(FIRST_DATE, dt.time(), dt.UTC)) == FIRST_DATE
