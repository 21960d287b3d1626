"""What our listeners note of real task runs, in the store and as OpenLineage events over HTTP."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from asked_airflow import airflow_database
from operations_examples import RUN, SESSION, operations_home
from stored import rows

from pipelines.lineage import code_version
from pipelines.operate.airflow_config import environment
from pipelines.settings import Settings
from pipelines.store.engine import sqlite_path

SCRIPT = Path(__file__).with_name("run_noted_dag.py")
FOLDER = Path(__file__).with_name("noted")
BUILD = f"{SESSION}_0123456789ab_01234567"
FACET = "smartinvest_session"
STATES = {
    "publish -1": "success",
    "count 0": "success",
    "count 1": "success",
    "fail -1": "failed",
    "fail_twice -1": "failed",
    "skip -1": "skipped",
    "other -1": "success",
}


class Receiver(ThreadingHTTPServer):
    """An OpenLineage server on the loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Keep)


class _Keep(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.events.append(json.loads(body))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with a published run and a pointer to a warehouse build of its session."""
    settings = operations_home(tmp_path_factory.mktemp("noted") / "home")
    pointer = settings.warehouse / "sessions" / str(SESSION)
    pointer.parent.mkdir(parents=True)
    pointer.symlink_to(f"../builds/{BUILD}")
    return settings


def run_dag(factory: pytest.TempPathFactory, settings: Settings, **environ: str) -> dict[str, str]:
    airflow_database(factory, settings)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        embedded = environment(settings, 0, schedules=False)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(FOLDER)],
        env=embedded | {"AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # OpenLineage's last words come after it.
    told = next(line for line in done.stdout.splitlines() if line.startswith('{"'))
    states: dict[str, str] = json.loads(told)
    return states


@pytest.fixture(scope="module")
def noted(
    tmp_path_factory: pytest.TempPathFactory, home: Settings, receiver: Receiver
) -> dict[str, Any]:
    """Rows by task and map index, each of its last try, after a run with an OpenLineage server."""
    url = f"http://127.0.0.1:{receiver.server_port}"
    assert run_dag(tmp_path_factory, home, OPENLINEAGE_URL=url) == STATES
    tries = sorted(rows(home, "task_lineage"), key=lambda row: row["try_number"])
    first = next(row for row in tries if row["task_id"] == "fail_twice")
    last = {f"{row['task_id']} {row['map_index']}": row for row in tries}
    return last | {"first of two": first}


def test_every_try_of_our_tasks_is_noted_and_nobody_elses(noted: dict[str, Any]) -> None:
    ended = {name: row["state"] for name, row in noted.items()}
    ours = {name: state for name, state in STATES.items() if name != "other -1"}
    assert ended == ours | {"first of two": "up_for_retry"}
    for row in noted.values():
        assert row["session_date"] == SESSION
        assert row["started_at"] <= row["ended_at"]
        assert row["code_version"] == code_version()
        assert row["host"]


def test_a_task_has_what_it_read_and_the_advice_run_that_it_made(noted: dict[str, Any]) -> None:
    row = noted["publish -1"]
    assert json.loads(row["inlets"]) == [
        {
            "asset": "warehouse",
            "session": str(SESSION),
            "version": BUILD,
            "data_snapshot": "0123456789ab",
        }
    ]
    assert json.loads(row["outlets"]) == [
        {"asset": "advice", "session": str(SESSION), "version": RUN, "data_snapshot": "5a" * 32}
    ]
    assert row["advice_run_id"] == RUN


def test_a_try_that_failed_has_made_nothing(noted: dict[str, Any]) -> None:
    assert [each["version"] for each in json.loads(noted["fail_twice -1"]["outlets"])] == [None]


def test_what_an_error_said_is_nowhere_in_the_store(noted: dict[str, Any]) -> None:
    assert noted["fail -1"]["state"] == "failed"
    assert "Jane" not in json.dumps(list(noted.values()), default=str)


@pytest.mark.usefixtures("noted")
def test_openlineage_events_carry_our_datasets_with_session_and_version(
    receiver: Receiver,
) -> None:
    of_task = [event for event in receiver.events if event["job"]["name"] == "noted.publish"]
    kinds = [event["eventType"] for event in of_task]
    assert kinds[0] == "START"
    assert kinds[-1] == "COMPLETE"
    for event in of_task:
        assert event["job"]["namespace"] == "smartinvest"
        facet = event["run"]["facets"][FACET]
        assert (facet["sessionDate"], facet["source"]) == (str(SESSION), "sample")
        assert [(each["namespace"], each["name"]) for each in event["inputs"]] == [
            ("smartinvest", "warehouse")
        ]
        assert [each["name"] for each in event["outputs"]] == ["store/advice_run"]
    [read], [made] = of_task[-1]["inputs"], of_task[-1]["outputs"]
    assert read["facets"]["version"]["datasetVersion"] == BUILD
    assert made["facets"]["version"]["datasetVersion"] == RUN
    assert made["facets"][FACET]["sessionDate"] == str(SESSION)


@pytest.mark.usefixtures("noted")
def test_what_an_error_said_is_in_no_openlineage_event(receiver: Receiver) -> None:
    [failed] = [
        event
        for event in receiver.events
        if (event["job"]["name"], event["eventType"]) == ("noted.fail", "FAIL")
    ]
    assert failed["run"]["facets"]["errorMessage"]["message"] == "see the task's log"
    assert "Jane" not in json.dumps(receiver.events)


@pytest.mark.long
def test_a_store_that_is_away_fails_no_task(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = operations_home(tmp_path_factory.mktemp("away") / "home")
    file = sqlite_path(settings)
    assert file is not None
    file.unlink()
    assert run_dag(tmp_path_factory, settings) == STATES
