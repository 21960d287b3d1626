"""The calendar is told as it stood on each session."""

import datetime as dt

import numpy as np
import pytest

from pipelines.sessions import sessions_between
from pipelines.warehouse.exchange_days import expected_after, is_half_day, next_expected


def days(*dates: str) -> np.ndarray:
    return np.array(dates, dtype="datetime64[D]")


@pytest.mark.parametrize(
    ("session", "next_one"),
    [
        ("2022-12-23", "2022-12-27"),
        ("2022-12-30", "2023-01-03"),
        ("2001-09-10", "2001-09-11"),
        ("2001-09-17", "2001-09-18"),
        ("2012-10-26", "2012-10-29"),
    ],
)
def test_the_next_session_is_the_one_that_was_expected(session: str, next_one: str) -> None:
    assert next_expected(days(session)) == days(next_one)


def test_sessions_left_in_a_month_and_a_quarter_count_those_that_were_expected() -> None:
    september_2001 = days("2001-09-10", "2001-09-17", "2001-09-28")
    # Four sessions of that month fell out, which nobody could know on its first ten days.
    assert expected_after(september_2001, months=1).tolist() == [14, 9, 0]
    assert expected_after(september_2001, months=3).tolist() == [14, 9, 0]
    assert expected_after(days("2022-10-31", "2022-12-29"), months=3).tolist() == [42, 1]


def test_without_surprises_the_expected_sessions_are_those_that_came() -> None:
    year = sessions_between(dt.date(2019, 1, 2), dt.date(2019, 12, 31))
    sessions = np.asarray(year, dtype="datetime64[D]")
    assert next_expected(sessions)[:-1].tolist() == year[1:]
    left = expected_after(sessions, months=1)
    for session, count in zip(year, left.tolist(), strict=True):
        assert count == sum(later > session and later.month == session.month for later in year), (
            session
        )


def test_early_closes_are_half_days() -> None:
    assert is_half_day(days("2022-11-23", "2022-11-25")).tolist() == [False, True]
