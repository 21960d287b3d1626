"""When a run is late: by how long it takes, and by when its session's advice is due."""

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import (
    BaseDeadlineReference,
    DeadlineAlert,
)
from alerts import deadline_missed

from pipelines.alerts import advice_due
from pipelines.sessions import newest_available, parse_session
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)

RUN_HOURS = 6.0
"""In which a run ends, once it has begun; a source's patience and a usual training fit in."""


class RunBegins(BaseDeadlineReference):
    """When a run is created.

    Airflow's ``DAGRUN_QUEUED_AT`` says the same, but in 3.3.2 a run of a DAG that uses it cannot
    be cleared: the API answers 500, as it reads the interval in a form in which it is not stored.
    """

    required_kwargs = frozenset({"run_id"})

    def _evaluate_with(self, *, session: "Session", run_id: str) -> dt.datetime:  # noqa: ARG002
        return dt.datetime.now(dt.UTC)


class AdviceDue(BaseDeadlineReference):
    """Some hours after the close of a run's session, where that is the newest one.

    Every DAG of the chain carries it, so that it holds wherever the chain stands. Sessions that are
    made up for, backfilled or tried out have no moment at which anybody waits for them.
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: "Session", dag_id: str, run_id: str) -> Any:
        # Airflow creates the run inside this: whatever fails here must not keep it from that.
        try:
            return _advice_due(session, dag_id, run_id)
        except Exception:
            logger.exception("when the advice of run %s of %s is due is unknown", run_id, dag_id)
            return None


def _advice_due(session: "Session", dag_id: str, run_id: str) -> dt.datetime | None:
    from airflow.models import DagRun
    from sqlalchemy import select

    found = session.execute(
        select(DagRun.partition_key, DagRun.conf).where(
            DagRun.dag_id == dag_id, DagRun.run_id == run_id
        )
    ).one_or_none()
    named = None if found is None else found.partition_key or (found.conf or {}).get("session")
    if not named:
        return None
    date = parse_session(named)
    if date != newest_available(dt.datetime.now(dt.UTC)):
        return None
    return advice_due(load_settings(), date)


def deadlines(run_hours: float = RUN_HOURS) -> list[DeadlineAlert]:
    """Return the deadlines of a DAG, with the hours that a run of it may take."""
    return [
        DeadlineAlert(
            # Airflow knows no later moment beforehand. The callback looks how long it really ran.
            RunBegins(),
            interval=dt.timedelta(hours=run_hours),
            callback=SyncCallback(deadline_missed, {"what": "run", "hours": run_hours}),
            name="run",
        ),
        DeadlineAlert(
            AdviceDue(),
            interval=dt.timedelta(0),
            callback=SyncCallback(deadline_missed, {"what": "advice"}),
            name="advice",
        ),
    ]


class DeadlinesPlugin(AirflowPlugin):
    """Registers the references, which the scheduler looks up by their classes."""

    name = "deadlines"
    deadline_references = [AdviceDue, RunBegins]  # noqa: RUF012
