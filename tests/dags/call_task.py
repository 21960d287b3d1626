"""Call one task of a real DAG file as Airflow would, in a process of its own: DAG, task, params.

Exits with 1, and the error as the last line of stderr, where the task raises.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from airflow.dag_processing.dagbag import BundleDagBag

DAGS = Path(__file__).parents[2] / "dags"


class NoXComs:
    """Takes what a task hands on beside its result."""

    def xcom_push(self, key: str, value: object) -> None:
        """Forget it: nobody follows."""


def main() -> None:
    dag_id, task_id, params = sys.argv[1:]
    bag = BundleDagBag(DAGS / f"{dag_id}.py", bundle_path=DAGS, bundle_name="dags-folder")
    task = bag.dags[dag_id].get_task(task_id)
    by_hand = SimpleNamespace(run_id="by-hand", partition_key=None)
    found = task.python_callable(
        params=json.loads(params), run_id=by_hand.run_id, dag_run=by_hand, ti=NoXComs()
    )
    sys.stdout.write(f"\n{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
