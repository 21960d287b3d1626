"""What failed in a DAG run is told with the end of its log, also of one batch among many."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pipelines.operate.airflow_api import AirflowApi, DagRun
from pipelines.operate.airflow_config import log_folder
from pipelines.operate.chain import describe_failure, failed_tasks
from pipelines.settings import Settings, load_settings

RUN = DagRun("ingest", "manual__1", "success", dt.datetime.now(dt.UTC), None)


def _task(task_id: str, state: str | None, map_index: int = -1) -> dict[str, Any]:
    times = {"start_date": "2026-01-02T03:04:05Z", "end_date": None}
    return {"task_id": task_id, "map_index": map_index, "state": state, "try_number": 2} | times


class _Airflow(BaseHTTPRequestHandler):
    """Answers as Airflow's API does about the tasks of one run."""

    tasks: list[dict[str, Any]]

    def do_POST(self) -> None:
        self._answer({"access_token": "token"})

    def do_GET(self) -> None:
        states = parse_qs(urlsplit(self.path).query).get("state")
        found = [task for task in self.tasks if states is None or task["state"] in states]
        self._answer({"task_instances": found})

    def log_request(self, *_: Any) -> None:
        """Be silent."""

    def _answer(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


@pytest.fixture
def api() -> Iterator[AirflowApi]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Airflow)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    client = AirflowApi(server.server_port, "password")
    yield client
    client.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({}, home=tmp_path / "home")


def _write_log(settings: Settings, path: str, error: str) -> Path:
    log = log_folder(settings) / "dag_id=ingest" / "run_id=manual__1" / path
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"event": error}) + "\n")
    return log


def test_one_failed_batch_among_many_is_told_with_the_end_of_its_own_log(
    api: AirflowApi, settings: Settings
) -> None:
    _Airflow.tasks = [_task("plan", "success")]
    _Airflow.tasks += [_task("ingest", "success", index) for index in (0, 2)]
    _Airflow.tasks += [_task("ingest", "failed", 1), _task("check", "success")]
    log = _write_log(settings, "task_id=ingest/map_index=1/attempt=2.log", "the source refused")
    [failure] = failed_tasks(settings, api, RUN)
    assert "task ingest of DAG ingest" in str(failure)
    assert "the source refused" in str(failure)
    assert str(log) in str(failure)


def test_of_a_task_that_is_not_mapped_the_log_is_found_too(
    api: AirflowApi, settings: Settings
) -> None:
    _Airflow.tasks = [_task("plan", "failed"), _task("ingest", "upstream_failed")]
    _write_log(settings, "task_id=plan/attempt=2.log", "the universe is empty")
    assert "the universe is empty" in str(describe_failure(settings, api, RUN))


def test_a_run_that_failed_without_a_failed_task_names_the_states_of_its_tasks(
    api: AirflowApi, settings: Settings
) -> None:
    _Airflow.tasks = [_task("plan", "success"), _task("check", None)]
    assert "plan success, check waiting" in str(describe_failure(settings, api, RUN))
