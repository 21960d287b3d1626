"""``smartinvest bench daily``: from the trigger to published trades, and how much is Airflow's.

A native cluster runs the chain for a first session, which trains, and then for the sessions that
are timed. The peer is ``smartinvest run``: the same stages for the same sessions and clients, in
one process, without Airflow, on a home of its own, beside the idle cluster.

Of a chain's time some passes while no task runs: Airflow then schedules, hands an asset event to
the next DAG, or a worker starts a task's process. That is told apart from the time in tasks.
"""

import datetime as dt
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cluster.native import generate_clients, run_chain, running_cluster
from pipelines.ingest.sample import SampleProvider
from pipelines.operate.airflow_api import DagRun, TaskRun
from pipelines.operate.cluster import Cluster
from pipelines.operate.summary import published_runs
from pipelines.progress import step
from pipelines.sessions import session_after
from pipelines.settings import load_settings

_WORKERS = 2


@dataclass(frozen=True)
class Day:
    """One session: seconds from trigger to publication, those in which a task ran, and the peer's.

    ``alone_seconds`` is the whole life of the process ``smartinvest run``.
    """

    session: dt.date
    seconds: float
    task_seconds: float
    tasks: int
    alone_seconds: float

    def line(self) -> dict[str, Any]:
        """Return what it measured, for JSON."""
        return {
            "session": self.session.isoformat(),
            "seconds": round(self.seconds, 1),
            "in_tasks": round(self.task_seconds, 1),
            "between_tasks": round(self.seconds - self.task_seconds, 1),
            "tasks": self.tasks,
            "alone": round(self.alone_seconds, 1),
        }


@dataclass(frozen=True)
class DailyBenchmark:
    """All sessions of one benchmark; ``load_at_start`` says what else the machine did."""

    clients: int
    load_at_start: float
    days: tuple[Day, ...]

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON, with the medians over the sessions."""
        seconds = statistics.median(day.seconds for day in self.days)
        alone = statistics.median(day.alone_seconds for day in self.days)
        between = statistics.median(day.seconds - day.task_seconds for day in self.days)
        return {
            "bench": "daily",
            "seconds": round(seconds, 1),
            "per_second": None,
            "peak_mib": None,
            "ratios": {"without_airflow": round(seconds / alone, 2)},
            "errors": {},
            "airflow_seconds": round(seconds - alone, 1),
            "between_tasks_seconds": round(between, 1),
            "clients": self.clients,
            "load_at_start": self.load_at_start,
            "days": [day.line() for day in self.days],
        }


def run(clients: int, sessions: int, work: Path | None = None) -> DailyBenchmark:
    """Time the chain of so many sessions, after one that trains, and the same without Airflow."""
    load = round(os.getloadavg()[0], 2)
    newest = SampleProvider().newest_session()
    first, *timed = [session_after(newest, -back) for back in range(sessions, -1, -1)]
    with tempfile.TemporaryDirectory(prefix="bench-daily-", dir=work) as folder:
        variables = {"SCHEDULE_SESSIONS": "False"}
        with running_cluster(Path(folder) / "cluster", _WORKERS, variables) as cluster:
            generate_clients(cluster.environment(), clients, first)
            with step(f"the first chain, {first}"):
                run_chain(cluster, first)
            chains = [_chain(cluster, session) for session in timed]
            alone = _alone(Path(folder) / "alone", clients, first, timed)
    days = [
        Day(session, *chain, seconds)
        for session, chain, seconds in zip(timed, chains, alone, strict=True)
    ]
    return DailyBenchmark(clients, load, tuple(days))


def _chain(cluster: Cluster, session: dt.date) -> tuple[float, float, int]:
    """Return the seconds to publication, those in which a task ran, and the number of tasks."""
    began = dt.datetime.now(dt.UTC)
    with step(f"the chain of {session}"):
        runs = run_chain(cluster, session)
    [published_at] = published_runs(load_settings(cluster.environment()), session).values()
    tasks = _tasks(cluster, runs)
    return (published_at - began).total_seconds(), _covered(tasks, published_at), len(tasks)


def _tasks(cluster: Cluster, runs: Iterable[DagRun]) -> list[TaskRun]:
    with closing(cluster.api()) as api:
        return [task for run in runs for task in api.task_runs(run, "success")]


def _covered(tasks: Iterable[TaskRun], until: dt.datetime) -> float:
    """Return the seconds in which at least one task ran."""
    covered, reached = dt.timedelta(), dt.datetime.min.replace(tzinfo=dt.UTC)
    for began, ended in sorted(
        (task.began_at, min(task.ended_at, until))
        for task in tasks
        if task.began_at is not None and task.ended_at is not None
    ):
        covered += max(ended - max(began, reached), dt.timedelta())
        reached = max(reached, ended)
    return covered.total_seconds()


def _alone(home: Path, clients: int, first: dt.date, timed: Sequence[dt.date]) -> list[float]:
    """Return the seconds of ``smartinvest run`` for each session, after an untimed first one."""
    environ = {name: value for name, value in os.environ.items() if "SMARTINVEST_" not in name}
    environ["SMARTINVEST_HOME"] = str(home)
    generate_clients(environ, clients, first)
    seconds = []
    for session in (first, *timed):
        began = time.monotonic()
        with step(f"smartinvest run, {session}"):
            command = [sys.executable, "-m", "pipelines.cli", "run", "--session", str(session)]
            subprocess.run(command, env=environ, check=True, capture_output=True)
        seconds.append(time.monotonic() - began)
    return seconds[1:]
