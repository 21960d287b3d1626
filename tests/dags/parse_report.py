"""Parse every DAG file as Airflow does and print what came out as one JSON line.

Run it in a fresh interpreter: what parsing imports cannot be seen once something else was imported.
With ``--times`` it prints the seconds per file instead; ``make dag-times`` calls it so.
"""

import json
import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.definitions._internal.types import NOTSET

DAGS = Path(__file__).parents[2] / "dags"
HEAVY = (
    *("tensorflow", "keras", "mlflow", "great_expectations", "cvxpy", "dbt", "duckdb"),
    *("numba", "fastapi"),
)


def describe(dag: Any) -> dict[str, Any]:
    listened_to = getattr(dag.timetable, "asset_condition", None)
    return {
        "tags": sorted(dag.tags),
        "doc": dag.doc_md or "",
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "schedule": type(dag.timetable).__name__,
        "starts_on": listened_to.name if listened_to else None,
        "description": dag.description or "",
        "deadlines": {
            alert.name: alert.interval.total_seconds() / 3600 for alert in dag.deadline or ()
        },
        "gives_up_hours": dag.dagrun_timeout.total_seconds() / 3600 if dag.dagrun_timeout else 0,
        "on_failure": names(dag.on_failure_callback),
        "params": {
            name: {
                "schema": dag.params.get_param(name).schema,
                "description": dag.params.get_param(name).description or "",
                "has_value": has_value(dag, name),
            }
            for name in dag.params
        },
        "tasks": {
            task.task_id: {
                "owner": task.owner,
                "retries": task.retries,
                "retry_policy": type(task.retry_policy).__name__,
                "calls_back": {
                    when: names(getattr(task, f"on_{when}_callback"))
                    for when in ("failure", "retry", "success")
                },
                "updates": [asset.name for asset in task.outlets],
                "pool": task.pool,
                "queue": task.queue,
                "seconds": task.execution_timeout.total_seconds() if task.execution_timeout else 0,
                "mapped": task.is_mapped,
                "follows": sorted(task.upstream_task_ids),
                "starts_when": task.trigger_rule.value,
            }
            for task in dag.topological_sort()
        },
    }


def names(callbacks: Any) -> list[str]:
    """Say what is called back, whether Airflow keeps one or several."""
    several = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    return [callback.__name__ for callback in several if callback is not None]


def has_value(dag: Any, name: str) -> bool:
    """Say whether a parameter has a default, and prove that the default obeys its own rules."""
    param = dag.params.get_param(name)
    if param.value is NOTSET:
        return False
    param.resolve()
    return True


def seconds_to_parse(file: Path) -> float:
    began = time.perf_counter()
    bag = BundleDagBag(file, bundle_path=DAGS, bundle_name="dags-folder")
    if not bag.dags:
        sys.exit(f"{file} holds no DAG: {bag.import_errors}")
    return time.perf_counter() - began


def print_times() -> None:
    # Airflow's DAG processor parses each file in a fork of its own, so nothing is shared.
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        files = sorted(file for file in DAGS.glob("*.py") if file.stem != "smartinvest_dags")
        times = pool.map(seconds_to_parse, files, chunksize=1)
    for file, seconds in zip(files, times, strict=True):
        print(f"{file.name:16} {seconds * 1000:6.0f} ms")


def print_report() -> None:
    bag = BundleDagBag(DAGS, bundle_path=DAGS, bundle_name="dags-folder")
    report = {
        "dags": {dag_id: describe(dag) for dag_id, dag in bag.dags.items()},
        "import_errors": bag.import_errors,
        "heavy_modules": [name for name in HEAVY if name in sys.modules],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    print_times() if "--times" in sys.argv else print_report()
