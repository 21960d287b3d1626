"""### Warehouse: one immutable build per session

Takes a snapshot of the client inputs, builds the DuckDB warehouse with one `dbt build` in a new
file, and publishes the build by moving a pointer. Readers never wait and never see half.

**Starts** when `market_data` was updated for a session.
**See what it did** in the tab *dbt results* of the run or of its task: status, rows and seconds of
each model, what each test said, and the rows that failed. *Browse*, *dbt results* lists all builds.
**When a model or a test fails**, nothing is published and readers keep the last good build. A
failed test is not tried again, since the same data fails it again: mend the data or quarantine it,
then clear the task.
**Run it again** at any time: unchanged inputs keep the build that is there.
**Updates** the asset `warehouse` for the session, which starts `monitor`.
"""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from smartinvest_dags import (
    MARKET_DATA,
    POLICY,
    SESSION,
    WAREHOUSE,
    WAREHOUSE_QUEUE,
    session_of,
    tell,
)

from pipelines.operate.pools import BUILDS

RESULTS = "dbt_results"
"""Under this key the task's XComs, and the extra of the asset's event, say how the build ended."""

with DAG(
    "warehouse",
    schedule=PartitionedAssetTimetable(assets=MARKET_DATA),
    description="One immutable build of the warehouse per session",
    params={"session": SESSION},
    doc_md=__doc__,
    tags=["smartinvest", "warehouse"],
    **POLICY,
):

    @task(inlets=[MARKET_DATA], outlets=[WAREHOUSE], queue=WAREHOUSE_QUEUE, pool=BUILDS.name)
    def transform(**context: Any) -> None:
        from pipelines.build_results import attempt_behind, attempt_of_build, compact
        from pipelines.errors import WarehouseError
        from pipelines.settings import load_settings
        from pipelines.warehouse import transform

        settings, session = load_settings(), session_of(context)
        try:
            build = transform(settings, session, started_by=context["dag_run"].run_id)
        except WarehouseError as error:
            if failed := attempt_behind(settings, session, error):
                context["ti"].xcom_push(RESULTS, compact(failed))
            raise
        if made := attempt_of_build(settings, session, build.path.name):
            context["ti"].xcom_push(RESULTS, compact(made))
            context["outlet_events"][WAREHOUSE].extra = {RESULTS: compact(made)}
        tell(context, WAREHOUSE)

    transform()
