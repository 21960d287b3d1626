"""Create runs of a DAG as Airflow's scheduler does, let the deadlines of one pass, and call back.

Takes sessions, the last of them is that of the run that is late. Prints one JSON line: deadlines of
each run, and whether each callback of the late one went well. It needs a process and a database of
its own, since Airflow reads its configuration when it is imported.
"""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import structlog
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models.dagbag import DBDagBag
from airflow.models.deadline import Deadline
from airflow.sdk.execution_time.callback_supervisor import execute_callback
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

DAGS = Path(__file__).parents[2] / "dags"
BUNDLE, DAG = "dags-folder", "warehouse"
LONG = dt.timedelta(hours=7)


def created(dag: Any, key: str, database: Any) -> Any:
    """Return a run that began long ago."""
    now = dt.datetime.now(dt.UTC)
    run = dag.create_dagrun(
        run_id=f"asset_triggered__{key}",
        run_after=now,
        run_type=DagRunType.ASSET_TRIGGERED,
        triggered_by=DagRunTriggeredByType.ASSET,
        state=DagRunState.RUNNING,
        start_date=now - LONG,
        partition_key=key,
        session=database,
    )
    database.flush()
    return run


def missed(deadline: Any, database: Any) -> bool:
    """Say whether what Airflow calls back for a missed deadline goes well."""
    deadline.handle_miss(database)
    data = deadline.callback.data
    # As an executor gets it: over JSON.
    kwargs = json.loads(json.dumps(data["kwargs"], default=str))
    done, problem = execute_callback(
        data["path"], kwargs, Path(f"{DAG}.py"), DAGS, structlog.get_logger()
    )
    sys.stderr.write(f"{problem}\n" if problem else "")
    return done


def main() -> None:
    """Print what became of the runs' deadlines."""
    DagBundlesManager().sync_bundles_to_db()
    bag = BundleDagBag(DAGS / f"{DAG}.py", bundle_path=DAGS, bundle_name=BUNDLE)
    sync_bag_to_db(bag, BUNDLE, None)
    told: dict[str, dict[str, str]] = {}
    with create_session() as database:
        dag = DBDagBag().get_latest_version_of_dag(DAG, session=database)
        for key in sys.argv[1:]:
            run = created(dag, key, database)
            found = database.scalars(select(Deadline).where(Deadline.dagrun_id == run.id)).all()
            told[key] = {each.deadline_alert.name: str(each.deadline_time) for each in found}
        called = [missed(each, database) for each in found]
    sys.stdout.write(f"\n{json.dumps({'deadlines': told, 'called': called})}\n")


if __name__ == "__main__":
    main()
