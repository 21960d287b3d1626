"""The timetable makes one run per session: as many a year as the exchange, half days early."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import exchange_calendars
import pytest

from pipelines.sessions import FIRST_DATE, available_at, session_after

NEW_YORK = ZoneInfo("America/New_York")
DELAY = dt.timedelta(hours=4)
SUNDAY = dt.datetime(2026, 11, 22, 15, tzinfo=dt.UTC)
FRIDAY = dt.date(2026, 11, 20)
KNOWN_YEARS = {
    # Counted by hand from the exchange's published holidays.
    2001: 248,  # closed for four sessions after 11 September
    2012: 250,  # closed for two sessions by hurricane Sandy
    2018: 251,  # closed for President Bush's funeral
    2022: 251,  # the first year in which Juneteenth was kept
    2025: 250,  # closed for President Carter's funeral
}
HALF_DAYS_OF_2024 = ["2024-07-03", "2024-11-29", "2024-12-24"]


@pytest.fixture(scope="module")
def plugin(our_module: Callable[[str], Any]) -> ModuleType:
    return our_module("exchange_sessions")


@pytest.fixture
def timetable(plugin: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The timetable as Airflow gives it back from a serialised DAG, on a polled source, today."""
    monkeypatch.setenv("SMARTINVEST_HOME", str(tmp_path))
    monkeypatch.setenv("SMARTINVEST_SOURCE", "yahoo")
    _set_clock(plugin, monkeypatch, SUNDAY)
    timetable = plugin.ExchangeSessionTimetable
    return timetable.deserialize(timetable().serialize())


def _set_clock(plugin: ModuleType, patch: pytest.MonkeyPatch, moment: dt.datetime) -> None:
    patch.setattr(plugin.pendulum, "now", lambda _zone: plugin.pendulum.instance(moment))


def _backfill(timetable, first: str, last: str) -> list:
    bounds = (dt.datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (first, last))
    return list(timetable.iter_partition_dagrun_infos(earliest=next(bounds), latest=next(bounds)))


def _next(timetable, last=None, *, catchup=True, earliest=None, latest=None):
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest, latest, catchup)
    return timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=restriction)


def _close(run) -> dt.time:
    return (run.run_after - DELAY).astimezone(NEW_YORK).time()


def test_each_year_from_1990_to_2030_has_as_many_runs_as_the_exchange_has_sessions(
    plugin: ModuleType, timetable, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_clock(plugin, monkeypatch, dt.datetime(2031, 1, 2, tzinfo=dt.UTC))
    runs = _backfill(timetable, "1990-01-01", "2030-12-31")
    exchange = exchange_calendars.get_calendar("XNYS", start="1990-01-01", end="2030-12-31")
    assert [run.partition_key for run in runs] == [str(day.date()) for day in exchange.sessions]
    per_year = Counter(run.partition_date.year for run in runs)
    assert set(per_year) == set(range(1990, 2031))
    assert {year: per_year[year] for year in KNOWN_YEARS} == KNOWN_YEARS


def test_on_half_days_the_run_is_due_four_hours_after_the_early_close(
    plugin: ModuleType, timetable, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_clock(plugin, monkeypatch, dt.datetime(2031, 1, 2, tzinfo=dt.UTC))
    runs = _backfill(timetable, "1990-01-01", "2030-12-31")
    exchange = exchange_calendars.get_calendar("XNYS", start="1990-01-01", end="2030-12-31")
    early = {run.partition_key for run in runs if _close(run) < dt.time(16)}
    assert early == {str(day.date()) for day in exchange.early_closes}
    assert sorted(day for day in early if day.startswith("2024")) == HALF_DAYS_OF_2024


def test_scheduling_by_itself_and_backfilling_make_the_same_runs(timetable) -> None:
    backfilled = _backfill(timetable, "2026-11-02", "2026-11-20")
    scheduled = [backfilled[0]]
    while scheduled[-1].run_after < SUNDAY:
        scheduled.append(_next(timetable, scheduled[-1]))
    assert scheduled[:-1] == backfilled
    assert scheduled[-1].partition_key == "2026-11-23"


def test_a_year_ahead_is_planned_session_by_session(timetable) -> None:
    run, keys = _next(timetable, _run(timetable, "2026-11-20")), []
    while run.partition_date.year < 2028:
        keys.append(run.partition_key)
        run = _next(timetable, run)
    exchange = exchange_calendars.get_calendar("XNYS", start="2026-11-23", end="2027-12-31")
    assert keys == [str(day.date()) for day in exchange.sessions]


def _run(timetable, session: str):
    return _backfill(timetable, session, session)[0]


def test_the_first_run_of_all_is_the_newest_session(timetable) -> None:
    assert _next(timetable).partition_key == "2026-11-20"


def test_a_session_is_due_once_its_bars_can_be_known_and_not_before(
    plugin: ModuleType, timetable, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = available_at(FRIDAY)
    _set_clock(plugin, monkeypatch, due - dt.timedelta(seconds=1))
    assert _next(timetable).partition_key == "2026-11-19"
    _set_clock(plugin, monkeypatch, due)
    assert _next(timetable).run_after == due


def test_after_a_standstill_missed_sessions_run_one_by_one(timetable) -> None:
    assert _next(timetable, _run(timetable, "2026-11-16")).partition_key == "2026-11-17"


def test_without_catch_up_only_the_newest_of_the_missed_sessions_runs(timetable) -> None:
    run = _next(timetable, _run(timetable, "2026-11-16"), catchup=False)
    assert run.partition_key == "2026-11-20"


def test_a_backfill_of_an_old_year_does_not_call_up_all_the_years_after_it(timetable) -> None:
    run = _next(timetable, _run(timetable, "2010-06-01"))
    assert run.partition_key == str(session_after(FRIDAY, -20))


def test_the_start_and_the_end_date_of_the_dag_are_kept(timetable) -> None:
    christmas = dt.datetime(2026, 12, 25, tzinfo=dt.UTC)  # a Friday, after a half day
    monday = _next(timetable, earliest=christmas)
    assert monday.partition_key == "2026-12-28"
    assert _next(timetable, earliest=monday.run_after, latest=monday.run_after) == monday
    assert _next(timetable, earliest=christmas, latest=christmas) is None


def test_a_start_date_on_the_first_day_of_the_calendar_restricts_nothing(timetable) -> None:
    # That of the DAG `ingest`.
    first = dt.datetime.combine(FIRST_DATE, dt.time(), dt.UTC)
    assert _next(timetable, earliest=first) == _next(timetable)


@pytest.mark.parametrize("source", ["sample", "files", "simulated"])
def test_nothing_runs_by_itself_where_no_new_sessions_appear(
    timetable, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("SMARTINVEST_SOURCE", source)
    assert _next(timetable) is None
    assert len(_backfill(timetable, "2022-12-14", "2022-12-28")) == 10


def test_nothing_runs_by_itself_where_airflow_may_not_schedule(
    timetable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SMARTINVEST__SCHEDULE_SESSIONS", "False")
    assert _next(timetable) is None


def test_a_backfill_leaves_out_sessions_that_cannot_be_known_yet(timetable) -> None:
    runs = _backfill(timetable, "2026-11-19", "2026-12-31")
    assert [run.partition_key for run in runs] == ["2026-11-19", "2026-11-20"]
    assert _backfill(timetable, "2026-12-01", "2026-12-31") == []


ZONES = [
    "Pacific/Honolulu",
    "America/New_York",
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Pacific/Auckland",
]


@pytest.mark.parametrize("zone", ZONES)
def test_a_backfill_covers_the_days_that_the_interface_shows_in_any_time_zone(
    timetable, zone: str
) -> None:
    # As it sends them: the beginning and the last millisecond of a local day, in UTC.
    first = dt.datetime(2022, 12, 14, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
    last = dt.datetime(2022, 12, 16, 23, 59, 59, 999_000, ZoneInfo(zone)).astimezone(dt.UTC)
    runs = timetable.iter_partition_dagrun_infos(earliest=first, latest=last)
    assert [run.partition_key for run in runs] == ["2022-12-14", "2022-12-15", "2022-12-16"]


@pytest.mark.parametrize("zone", ZONES)
def test_bounds_written_as_midnights_mean_the_days_that_they_begin(timetable, zone: str) -> None:
    first = dt.datetime(2022, 12, 14, tzinfo=ZoneInfo(zone))
    last = dt.datetime(2022, 12, 16, tzinfo=ZoneInfo(zone))
    runs = timetable.iter_partition_dagrun_infos(earliest=first, latest=last)
    assert [run.partition_key for run in runs] == ["2022-12-14", "2022-12-15", "2022-12-16"]


@pytest.mark.parametrize("key", ["2022-12-26", "2022-12-24", "20221228", "newest"])
def test_a_partition_key_that_is_no_session_is_refused_when_it_is_triggered(
    plugin: ModuleType, timetable, key: str
) -> None:
    with pytest.raises(plugin.InvalidPartitionKeyError, match=key):
        timetable.resolve_partition_date(key)


def test_the_partition_date_is_midnight_in_new_york_and_filters_by_date_find_it(timetable) -> None:
    date = timetable.resolve_partition_date("2022-07-01")
    assert date == dt.datetime(2022, 7, 1, 4, tzinfo=dt.UTC)
    assert timetable.localize_partition_datetime(dt.datetime(2022, 7, 1)) == date  # noqa: DTZ001


def test_run_ids_begin_with_their_session_and_differ_when_it_is_run_again(
    plugin: ModuleType, timetable
) -> None:
    run = _run(timetable, "2022-12-28")
    ids = {
        timetable.generate_run_id(
            run_type=plugin.DagRunType.BACKFILL_JOB,
            run_after=run.run_after,
            data_interval=None,
            partition_key=run.partition_key,
        )
        for _ in range(2)
    }
    assert len(ids) == 2
    assert all(run_id.startswith("backfill__2022-12-28__") for run_id in ids)
