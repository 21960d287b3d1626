"""Follow one session through the chain of DAGs, from run to run as Airflow's assets link them."""

import datetime as dt
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.operate.airflow_api import AirflowApi, DagRun, TaskRun
from pipelines.operate.airflow_config import log_folder
from pipelines.settings import Settings

FOLLOW_TIMEOUT_S = 60.0
"""How long after a DAG's success the next one may take to be created."""

_LOG_LINES = 12


@dataclass(frozen=True)
class Stage:
    """How far one DAG of the chain is; ``state`` is Airflow's, or ``waiting``."""

    dag_id: str
    state: str
    seconds: float


class Chain:
    """The runs of one session, in order; call :meth:`poll` until it is :attr:`complete`.

    Only runs that descend from ``first`` count: another run of the same session, e.g. one that a
    killed scheduler still owed to its assets, is not ours.
    """

    def __init__(
        self, api: AirflowApi, first: DagRun, dag_ids: Sequence[str], session: dt.date
    ) -> None:
        self._api = api
        self._session = session
        self._dag_ids = tuple(dag_ids)
        self._runs: dict[str, DagRun] = {first.dag_id: first}
        self._succeeded_at = time.monotonic()

    @property
    def complete(self) -> bool:
        """Whether the last DAG has succeeded."""
        last = self._runs.get(self._dag_ids[-1])
        return last is not None and last.state == "success"

    @property
    def failed(self) -> DagRun | None:
        """The run that failed, if one did."""
        return next((run for run in self._runs.values() if run.state == "failed"), None)

    @property
    def runs(self) -> list[DagRun]:
        """The runs that there are so far, in order."""
        return list(self._runs.values())

    def stages(self) -> list[Stage]:
        """Return every DAG of the chain with its state and the seconds it has taken so far."""
        return [self._stage(dag_id) for dag_id in self._dag_ids]

    def poll(self) -> None:
        """Ask Airflow how far the chain is.

        Raises
        ------
        ProcessError
            A DAG succeeded, but the next one did not start.
        """
        dag_id = self._dag_ids[len(self._runs) - 1]
        before = self._runs[dag_id]
        run = self._runs[dag_id] = self._api.dag_run(dag_id, before.run_id)
        if run.state != "success" or dag_id == self._dag_ids[-1]:
            self._succeeded_at = time.monotonic()
            return
        following = self._dag_ids[len(self._runs)]
        started = self._api.run_started_by(run, following, self._session)
        if started is not None:
            self._runs[following] = started
        elif time.monotonic() - self._succeeded_at > FOLLOW_TIMEOUT_S:
            raise ProcessError(
                f"DAG {following}",
                run.run_id,
                f"it did not start within {FOLLOW_TIMEOUT_S:.0f} s after that run of {dag_id}",
                "If the DAG is paused, unpause it in the user interface (make up).",
            )

    def _stage(self, dag_id: str) -> Stage:
        run = self._runs.get(dag_id)
        if run is None or run.queued_at is None:
            return Stage(dag_id, "waiting", 0.0)
        until = run.ended_at or dt.datetime.now(dt.UTC)
        return Stage(dag_id, run.state, (until - run.queued_at).total_seconds())


def describe_failure(settings: Settings, api: AirflowApi, run: DagRun) -> ProcessError:
    """Return an error that names the first failed task and carries the last lines of its log."""
    failed = failed_tasks(settings, api, run)
    if failed:
        return failed[0]
    tasks = api.task_runs(run)
    states = ", ".join(f"{task.task_id} {task.state}" for task in tasks) or "it has no tasks"
    return ProcessError(
        f"DAG {run.dag_id}", run.run_id, f"it failed ({states})", "See Airflow's logs."
    )


def failed_tasks(settings: Settings, api: AirflowApi, run: DagRun) -> list[ProcessError]:
    """Return an error for each task of a run that failed; the run itself may have succeeded."""
    return [_error_of(settings, run, task) for task in api.task_runs(run, "failed")]


def _error_of(settings: Settings, run: DagRun, task: TaskRun) -> ProcessError:
    log = log_folder(settings) / f"dag_id={run.dag_id}" / f"run_id={run.run_id}"
    log /= f"task_id={task.task_id}"
    if task.map_index >= 0:
        log /= f"map_index={task.map_index}"
    log /= f"attempt={task.attempt}.log"
    said = "\n".join(f"    {line}" for line in list(_log_messages(log))[-_LOG_LINES:])
    return ProcessError(
        f"task {task.task_id} of DAG {run.dag_id}",
        run.run_id,
        f"it failed at attempt {task.attempt}",
        f"The end of its log:\n{said}\n    The whole log is {log}",
    )


def _log_messages(log: Path) -> Iterator[str]:
    if not log.exists():
        return
    for line in log.read_text(errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            yield line
            continue
        event = str(entry.get("event", "")).strip()
        if event and not event.startswith("::"):
            yield event
        for error in entry.get("error_detail") or ():
            yield f"{error['exc_type']}: {error['exc_value']}"
