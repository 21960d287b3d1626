"""A backfill on a real Airflow: one run per session, the chain behind each, also over a restart.

It takes minutes; `make test-long` runs it.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from new_stores import make_store

from pipelines.clients import generate
from pipelines.operate.airflow_local import DAG_IDS, LocalAirflow
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, tables

pytestmark = pytest.mark.long

SESSIONS = ["2022-12-23", "2022-12-27"]  # over Christmas, observed on the 26th
BY_FORM = "2022-12-28"
TIMEOUT_S = 1500


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with a few clients and nothing else."""
    settings = load_settings({}, home=tmp_path / "home", generated_clients=40)
    make_store(settings)
    generate(settings, settings.generated_clients, settings.seed)
    return settings


@contextmanager
def _serving(settings: Settings) -> Iterator[LocalAirflow]:
    """An Airflow that stays up, as `make up` starts it and `make down` ends it."""
    airflow = LocalAirflow(settings, "serve")
    try:
        airflow.start(stays=True)
        yield airflow
    finally:
        airflow.stop()


def _wait(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(1)


def _runs(airflow: LocalAirflow, dag_id: str) -> list[tuple[str, str, str]]:
    found = airflow.api._get(f"/dags/{dag_id}/dagRuns", limit=100)["dag_runs"]
    return sorted((run["partition_key"], run["run_type"], run["state"]) for run in found)


def _ways_of_train(airflow: LocalAirflow) -> list[tuple[str, str, str | None]]:
    """Session, task and state of what `train` could do after it had looked."""
    found = []
    for run in airflow.api._get("/dags/train/dagRuns", limit=100)["dag_runs"]:
        tasks = airflow.api._get(f"/dags/train/dagRuns/{run['dag_run_id']}/taskInstances")
        found += [
            (run["partition_key"], task["task_id"], task["state"])
            for task in tasks["task_instances"]
            if task["task_id"] != "decide"
        ]
    return sorted(found)


def _published(settings: Settings) -> list[dt.date]:
    run = tables["advice_run"]
    query = sa.select(run.c.session_date).where(run.c.status == "published")
    with connect(settings) as connection:
        return sorted(connection.execute(query).scalars())


def test_a_backfill_makes_one_run_per_session_and_outlives_a_restart(settings: Settings) -> None:
    bounds = {"from_date": "2022-12-23T00:00:00Z", "to_date": "2022-12-27T23:59:59.999Z"}
    body = {"dag_id": "ingest", "max_active_runs": 1, **bounds}
    with _serving(settings) as airflow:
        airflow.api._send("POST", "/backfills", body)
        _wait(lambda: any(state == "running" for *_, state in _runs(airflow, "warehouse")))
    with _serving(settings) as airflow:
        _wait(lambda: len(_published(settings)) == len(SESSIONS))
        _wait(lambda: not airflow.api.unfinished_runs())
        for dag_id in DAG_IDS:
            kind = "backfill" if dag_id == "ingest" else "asset_triggered"
            succeeded = [run for run in _runs(airflow, dag_id) if run[2] == "success"]
            assert succeeded == [(session, kind, "success") for session in SESSIONS]
        first, second = SESSIONS
        assert _ways_of_train(airflow) == [
            (first, "keep", "skipped"),
            (first, "retrain", "success"),
            (second, "keep", "success"),
            (second, "retrain", "skipped"),
        ]
        assert [str(session) for session in _published(settings)] == SESSIONS
        _backfill_by_our_form(airflow)
    assert [str(session) for session in _published(settings)] == [*SESSIONS, BY_FORM]


def _backfill_by_our_form(airflow: LocalAirflow) -> None:
    """The DAG `backfill` leaves out what is published, and ends when the rest is."""
    asked = {"logical_date": None, "conf": {"first": SESSIONS[0], "last": BY_FORM}}
    run_id = airflow.api._send("POST", "/dags/backfill/dagRuns", asked)["dag_run_id"]
    _wait(lambda: airflow.api.dag_run("backfill", run_id).state in ("success", "failed"))
    assert airflow.api.dag_run("backfill", run_id).state == "success"
    triggered = f"session_{BY_FORM}__{run_id}"
    assert airflow.api.dag_run("ingest", triggered).state == "success"
