"""When a run is late: by its length, and by the hour of its session's advice if that is awaited."""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from asked_airflow import airflow_database
from new_stores import make_store

from pipelines.operate.airflow_config import environment
from pipelines.sessions import close_of, newest_available, session_after
from pipelines.settings import load_settings

Moment = dt.datetime | None


@pytest.fixture(scope="module")
def plugin(our_module: Callable[[str], Any]) -> ModuleType:
    return our_module("deadlines")


@pytest.fixture
def due(plugin: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """When Airflow, asked as it creates a run, is told that the run's advice is due."""
    from airflow.models import DagRun
    from sqlalchemy.orm import Session

    monkeypatch.setenv("SMARTINVEST_HOME", str(tmp_path))
    monkeypatch.setenv("SMARTINVEST_ADVICE_DUE_HOURS", "12")

    def ask(partition_key: str | None = None, conf: dict[str, str] | None = None) -> Moment:
        engine = sa.create_engine("sqlite://")
        columns = ("dag_id", "run_id", "partition_key", "conf")
        table = sa.Table("dag_run", sa.MetaData())
        for name in columns:
            table.append_column(sa.Column(name, DagRun.__table__.c[name].type))
        table.create(engine)
        with Session(engine) as session:
            row = dict(zip(columns, ("train", "r", partition_key, conf), strict=True))
            session.execute(sa.insert(table), [row])
            found: Moment = plugin.AdviceDue()._evaluate_with(
                session=session, dag_id="train", run_id="r"
            )
        return found

    return ask


def test_the_advice_of_the_newest_session_is_due_some_hours_after_its_close(due: Any) -> None:
    newest = newest_available(dt.datetime.now(dt.UTC))
    expected = close_of(newest) + dt.timedelta(hours=12)
    assert due(partition_key=newest.isoformat()) == expected
    assert due(conf={"session": newest.isoformat()}) == expected


def test_nobody_waits_for_the_advice_of_an_older_session_or_of_none(due: Any) -> None:
    before = session_after(newest_available(dt.datetime.now(dt.UTC)), -1)
    assert due(partition_key=before.isoformat()) is None
    assert due() is None


def test_what_is_no_session_keeps_no_run_from_being_created(
    due: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert due(partition_key="2022-12-25") is None
    assert "is unknown" in caplog.text


def test_the_run_of_a_dag_is_late_by_its_own_length(plugin: ModuleType) -> None:
    run, advice = plugin.deadlines(24.0)
    assert (run.name, run.interval) == ("run", dt.timedelta(hours=24))
    assert run.callback.kwargs == {"what": "run", "hours": 24.0}
    assert (advice.name, advice.interval) == ("advice", dt.timedelta(0))
    begun = run.reference._evaluate_with(session=None, run_id="r")
    assert abs((dt.datetime.now(dt.UTC) - begun).total_seconds()) < 60


@pytest.mark.long
def test_airflow_keeps_the_deadlines_of_a_run_and_what_it_calls_then_tells_both(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    settings = load_settings({}, home=tmp_path / "home")
    make_store(settings)
    airflow_database(tmp_path_factory, settings)
    newest = newest_available(dt.datetime.now(dt.UTC))
    before = session_after(newest, -1)
    script = Path(__file__).with_name("miss_deadlines.py")
    done = subprocess.run(
        [sys.executable, str(script), before.isoformat(), newest.isoformat()],
        env=environment(settings, 0, schedules=False),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(next(line for line in done.stdout.splitlines() if line.startswith('{"dead')))
    assert set(told["deadlines"][before.isoformat()]) == {"run"}
    late = told["deadlines"][newest.isoformat()]
    expected = close_of(newest) + dt.timedelta(hours=settings.advice_due_hours)
    assert dt.datetime.fromisoformat(late["advice"]) == expected
    assert told["called"] == [True, True], done.stderr[-3000:]
    notes = [json.loads(path.read_text()) for path in (settings.lake / "alerts").rglob("*.json")]
    assert {note["cause"]["error"] for note in notes} == {"RunLate", "AdviceLate"}
    assert {note["session"] for note in notes} == {newest.isoformat()}
