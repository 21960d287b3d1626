"""Run DAGs of a folder with Airflow's own task runner, our plugins' listeners in it.

Prints the states of their tasks as one JSON line. It needs a process and a database of its own,
since Airflow reads its configuration when it is imported.
"""

import json
import sys
from pathlib import Path

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

BUNDLE = "dags-folder"


def main() -> None:
    """Run each DAG once and say how it went."""
    folder = Path(sys.argv[1])
    DagBundlesManager().sync_bundles_to_db()
    bag = BundleDagBag(folder, bundle_path=folder, bundle_name=BUNDLE)
    sync_bag_to_db(bag, BUNDLE, None)
    states = {}
    for dag in bag.dags.values():
        for instance in dag.test().get_task_instances():
            states[f"{instance.task_id} {instance.map_index}"] = str(instance.state)
    sys.stdout.write(f"\n{json.dumps(states)}\n")


if __name__ == "__main__":
    main()
