"""Upkeep runs at its hours where Airflow stays up, and never in one that is up for one session."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="module")
def sundays(our_module: Callable[[str], Any]) -> Any:
    plugin = our_module("standing_times")
    made = plugin.StandingTimetable("0 6 * * 0", timezone="UTC")
    # As Airflow gives it back from a serialised DAG.
    return plugin.StandingTimetable.deserialize(made.serialize())


def _next(timetable: Any) -> Any:
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest=None, latest=None, catchup=False)
    return timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)


def test_it_runs_at_its_hour_where_airflow_stays_up(
    sundays: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SMARTINVEST__SCHEDULE_SESSIONS", "True")
    at = _next(sundays).run_after
    assert (at.weekday(), at.time()) == (6, dt.time(6))


def test_it_never_runs_beside_the_one_session_of_make_run(
    sundays: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SMARTINVEST__SCHEDULE_SESSIONS", "False")
    assert _next(sundays) is None
