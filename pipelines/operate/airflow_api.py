"""The few calls to Airflow's REST API that running the chain needs."""

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

import httpx

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import HOST, USER

logger = logging.getLogger(__name__)

TIMEOUT_S = 90.0
"""For one answer: a machine that computes on all of its cores, and swaps, may take a minute."""

UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG, as the API reports it; times in UTC."""

    dag_id: str
    run_id: str
    state: str
    queued_at: dt.datetime | None
    ended_at: dt.datetime | None


@dataclass(frozen=True)
class TaskRun:
    """One task of a DAG run; ``attempt`` counts from 1, times are UTC and those of its last try.

    ``map_index`` counts the tasks that one was mapped to, from 0; it is -1 where none was.
    """

    task_id: str
    map_index: int
    state: str
    attempt: int
    began_at: dt.datetime | None
    ended_at: dt.datetime | None


class AirflowApi:
    """A client of one Airflow on this machine.

    Parameters
    ----------
    port : where its API server listens on the loopback.
    password : of the user.
    user : who asks; the embedded Airflow has only this one.
    """

    def __init__(self, port: int, password: str, user: str = USER) -> None:
        # trust_env=False: a proxy of the environment has no business with the loopback.
        self._http = httpx.Client(
            base_url=f"http://{HOST}:{port}", timeout=TIMEOUT_S, trust_env=False
        )
        self._login = {"username": user, "password": password}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def answers(self) -> bool:
        """Tell whether the API server is up."""
        try:
            return self._http.get("/api/v2/version", timeout=2.0).is_success
        except httpx.TransportError:
            return False

    def scheduler_is_healthy(self, since: dt.datetime) -> bool:
        """Tell whether a scheduler has sent a heartbeat after ``since``."""
        beat = self._get("/monitor/health")["scheduler"]["latest_scheduler_heartbeat"]
        return beat is not None and dt.datetime.fromisoformat(beat) >= since

    def dag_ids(self) -> set[str]:
        """Return the DAGs that Airflow knows and whose files parse."""
        dags = self._get("/dags", limit=100)["dags"]
        return {dag["dag_id"] for dag in dags if not dag["is_stale"]}

    def import_errors(self) -> dict[str, str]:
        """Return the DAG files that do not parse, with the last line of their traceback."""
        errors = self._get("/importErrors")["import_errors"]
        return {
            error["filename"]: error["stack_trace"].strip().splitlines()[-1] for error in errors
        }

    def trigger(self, dag_id: str, session: dt.date) -> DagRun:
        """Ask for a run of a DAG for a session."""
        body = {
            "logical_date": None,
            "partition_key": session.isoformat(),
            "conf": {"session": session.isoformat()},
        }
        return _dag_run(self._send("POST", f"/dags/{dag_id}/dagRuns", body))

    def dag_run(self, dag_id: str, run_id: str) -> DagRun:
        """Return one run as it stands now."""
        return _dag_run(self._get(f"/dags/{dag_id}/dagRuns/{run_id}"))

    def task_runs(self, run: DagRun, *states: str) -> list[TaskRun]:
        """Return the tasks of a run, or only those in one of these states, first ended first.

        A hundred at most.
        """
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        found = self._get(path, state=list(states), order_by="end_date", limit=100)
        return [
            TaskRun(
                task_id=task["task_id"],
                map_index=task["map_index"],
                state=task["state"] or "waiting",
                attempt=task["try_number"],
                began_at=_moment(task["start_date"]),
                ended_at=_moment(task["end_date"]),
            )
            for task in found["task_instances"]
        ]

    def run_started_by(self, run: DagRun, dag_id: str, session: dt.date) -> DagRun | None:
        """Return the run of a DAG that an asset event of ``run`` started, once it has begun.

        Asked from the consumer's side: Airflow 3.3.2 answers 500 for an asset event whose
        consumer is still queued, because the consumer has no start date yet.
        """
        found = self._get(
            f"/dags/{dag_id}/dagRuns",
            partition_key_pattern=session.isoformat(),
            order_by="-id",
            limit=10,
        )["dag_runs"]
        for body in found:
            if body["start_date"] is not None and self._descends(body, run):
                return _dag_run(body)
        return None

    def _descends(self, body: dict[str, Any], run: DagRun) -> bool:
        path = f"/dags/{body['dag_id']}/dagRuns/{body['dag_run_id']}/upstreamAssetEvents"
        return any(
            event["source_dag_id"] == run.dag_id and event["source_run_id"] == run.run_id
            for event in self._get(path)["asset_events"]
        )

    def unfinished_runs(self, *states: str) -> list[DagRun]:
        """Return DAG runs that are queued or running, or only in one of these states.

        A hundred at most: ask again once they are dealt with.
        """
        asked_for = list(states or UNFINISHED)
        found = self._get("/dags/~/dagRuns", state=asked_for, limit=100)["dag_runs"]
        return [_dag_run(run) for run in found]

    def begin_anew(self, run: DagRun) -> None:
        """Let every task of a DAG run be run again, with the same session."""
        self._send("POST", f"/dags/{run.dag_id}/dagRuns/{run.run_id}/clear", {"dry_run": False})

    def fail(self, run: DagRun, note: str) -> None:
        """Mark a DAG run as failed: one whose scheduler is gone would block all later ones."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}"
        self._send("PATCH", path, {"state": "failed", "note": note})

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._call("GET", path, params=parameters)

    def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return self._call(method, path, json=body)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        if "Authorization" not in self._http.headers:
            self._log_in()
        response = self._http.request(method, f"/api/v2{path}", **arguments)
        if response.status_code == httpx.codes.UNAUTHORIZED:  # the token has expired
            self._log_in()
            response = self._http.request(method, f"/api/v2{path}", **arguments)
        return _checked(response).json()

    def _log_in(self) -> None:
        self._http.headers.pop("Authorization", None)
        response = self._http.post("/auth/token", json=self._login)
        self._http.headers["Authorization"] = f"Bearer {_checked(response).json()['access_token']}"


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    request = response.request
    raise ProcessError(
        f"Airflow's API, {request.method} {request.url.path}",
        response.status_code,
        response.text[:300],
        "See the API server's log in home/logs.",
    )


def _dag_run(body: dict[str, Any]) -> DagRun:
    return DagRun(
        dag_id=body["dag_id"],
        run_id=body["dag_run_id"],
        state=body["state"],
        queued_at=_moment(body["queued_at"]),
        ended_at=_moment(body["end_date"]),
    )


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
