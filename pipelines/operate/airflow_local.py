"""The embedded Airflow: its own scheduler, DAG processor and API server, on this machine."""

import datetime as dt
import importlib.metadata
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.operate import airflow_config
from pipelines.operate.airflow_api import AirflowApi
from pipelines.operate.pools import POOLS
from pipelines.operate.ports import free_port
from pipelines.operate.processes import Household, ProcessRecord, is_running, last_line
from pipelines.progress import step
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

DAG_IDS = ("ingest", "warehouse", "monitor", "train", "forecast", "rebalance")
"""The chain, in its order; each DAG's last task updates the asset that starts the next."""

START_TIMEOUT_S = 180.0
API_PROCESS = "api-server"
SCHEDULER_PROCESS = "scheduler"
PARSER_PROCESS = "dag-processor"


class LocalAirflow:
    """One embedded Airflow; ``start`` it, use its :attr:`api`, and ``stop`` it in a ``finally``.

    Parameters
    ----------
    settings : its files lie under ``home/airflow``.
    role : whose processes these are, ``daily`` or ``serve``.
    """

    def __init__(self, settings: Settings, role: str) -> None:
        self.household = Household(settings, role)
        self.port = 0
        self._settings = settings
        self._api: AirflowApi | None = None
        self._records: dict[str, ProcessRecord] = {}
        # Stands while a scheduler may have left DAG runs behind that it did not finish.
        self._unsettled = settings.airflow / "unsettled"

    @property
    def api(self) -> AirflowApi:
        """The client of the running API server."""
        if self._api is None:
            raise ProcessError("Airflow", "not started", "it has no API yet", "Start it first.")
        return self._api

    @property
    def url(self) -> str:
        """Where the user interface is."""
        return f"http://{airflow_config.HOST}:{self.port}"

    def start(self, *, stays: bool, preferred_port: int = 0) -> None:
        """End leftovers of a killed run, start the processes and wait until all are ready.

        Parameters
        ----------
        stays : whether Airflow stays up: then DAG files are read again and again, and new sessions
            of a polled source run by themselves; else files are read once, and only what is
            triggered runs.
        preferred_port : used if it is free; 0 takes any free one.

        Raises
        ------
        ProcessError
            A process ended, a DAG file does not parse, or readiness took too long.
        """
        left_over = self.household.end()
        if left_over:
            logger.info("ended %d processes that a killed run had left behind", left_over)
        self.port = free_port(preferred_port)
        self._api = AirflowApi(self.port, airflow_config.password(self._settings))
        environ = airflow_config.environment(self._settings, self.port, schedules=stays)
        ensure_database(self._settings, environ)
        _prepare_database(self._settings)
        with step("start Airflow"):
            began = dt.datetime.now(dt.UTC)
            self._run(API_PROCESS, "api-server", environ=environ)
            once = () if stays else ("--num-runs", "1")
            self._run(PARSER_PROCESS, "dag-processor", *once, environ=environ)
            if self._unsettled.exists():
                self._wait_for("the API server", self.api.answers)
                self._settle(resume=stays)
            self._unsettled.touch()
            # The log server would listen beyond the loopback, and the logs lie on this machine.
            self._run(SCHEDULER_PROCESS, "scheduler", "--skip-serve-logs", environ=environ)
            self._wait_for("the API server", self.api.answers)
            self._wait_for("the scheduler", lambda: self.api.scheduler_is_healthy(began))
            self._wait_for("the DAGs", lambda: self._dags_are_parsed(keep_parsing=stays))

    def require_alive(self) -> None:
        """Check that scheduler and API server still run.

        Raises
        ------
        ProcessError
            One of them ended.
        """
        for name in (API_PROCESS, SCHEDULER_PROCESS):
            self.household.require_alive(self._records[name])

    def stop(self) -> None:
        """End every process; what was unfinished stays marked for the next start to settle."""
        if self._api is not None:
            if self._api.answers() and not self._api.unfinished_runs():
                self._unsettled.unlink(missing_ok=True)
            self._api.close()
        self.household.end()

    def _run(self, name: str, *arguments: str, environ: dict[str, str]) -> None:
        command = [sys.executable, "-m", "airflow", *arguments]
        self._records[name] = self.household.start(name, command, environ)

    def _settle(self, *, resume: bool) -> None:
        """Go on with what an earlier scheduler left unfinished, or call it failed.

        It goes on where Airflow stays: a backfill outlives a restart. Where one session is run, it
        would stand in that session's way.
        """
        if resume:
            # Queued runs wait for any scheduler; a running one waits for tasks that are gone.
            for run in self.api.unfinished_runs("running"):
                self.api.begin_anew(run)
                logger.info("DAG run %s of %s begins anew", run.run_id, run.dag_id)
            return
        while runs := self.api.unfinished_runs():
            for run in runs:
                self.api.fail(run, "its scheduler was stopped")
                logger.info("DAG run %s of %s, left unfinished: failed", run.run_id, run.dag_id)

    def _dags_are_parsed(self, *, keep_parsing: bool) -> bool:
        parser = self._records[PARSER_PROCESS]
        if not keep_parsing and is_running(parser):
            return False  # what the API lists may still be what an earlier run parsed
        for file, problem in self.api.import_errors().items():
            raise ProcessError("DAG file", file, f"it does not parse: {problem}", "Mend it.")
        missing = set(DAG_IDS) - self.api.dag_ids()
        if missing and not is_running(parser):
            raise ProcessError(
                "DAGs",
                ", ".join(sorted(missing)),
                f"the DAG processor did not find them ({last_line(Path(parser.log))!r})",
                f"See {parser.log}.",
            )
        return not missing

    def _wait_for(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready():
            for record in self._records.values():
                if record.name != PARSER_PROCESS:
                    self.household.require_alive(record)
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"Airflow, {what}",
                    f"{START_TIMEOUT_S:.0f} s",
                    "it was not ready after that time",
                    f"See the logs in {self._settings.logs}.",
                )
            time.sleep(0.2)


def ensure_database(settings: Settings, environ: dict[str, str]) -> None:
    """Create or upgrade Airflow's own database, once per Airflow release.

    The work is done on a copy that takes the original's place when it is complete, so that a kill
    leaves either the old database or the new one.

    Raises
    ------
    ProcessError
        Airflow's migration failed.
    """
    database = airflow_config.database_file(settings)
    stamp = database.with_suffix(".release")
    release = importlib.metadata.version("apache-airflow")
    if database.exists() and stamp.exists() and stamp.read_text() == release:
        return
    copy = database.with_suffix(".new")
    for remains in database.parent.glob(f"{copy.name}*"):
        remains.unlink()
    if database.exists():
        with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(copy)) as new:
            old.backup(new)
    with step("set up Airflow's database"):
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env={**environ, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{copy}"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        problem = next(reversed(done.stderr.strip().splitlines()), "")
        raise ProcessError(
            "Airflow's database", database, f"its migration failed: {problem}",
            "Move the file away; a new one is made. What runs published is not in it.",
        )  # fmt: skip
    copy.replace(database)
    stamp.write_text(release)


def _prepare_database(settings: Settings) -> None:
    """Forget what an earlier Airflow had planned, and create the pools that are not there.

    Else a scheduler begins with the old plans before the DAGs are parsed again: with sessions that
    were run by hand since, or although this Airflow schedules nothing. Done in the database, while
    nobody has it open: the API knows no plans, and answers 500 while a scheduler writes to SQLite.
    """
    database = sqlite3.connect(airflow_config.database_file(settings))
    with closing(database), database:
        database.execute("UPDATE dag SET next_dagrun_create_after = NULL")
        database.executemany(
            "INSERT INTO slot_pool (pool, slots, description, include_deferred)"
            " VALUES (:name, :slots, :description, 0) ON CONFLICT (pool) DO NOTHING",
            [asdict(pool) for pool in POOLS],
        )
