"""What all DAGs of the chain share: their assets, their policy and where their session comes from.

Every asset is partitioned by exchange session; the partition key is the ISO date. A DAG starts
when the asset before it has been updated for a session, and updates its own asset for that
session. It listens to one asset only, the last one it needs: waiting for several of them would
let a rerun in the middle of the chain leave half of a pair behind, which the next run would then
complete too early with old data (docs/operations.md).
"""

import datetime as dt
from typing import Any

from airflow.sdk import Asset, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowFailException

from pipelines import errors

MARKET_DATA = Asset(name="market_data", uri="smartinvest://lake/market_data")
WAREHOUSE = Asset(name="warehouse", uri="smartinvest://warehouse")
MODEL_CHOICE = Asset(name="model_choice", uri="smartinvest://store/model_choice")
FORECASTS = Asset(name="forecasts", uri="smartinvest://store/forecast")
ADVICE = Asset(name="advice", uri="smartinvest://store/advice_run")

SESSION_PATTERN = r"^\d{4}-\d{2}-\d{2}$"

POLICY: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {
        "owner": "smartinvest",
        "retries": 1,
        "retry_delay": dt.timedelta(seconds=15),
        # A second attempt cannot mend what a person has to. A source has been asked again already.
        "retry_policy": ExceptionRetryPolicy(
            rules=[
                RetryRule(
                    exception=[
                        errors.SettingError,
                        errors.SessionError,
                        errors.SourceError,
                        errors.QualityError,
                        errors.WarehouseTestError,
                    ],
                    action=RetryAction.FAIL,
                )
            ]
        ),
    },
}
"""Arguments of every DAG."""


def session_of(context: Any) -> dt.date:
    """Return the exchange session that a task's DAG run works on.

    Parameters
    ----------
    context : the task's context; the session is the run's partition key, or, where a person has
        triggered the first DAG by hand, its parameter ``session``.

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
