"""The upkeep, part by part: each is a task of the DAG `maintenance`."""

from collections.abc import Callable, Mapping

from pipelines.maintenance.home_files import remove_builds, remove_logs, remove_work
from pipelines.maintenance.lake_files import compact_lake, remove_snapshots
from pipelines.maintenance.model_runs import empty_trash
from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention
from pipelines.maintenance.searches import remove_searches
from pipelines.maintenance.task_tries import remove_tries
from pipelines.maintenance.unpublished_runs import remove_unpublished
from pipelines.progress import step
from pipelines.settings import Settings

PARTS: Mapping[str, Callable[[Settings, Retention], list[Removal]]] = {
    "runs": remove_unpublished,
    "tries": remove_tries,
    "lake": compact_lake,
    "snapshots": remove_snapshots,
    "builds": remove_builds,
    "work": remove_work,
    "models": empty_trash,
    "searches": remove_searches,
    "logs": remove_logs,
}
"""In this order: what a run needs, though it was never published, goes after it."""


def maintain(settings: Settings, rule: Retention) -> list[Removal]:
    """Do all of the upkeep but that of Airflow's own database.

    Raises
    ------
    SmartInvestError
        A part failed; those before it are done, and it may be run again.
    """
    removals = []
    for name, part in PARTS.items():
        with step(f"upkeep: {name}"):
            removals += part(settings, rule)
    return removals
