"""Parse every DAG file as Airflow does, and print what the catalogue tells of them as JSON.

Run in a process of its own: Airflow reads its configuration when it is imported, and the package
that asks (``pipelines.documentation``) does without Airflow.
"""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.definitions._internal.types import NOTSET


def described(dag: Any) -> dict[str, Any]:
    """Return what a reader wants to know of a DAG; tasks stand in the order in which they run."""
    listened_to = getattr(dag.timetable, "asset_condition", None)
    return {
        "dag_id": dag.dag_id,
        "description": dag.description or "",
        "doc": dag.doc_md or "",
        "starts_on": listened_to.name if listened_to else None,
        # Those by assets or by hand say nothing of themselves.
        "timetable": getattr(dag.timetable, "description", ""),
        "tags": sorted(dag.tags),
        "owner": dag.owner,
        "max_active_runs": dag.max_active_runs,
        "deadlines": [_deadline(alert) for alert in dag.deadline or ()],
        "given_up_hours": dag.dagrun_timeout.total_seconds() / 3600,
        "params": [_param(name, dag.params.get_param(name)) for name in dag.params],
        "tasks": [_task(task) for task in dag.topological_sort()],
    }


def _deadline(alert: Any) -> str:
    hours = alert.interval.total_seconds() / 3600
    return f"{alert.name} ({hours:g} h)" if hours else str(alert.name)


def _param(name: str, param: Any) -> dict[str, Any]:
    return {
        "name": name,
        "required": param.value is NOTSET,
        "default": None if param.value is NOTSET else param.value,
        "description": param.description or "",
        "schema": param.schema,
    }


def _task(task: Any) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "is_mapped": task.is_mapped,
        "follows": sorted(task.upstream_task_ids),
        "reads": [asset.name for asset in task.inlets],
        "updates": [asset.name for asset in task.outlets],
        "retries": task.retries,
        "minutes": task.execution_timeout.total_seconds() / 60 if task.execution_timeout else None,
        "pool": task.pool,
        "queue": task.queue,
    }


def main() -> None:
    """Print one JSON line: the DAGs of a folder, and the files that do not parse."""
    folder = Path(sys.argv[1])
    bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags-folder")
    dags = [described(bag.dags[dag_id]) for dag_id in sorted(bag.dags)]
    sys.stdout.write(json.dumps({"dags": dags, "problems": bag.import_errors}) + "\n")


if __name__ == "__main__":
    main()
