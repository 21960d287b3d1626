"""What all DAGs share: their assets, queues and policy, and where their session comes from.

Every asset is partitioned by exchange session; the partition key is the ISO date. A DAG starts
when the asset before it has been updated for a session, and updates its own asset for that
session. It listens to one asset only, the last one it needs: waiting for several of them would
let a rerun in the middle of the chain leave half of a pair behind, which the next run would then
complete too early with old data (docs/operations.md).
"""

import datetime as dt
from typing import Any

from airflow.sdk import Asset, Param
from airflow.sdk.exceptions import AirflowFailException
from alerts import run_failed, task_failed, task_retries, task_succeeded
from deadlines import RUN_HOURS, deadlines
from retry_policy import recovers

MARKET_DATA = Asset(name="market_data", uri="smartinvest://lake/market_data")
WAREHOUSE = Asset(name="warehouse", uri="smartinvest://warehouse")
MODEL_CHECK = Asset(name="model_check", uri="smartinvest://store/model_check")
MODEL_CHOICE = Asset(name="model_choice", uri="smartinvest://store/model_choice")
FORECASTS = Asset(name="forecasts", uri="smartinvest://store/forecast")
ADVICE = Asset(name="advice", uri="smartinvest://store/advice_run")

WAREHOUSE_QUEUE = "warehouse"
"""For dbt builds, which need a scratch disk. One machine alone ignores queues."""

TRAINING_QUEUE = "training"
"""For what imports TensorFlow."""

SESSION = Param(
    None,
    type=["null", "string"],
    format="date",
    title="Exchange session",
    description="Leave empty where the partition key says it.",
)
"""The parameter by which a person who triggers a DAG of the chain says for which session."""

LARGE_TRAINING = dt.timedelta(hours=24)
"""A task that trains may take so long: the profile `full` searches settings, too."""

_GIVEN_UP = dt.timedelta(days=7)
"""So long after it was late a run fails, wherever it hangs: the next session waits behind it.

Long enough for machines that were off over a holiday to go on with what they were at. It counts
anew where a run was cleared, which Airflow's deadlines do not.
"""

POLICY: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "on_failure_callback": run_failed,
    "deadline": deadlines(),
    "dagrun_timeout": dt.timedelta(hours=RUN_HOURS) + _GIVEN_UP,
    "default_args": {
        "owner": "smartinvest",
        **recovers(),
        # Longer than any task takes but a training, which has its own.
        "execution_timeout": dt.timedelta(hours=3),
        "on_failure_callback": task_failed,
        "on_retry_callback": task_retries,
        "on_success_callback": task_succeeded,
    },
}
"""Arguments of every DAG of the chain."""


def policy_beside(run_hours: float = RUN_HOURS) -> dict[str, Any]:
    """Return the arguments of a DAG beside the chain: no session's advice waits for it.

    Parameters
    ----------
    run_hours : after which a run that has not ended is late.
    """
    return {
        **POLICY,
        "deadline": deadlines(run_hours)[:1],
        "dagrun_timeout": dt.timedelta(hours=run_hours) + _GIVEN_UP,
    }


def session_of(context: Any) -> dt.date:
    """Return the exchange session that a task's DAG run works on.

    Parameters
    ----------
    context : the task's context; the session is the run's partition key, or, where a person or a
        backfill has triggered the DAG, its parameter ``session``.

    Raises
    ------
    AirflowFailException
        The run has no session, or the two name different ones.
    """
    run = context["dag_run"]
    named = {run.partition_key, context["params"].get("session")} - {None}
    if len(named) != 1:
        problem = f"it names two sessions, {sorted(named)}" if named else "it has no session"
        raise AirflowFailException(
            f"DAG run {run.run_id}: {problem}. "
            "Trigger it with one session (YYYY-MM-DD) as partition key or parameter."
        )
    return dt.date.fromisoformat(named.pop())


def tell(context: Any, asset: Asset) -> None:
    """Tell an asset's listeners which session was updated, also where only a parameter says it."""
    context["outlet_events"][asset].add_partitions(session_of(context).isoformat())
