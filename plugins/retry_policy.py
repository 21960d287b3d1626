"""Which failures are tried again, when, and how often: by what the error says it needs.

Between two attempts a task waits as ``up_for_retry``; it occupies neither its pool nor a worker.
"""

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from exchange_sessions import schedules_sessions

from models.vocabulary import Source
from pipelines.errors import Recovery, SourceError
from pipelines.operate.due import runs_by_itself
from pipelines.recovery import recovery_of

if TYPE_CHECKING:
    from airflow.sdk import Context

_MINUTE = dt.timedelta(minutes=1)

SOON = dt.timedelta(seconds=15)
"""Before the one more attempt that is worth its time for an error nobody foresaw."""

WAITS = (SOON, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE)
"""Before each attempt while a database, MLflow or room on a disk is awaited: 51 minutes in all.

A restart takes seconds, a person who has to come about an hour.
"""

SOURCE_WAITS = (5 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 40 * _MINUTE, *[60 * _MINUTE] * 3)
"""A polled source is given four and a quarter hours.

They begin with as long as a provider stops asking after it was refused repeatedly.
"""


class RecoveryRetryPolicy(RetryPolicy):
    """Tries again at once what chance may mend, waits for what is away, and else calls a person.

    It waits only where Airflow stays up. In `make run` a person waits for the answer.

    Parameters
    ----------
    retries : how many the task has; attempts from before it was cleared do not count.
    source_waits : before each attempt at a source that refuses; none: it is not asked again.
    """

    def __init__(self, retries: int, source_waits: tuple[dt.timedelta, ...] = ()) -> None:
        self._retries = retries
        self._source_waits = source_waits

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: "Context | None" = None,  # noqa: ARG002 - Airflow passes it by name
    ) -> RetryDecision:
        """Return whether and when the task runs again."""
        failures = try_number - (max_tries - self._retries)
        waits, what = self._waits(exception)
        if failures > len(waits):
            return RetryDecision.fail(f"{what}, and it was tried {failures} times")
        wait = waits[failures - 1]
        return RetryDecision.retry(wait, f"{what}; it is tried again in {wait}")

    def _waits(self, exception: BaseException) -> tuple[tuple[dt.timedelta, ...], str]:
        if isinstance(exception, SourceError) and self._source_waits and schedules_sessions():
            return self._source_waits, "the source refuses"
        needed = recovery_of(exception)
        if needed is Recovery.BY_A_PERSON:
            return (), "a person has to mend it"
        if needed is Recovery.BY_WAITING and schedules_sessions():
            return WAITS, "something that it needs is away"
        return (SOON,), "it may have been chance"


def recovers() -> dict[str, Any]:
    """Return the arguments by which any task is tried again."""
    return {
        "retries": len(WAITS),
        # For what ends without an error: a worker that was killed.
        "retry_delay": SOON,
        "retry_policy": RecoveryRetryPolicy(len(WAITS)),
    }


def patience_with(source: Source) -> dict[str, Any]:
    """Return the arguments of a task that asks a source: none where it is not a polled one."""
    if not runs_by_itself(source):
        return {}
    retries = max(len(SOURCE_WAITS), len(WAITS))
    return {"retries": retries, "retry_policy": RecoveryRetryPolicy(retries, SOURCE_WAITS)}
