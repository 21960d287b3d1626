"""What a backfill runs, and what it refuses, in words that say what to do instead."""

import datetime as dt
import json
from pathlib import Path

import pytest
from advice_examples import publish_run
from dag_tasks import call_task
from new_stores import make_store

from pipelines.errors import SessionError
from pipelines.operate.backfill import sessions_to_backfill
from pipelines.settings import Settings, load_settings

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
CHRISTMAS = ["2022-12-23", "2022-12-27", "2022-12-28"]  # the 26th was a holiday


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path / "home")
    make_store(settings)
    return settings


def sessions(settings: Settings, first: str, last: str, *, again: bool = False) -> list[str]:
    return [str(day) for day in sessions_to_backfill(settings, first, last, NOW, again=again)]


def test_it_runs_the_sessions_between_two_days_oldest_first(settings: Settings) -> None:
    assert sessions(settings, "2022-12-23", "2022-12-28") == CHRISTMAS
    assert sessions(settings, "2022-12-24", "2022-12-27") == ["2022-12-27"]


def test_sessions_with_published_advice_are_left_out_unless_asked_for(settings: Settings) -> None:
    publish_run(settings, dt.date(2022, 12, 27))
    assert sessions(settings, "2022-12-23", "2022-12-28") == ["2022-12-23", "2022-12-28"]
    assert sessions(settings, "2022-12-23", "2022-12-28", again=True) == CHRISTMAS


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        ("2022-12-28", "2022-12-23", "it ends before it begins. Swap the two days"),
        ("yesterday", "2022-12-28", "first session = 'yesterday': it is not a date"),
        ("2022-12-28", "2022-13-01", "last session = '2022-13-01': it is not a date"),
        ("2022-12-24", "2022-12-26", "the exchange is closed on all of these days"),
        ("2022-12-23", "2022-12-29", "has nothing for part of it. Its sessions go from 1990-01-02"),
        ("1989-12-29", "1990-01-05", "has nothing for part of it. Its sessions go from 1990-01-02"),
        ("2022-12-28", "2099-01-01", "it lies outside the calendar"),
        ("2020-01-01", "2022-12-28", "Do it in parts"),
    ],
)
def test_nonsense_is_refused(settings: Settings, first: str, last: str, problem: str) -> None:
    with pytest.raises(SessionError, match=problem):
        sessions(settings, first, last)


def test_a_backfill_with_nothing_left_to_do_says_so(settings: Settings) -> None:
    publish_run(settings, dt.date(2022, 12, 28))
    with pytest.raises(SessionError, match="advice is published for all of its 1 sessions"):
        sessions(settings, "2022-12-28", "2022-12-28")


def test_the_dag_fails_with_the_reason_before_anything_is_triggered(settings: Settings) -> None:
    asked = {"first": "2022-12-29", "last": "2022-12-28", "which": "missing"}
    refused = call_task(settings, "backfill", "plan", **asked)
    assert refused.returncode == 1
    assert "it ends before it begins" in refused.stderr.splitlines()[-1]


@pytest.mark.long
def test_the_dag_plans_one_run_per_session(settings: Settings) -> None:
    asked = {"first": "2022-12-27", "last": "2022-12-28", "which": "missing"}
    done = call_task(settings, "backfill", "plan", **asked)
    assert done.returncode == 0, done.stderr
    planned = json.loads(done.stdout.splitlines()[-1])
    assert [run["conf"] for run in planned] == [{"session": day} for day in CHRISTMAS[1:]]
    assert len({run["trigger_run_id"] for run in planned}) == 2
