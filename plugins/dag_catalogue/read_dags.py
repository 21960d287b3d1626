"""Parse every DAG file as Airflow does, and print what the catalogue tells of them as JSON.

Run in a process of its own: Airflow reads its configuration when it is imported, and the package
that asks (``pipelines.documentation``) does without Airflow.
"""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import BundleDagBag


def described(dag: Any) -> dict[str, Any]:
    """Return what a reader wants to know of a DAG; tasks stand in the order in which they run."""
    listened_to = getattr(dag.timetable, "asset_condition", None)
    return {
        "dag_id": dag.dag_id,
        "doc": dag.doc_md or "",
        "starts_on": listened_to.name if listened_to else None,
        "timetable": type(dag.timetable).__name__,
        "tags": sorted(dag.tags),
        "max_active_runs": dag.max_active_runs,
        "tasks": [
            {
                "task_id": task.task_id,
                "doc": task.doc_md or "",
                "owner": task.owner,
                "retries": task.retries,
                "pool": task.pool,
                "is_mapped": task.is_mapped,
                "follows": sorted(task.upstream_task_ids),
                "reads": [asset.name for asset in task.inlets],
                "updates": [asset.name for asset in task.outlets],
            }
            for task in dag.topological_sort()
        ],
    }


def main() -> None:
    """Print one JSON line: the DAGs of a folder, and the files that do not parse."""
    folder = Path(sys.argv[1])
    bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags-folder")
    dags = [described(bag.dags[dag_id]) for dag_id in sorted(bag.dags)]
    sys.stdout.write(json.dumps({"dags": dags, "problems": bag.import_errors}) + "\n")


if __name__ == "__main__":
    main()
