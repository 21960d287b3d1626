"""What a run of the whole chain writes into logs and sends to StatsD, on marked clients.

It takes minutes; `make test-long` runs it.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parents[2]
SESSION = "2022-12-28"
TIMEOUT_S = 1500
PEOPLE = [
    {
        "external_ref": "REF-QUOKKA",
        "full_name": "Wilhelmina Quackenbush",
        "email": "wilhelmina@quackenbush.example",
        "birth_date": "1961-02-03",
    },
    {
        "external_ref": "REF-NUMBAT",
        "full_name": "Bartholomew Zwickel",
        "email": "bartholomew@zwickel.example",
        "birth_date": "1971-05-07",
    },
]
WORDS = ("quackenbush", "zwickel", "wilhelmina", "bartholomew", "ref-quokka", "ref-numbat")
DATES = ("1961-02-03", "1971-05-07")
SECRET = "T0KEN-of-the-webhook"
AIRFLOWS_OWN = {"dag_id", "task_id", "run_id", "try_number"}


@dataclass
class Ran:
    """A finished run: its home, what it printed and what it sent."""

    home: Path
    printed: str
    sent: list[str] = field(default_factory=list)

    def task_lines(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Every line of every task's log."""
        for log in sorted((self.home / "airflow" / "logs").glob("dag_id=*/**/*.log")):
            for line in log.read_text().splitlines():
                yield log, json.loads(line)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, documented_example: str) -> Iterator[Ran]:
    home = tmp_path_factory.mktemp("home")
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    made = Ran(home, "")
    threading.Thread(target=_listen, args=(sink, made.sent), daemon=True).start()
    environ = {
        **os.environ,
        "SMARTINVEST_HOME": str(home),
        "SMARTINVEST_SESSION": SESSION,
        "SMARTINVEST_GENERATED_CLIENTS": "20",
        # Nobody listens: an alert would be told of in the log, without its address.
        "SMARTINVEST_ALERT_WEBHOOK": f"http://127.0.0.1:1/{SECRET}",
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(sink.getsockname()[1]),
    }
    clients = _client_file(home.parent / "marked.csv", documented_example)
    for command in (["clients", "import", str(clients)], ["daily"]):
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *command],
            cwd=REPOSITORY,
            env=environ,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        made.printed += done.stdout + done.stderr
    yield made
    sink.close()


def _listen(sink: socket.socket, sent: list[str]) -> None:
    while True:
        try:
            sent.extend(sink.recv(65_535).decode().splitlines())
        except OSError:
            return


def _client_file(path: Path, example: str) -> Path:
    import csv

    first = next(csv.DictReader(example.splitlines()))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(first))
        writer.writeheader()
        writer.writerows({**first, **person} for person in PEOPLE)
    return path


def _texts(ran: Ran) -> Iterator[tuple[str, str]]:
    yield "the terminal", ran.printed.lower()
    for folder in ("airflow/logs", "logs", "alerts", "lake/alerts", "warehouse/results"):
        for file in sorted((ran.home / folder).rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield str(file), file.read_bytes().decode("utf-8", "replace").lower()


def test_no_log_knows_a_person(ran: Ran) -> None:
    found = [(place, word) for place, text in _texts(ran) for word in WORDS if word in text]
    found += [(place, date) for place, text in _texts(ran) for date in DATES if date in text]
    assert found == []


def test_no_log_knows_a_secret(ran: Ran) -> None:
    keys = json.loads((ran.home / "airflow" / "keys.json").read_text()).values()
    secrets = [SECRET.lower(), *(key.lower() for key in keys)]
    assert [place for place, text in _texts(ran) if any(secret in text for secret in secrets)] == []


def test_what_was_searched_is_what_tasks_wrote(ran: Ran) -> None:
    tasks = {line.get("task_id") for _, line in ran.task_lines()}
    assert {"check", "transform", "forecast", "publish"} <= tasks


def test_every_line_of_ours_carries_run_task_and_session(ran: Ran) -> None:
    own = [line for _, line in ran.task_lines() if _is_ours(line)]
    assert len(own) > 50
    lacking = [line for line in own if not (AIRFLOWS_OWN | {"session"}) <= set(line)]
    assert lacking == []
    assert {line["session"] for line in own} == {SESSION}


def _is_ours(line: dict[str, Any]) -> bool:
    return str(line.get("logger", "")).startswith("pipelines.")


def test_lines_about_advice_carry_its_run(ran: Ran) -> None:
    said = [line for _, line in ran.task_lines() if "published run" in str(line.get("event"))]
    assert said
    assert all(line.get("advice_run") for line in said)


@pytest.mark.parametrize(
    "name",
    [
        "smartinvest.accounts.rebalanced",
        "smartinvest.accounts.failed",
        "smartinvest.trades",
        "smartinvest.advice_seconds_after_close",
        "smartinvest.symbols",
        "smartinvest.symbols_frozen",
    ],
)
def test_the_numbers_of_a_run_are_sent_as_gauges(ran: Ran, name: str) -> None:
    [value] = {line for line in ran.sent if line.startswith(f"airflow.{name}:")}
    assert value.endswith("|g")


def test_accounts_by_outcome_are_all_accounts(ran: Ran) -> None:
    import sqlite3
    from contextlib import closing

    sent = {line for line in ran.sent if line.startswith("airflow.smartinvest.accounts.")}
    with closing(sqlite3.connect(ran.home / "store" / "smartinvest.db")) as store:
        [(accounts,)] = store.execute("SELECT count(*) FROM current_outcome")
    assert sum(float(line.split(":")[1].split("|")[0]) for line in sent) == accounts


def test_airflow_sends_the_seconds_of_each_stage(ran: Ran) -> None:
    stages = {line.split(":")[0] for line in ran.sent if line.startswith("airflow.dag.")}
    for stage in ("ingest.check", "warehouse.transform", "forecast.forecast", "rebalance.publish"):
        assert f"airflow.dag.{stage}.duration" in stages
