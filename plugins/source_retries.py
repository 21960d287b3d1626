"""Patience with a polled source: one that refuses is asked again for hours, without a slot held.

Between two attempts a task waits as ``up_for_retry``; it occupies neither its pool nor a worker.
"""

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from exchange_sessions import schedules_sessions

from models.vocabulary import Source
from pipelines.errors import SourceError
from pipelines.operate.due import runs_by_itself

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRIES = 7
"""With the waits below, a source is given four and a quarter hours."""

_FIRST_WAIT = dt.timedelta(minutes=5)
"""As long as a provider stops asking after it was refused repeatedly."""

_LONGEST_WAIT = dt.timedelta(hours=1)


class PatientRetryPolicy(RetryPolicy):
    """Waits longer and longer for a source; leaves every other error to another policy.

    It waits only where Airflow stays up. In `make run` a person waits for the answer.

    Parameters
    ----------
    otherwise : decides about what is no error of the source.
    retries : how often such an error is retried at most.
    """

    def __init__(self, otherwise: RetryPolicy, retries: int) -> None:
        self._otherwise = otherwise
        self._retries = retries

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: "Context | None" = None,
    ) -> RetryDecision:
        """Return whether and when the task runs again."""
        # Attempts from before the task was cleared do not count.
        failures = try_number - (max_tries - RETRIES)
        if isinstance(exception, SourceError) and schedules_sessions():
            wait = min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT)
            return RetryDecision.retry(wait, f"the source is asked again in {wait}")
        if failures > self._retries:
            return RetryDecision.fail("it was retried already")
        return self._otherwise.evaluate(exception, try_number, max_tries, context)


def patience_with(source: Source, policy: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a task that asks a source: none where it is not a polled one.

    Parameters
    ----------
    policy : the DAG's default arguments.
    """
    if not runs_by_itself(source):
        return {}
    patient = PatientRetryPolicy(policy["retry_policy"], policy["retries"])
    return {"retries": RETRIES, "retry_policy": patient}
