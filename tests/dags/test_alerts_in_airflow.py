"""What tasks in Airflow's own task runner tell, log and send, with our plugins in it.

It takes a minute; `make test-long` runs it.
"""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from asked_airflow import airflow_database
from operations_examples import OUTCOMES, operations_home

from pipelines.operate.airflow_config import environment

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).with_name("run_noted_dag.py")
FOLDER = Path(__file__).with_name("told")
SECRET = "T0KEN-of-the-webhook"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Told:
    """What came of a run of the DAG."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    printed: str = ""
    states: dict[str, str] = field(default_factory=dict)

    def lines(self, text: str) -> list[str]:
        return [line for line in self.printed.splitlines() if text in line]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    settings = operations_home(tmp_path_factory.mktemp("told") / "home")
    airflow_database(tmp_path_factory, settings)
    found = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.alerts.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sink.bind(("127.0.0.1", 0))
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(FOLDER)],
            env={
                **environment(settings, 0, schedules=False),
                "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER),
                "AIRFLOW__METRICS__STATSD_ON": "True",
                "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
                "AIRFLOW__METRICS__STATSD_PORT": str(sink.getsockname()[1]),
                "SMARTINVEST_ALERT_WEBHOOK": f"http://127.0.0.1:{server.server_port}/{SECRET}",
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        sink.settimeout(0.5)
        while True:
            try:
                found.metrics += sink.recv(65_535).decode().splitlines()
            except TimeoutError:
                break
        server.shutdown()
    assert done.returncode == 0, done.stderr[-3000:]
    found.printed = COLOURS.sub("", done.stdout + done.stderr)
    found.states = json.loads(done.stdout.splitlines()[-1])
    yield found


def test_a_task_that_a_person_must_mend_fails_at_its_first_attempt(told: Told) -> None:
    assert told.states == {"publish -1": "success", "fail 0": "failed", "fail 1": "failed"}


def test_the_failure_is_told_once_for_both_tasks_and_their_run(told: Told) -> None:
    [failure] = [alert for alert in told.alerts if alert["dag_id"] == "told"][1:]
    assert (failure["kind"], failure["task_id"], failure["attempt"]) == ("task_failed", "fail", 1)
    assert failure["session"] == "2022-12-28"
    assert failure["cause"]["remedy"] == "Mend it."
    assert "/dags/told/runs/" in failure["log_url"]


def test_accounts_without_advice_are_told_when_it_is_published(told: Told) -> None:
    first = told.alerts[0]
    assert (first["kind"], first["cause"]["value"]) == ("accounts_failed", "1")
    assert "account-0000003" in first["cause"]["problem"]


def test_lines_carry_session_and_account(told: Told) -> None:
    [plain], [about] = told.lines("a line of ours"), told.lines("a line about an account")
    assert "session=2022-12-28" in plain
    assert "account=" not in plain
    assert "account=account-0000003" in about


def test_no_alert_holds_a_password_and_no_log_the_webhooks_secret(told: Told) -> None:
    assert "hunter2" not in json.dumps(told.alerts)
    assert SECRET not in told.printed


def test_the_run_that_was_published_is_sent_as_gauges(told: Told) -> None:
    sent = set(told.metrics)
    for outcome in set(OUTCOMES):
        accounts = OUTCOMES.count(outcome)
        assert f"airflow.smartinvest.accounts.{outcome}:{accounts}|g" in sent
    assert "airflow.smartinvest.trades:0|g" in sent


def test_airflow_sends_the_seconds_of_each_task(told: Told) -> None:
    names = {line.split(":")[0] for line in told.metrics}
    assert "airflow.dag.told.publish.duration" in names
