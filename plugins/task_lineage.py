"""Tell the store of every try of a task of ours: which session, from what, on which machine.

The listeners run in the process of the task. Where that was killed, or a person decides, they run
in the scheduler or the API server, which know less; then only the verdict is noted. What a note
costs and when it is lost stands in ``pipelines.operate.task_lineage``.
"""

import datetime as dt
import logging
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from models.vocabulary import TaskState

logger = logging.getLogger(__name__)

TAG = "smartinvest"
"""DAGs with this tag are noted, whoever else uses the same Airflow."""

_ADVICE = {"forecasts", "advice"}


class TaskLineage:
    """Airflow's listeners; none of them lets an error out, as a task must not fail by its note."""

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        """Note that a try begins."""
        _note(task_instance, TaskState.RUNNING)

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        """Note that a try succeeded."""
        _note(task_instance, TaskState.SUCCESS)

    @hookimpl
    def on_task_instance_skipped(self, task_instance: Any) -> None:
        """Note that a try skipped itself."""
        _note(task_instance, TaskState.SKIPPED)

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any) -> None:
        """Note that a try failed, and whether there is another; never why, that is in its log."""
        # Not by str(): the task runner's own states are named by their class then.
        again = task_instance.state == TaskState.UP_FOR_RETRY.value
        _note(task_instance, TaskState.UP_FOR_RETRY if again else TaskState.FAILED)


def _note(task_instance: Any, state: TaskState) -> None:
    try:
        if hasattr(task_instance, "get_template_context") and _is_ours(task_instance):
            _note_own(task_instance, state)
        elif not hasattr(task_instance, "get_template_context"):
            _note_verdict(task_instance, state)
    # Whatever it is, it is no reason to fail a task that did its work.
    except Exception as error:
        logger.warning("lineage of a task was lost: %s", type(error).__name__, exc_info=True)


def _is_ours(task_instance: Any) -> bool:
    return TAG in task_instance.task.dag.tags


def _note_own(task_instance: Any, state: TaskState) -> None:
    # Heavy for what only parses DAG files; a task imports the store anyway.
    from pipelines.operate.task_lineage import note_begin, note_end
    from pipelines.settings import load_settings

    settings, noted = load_settings(), tried(task_instance)
    if state is TaskState.RUNNING:
        note_begin(settings, noted, task_instance.start_date)
    else:
        ended_at = task_instance.end_date or dt.datetime.now(dt.UTC)
        note_end(settings, noted, state, task_instance.start_date, ended_at)


def _note_verdict(task_instance: Any, state: TaskState) -> None:
    from pipelines.operate.task_lineage import TaskTry, note_verdict
    from pipelines.settings import load_settings

    noted = TaskTry(
        dag_id=task_instance.dag_id,
        dag_run_id=task_instance.run_id,
        task_id=task_instance.task_id,
        map_index=task_instance.map_index,
        try_number=task_instance.try_number,
        session=None,
    )
    note_verdict(load_settings(), noted, state, dt.datetime.now(dt.UTC))


def tried(task_instance: Any) -> Any:
    """Return the try that runs in this process, as a ``TaskTry``."""
    from pipelines.operate.task_lineage import TaskTry

    task = task_instance.task
    of_dag = {asset for each in task.dag.tasks for asset in _names([*each.inlets, *each.outlets])}
    return TaskTry(
        dag_id=task_instance.dag_id,
        dag_run_id=task_instance.run_id,
        task_id=task_instance.task_id,
        map_index=-1 if task_instance.map_index is None else task_instance.map_index,
        try_number=task_instance.try_number,
        session=session_of(task_instance),
        inlets=_names(task.inlets),
        outlets=_names(task.outlets),
        makes_advice=not of_dag.isdisjoint(_ADVICE),
    )


def session_of(task_instance: Any) -> dt.date | None:
    """Return the exchange session that a task of this process works on, if it is on one."""
    context = task_instance.get_template_context()
    named = context["dag_run"].partition_key or context["params"].get("session")
    try:
        return dt.date.fromisoformat(named) if named else None
    except ValueError:
        return None


def _names(assets: Any) -> tuple[str, ...]:
    return tuple(asset.name for asset in assets if hasattr(asset, "name"))


class TaskLineagePlugin(AirflowPlugin):
    """Registers the listeners."""

    name = "task_lineage"
    listeners = [TaskLineage()]  # noqa: RUF012
