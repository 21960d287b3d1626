"""What every task of ours says beside its work: its session on each log line, numbers at its end.

Airflow itself binds DAG, task, run and try to the log lines of a task, and sends seconds and states
of every task to StatsD or OpenTelemetry, where ``[metrics]`` says so. Only what it cannot know is
added here.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from alerts import attempt_begins, where_of

from pipelines.log_identifiers import bind, bind_also
from pipelines.settings import Settings, load_settings

logger = logging.getLogger(__name__)


class Telemetry:
    """Airflow's listeners; none of them lets an error out, as no task must fail by its numbers."""

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        """Put the session on all log lines that follow, of ours and of libraries."""
        if not hasattr(task_instance, "get_template_context"):
            return  # told by the API server or the scheduler, not by the task
        try:
            from structlog.contextvars import bound_contextvars

            bind_also(bound_contextvars)
            # A task is its process's only one, and ends with it.
            context = task_instance.get_template_context()
            bind(session=where_of(context).session)
            attempt_begins(context)
        except Exception as error:  # noqa: BLE001
            logger.warning("a task began without its session: %s", type(error).__name__)

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        """Send the numbers of what the task updated, if anybody listens."""
        if not hasattr(task_instance, "get_template_context"):
            return
        try:
            _send(task_instance)
        except Exception as error:  # noqa: BLE001
            logger.warning("the numbers of a task were lost: %s", type(error).__name__)


def _send(task_instance: Any) -> None:
    from airflow.sdk.configuration import conf

    if not any(conf.getboolean("metrics", name) for name in ("statsd_on", "otel_on")):
        return
    from airflow.sdk.observability import stats

    session = where_of(task_instance.get_template_context()).session
    measures = _measures()
    for asset in task_instance.task.outlets:
        measure = measures.get(getattr(asset, "name", ""))
        if measure is not None and session is not None:
            for name, value in measure(load_settings(), session).items():
                stats.gauge(name, value)


def _measures() -> Mapping[str, Callable[[Settings, Any], Mapping[str, float]]]:
    from pipelines.metrics import advice_metrics, market_metrics

    return {"advice": advice_metrics, "market_data": market_metrics}


class TelemetryPlugin(AirflowPlugin):
    """Registers the listeners."""

    name = "telemetry"
    listeners = [Telemetry()]  # noqa: RUF012
