"""What Airflow's own database says of the chain, read in a few indexed queries."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from airflow.api.common.airflow_health import get_airflow_health
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.deadline import Deadline
from airflow.models.errors import ParseImportError
from airflow.models.taskinstance import TaskInstance
from sqlalchemy.orm import Session

from pipelines.operate.airflow_local import DAG_IDS
from pipelines.operations import AirflowState, DagRunState, Heartbeat
from pipelines.operations.gathering import BESIDE

_RECENT_RUNS = 25
"""Of each DAG of the chain; the newest session is among them unless a backfill runs."""

_PROCESSES = ("scheduler", "dag_processor", "triggerer")


def airflow_state(database: Session) -> AirflowState:
    """Return the state of the chain's newest session, of the DAGs beside it and of Airflow."""
    session = _newest_session(database)
    runs = _last_runs(database, DAG_IDS, session) if session else []
    beside = [run for dag_id in BESIDE for run in _newest(database, dag_id, 1)]
    states = _states(database, [*runs, *beside])
    return AirflowState(
        session,
        {run.dag_id: states[run.id] for run in runs},
        {run.dag_id: states[run.id] for run in beside},
        frozenset(
            database.scalars(
                sa.select(DagModel.dag_id).where(
                    DagModel.dag_id.in_([*DAG_IDS, *BESIDE]), DagModel.is_paused
                )
            )
        ),
        _heartbeats(),
        tuple(database.scalars(sa.select(ParseImportError.filename))),
    )


def _newest_session(database: Session) -> dt.date | None:
    newest = database.scalar(
        sa.select(sa.func.max(DagRun.partition_key)).where(
            DagRun.dag_id.in_(DAG_IDS), DagRun.partition_key.like("____-__-__")
        )
    )
    by_hand = (_session_of(run) for run in _newest(database, DAG_IDS[0], _RECENT_RUNS))
    return max((day for day in (_date(newest), *by_hand) if day), default=None)


def _last_runs(database: Session, dag_ids: Sequence[str], session: dt.date) -> list[DagRun]:
    """Return the last run of each DAG for a session; by hand it may stand in the parameters."""
    key = session.isoformat()
    last = (
        sa.select(sa.func.max(DagRun.id))
        .where(DagRun.dag_id.in_(dag_ids), DagRun.partition_key == key)
        .group_by(DagRun.dag_id)
    )
    keyed = {
        run.dag_id: run for run in database.scalars(sa.select(DagRun).where(DagRun.id.in_(last)))
    }
    for run in _newest(database, dag_ids[0], _RECENT_RUNS):
        found = keyed.get(run.dag_id)
        if _session_of(run) == session and (found is None or found.id < run.id):
            keyed[run.dag_id] = run
    return list(keyed.values())


def _newest(database: Session, dag_id: str, most: int) -> list[DagRun]:
    query = sa.select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id.desc()).limit(most)
    return list(database.scalars(query))


def _states(database: Session, runs: Iterable[DagRun]) -> dict[int, DagRunState]:
    runs = list(runs)
    failed: dict[tuple[str, str], list[str]] = {}
    named = sa.tuple_(TaskInstance.dag_id, TaskInstance.run_id)
    of_runs = named.in_([(run.dag_id, run.run_id) for run in runs])
    query = (
        sa.select(TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id)
        .where(of_runs, TaskInstance.state == "failed")
        .distinct()
    )
    for dag_id, run_id, task_id in database.execute(query):
        failed.setdefault((dag_id, run_id), []).append(task_id)
    late = set(
        database.scalars(
            sa.select(Deadline.dagrun_id).where(
                Deadline.dagrun_id.in_([run.id for run in runs]), Deadline.missed
            )
        )
    )
    return {
        run.id: DagRunState(
            dag_id=run.dag_id,
            run_id=run.run_id,
            session=_session_of(run),
            state=str(run.state),
            queued_at=run.queued_at,
            started_at=run.start_date,
            ended_at=run.end_date,
            failed_tasks=tuple(sorted(failed.get((run.dag_id, run.run_id), ()))),
            deadline_missed=run.id in late,
        )
        for run in runs
    }


def _session_of(run: DagRun) -> dt.date | None:
    return _date(run.partition_key or (run.conf or {}).get("session"))


def _date(named: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(named) if named else None
    except (TypeError, ValueError):
        return None


def _heartbeats() -> tuple[Heartbeat, ...]:
    health = get_airflow_health()
    return tuple(
        Heartbeat(
            name.replace("_", " "),
            {"healthy": True, "unhealthy": False}.get(health[name]["status"]),
            _moment(health[name].get(f"latest_{name}_heartbeat")),
        )
        for name in _PROCESSES
    )


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
