"""### Warehouse: one immutable build per session

Takes a snapshot of the client inputs, builds the DuckDB warehouse with dbt in a new file, exports
the features and publishes the build by moving a pointer. Readers never wait and never see half.

**Starts** when `market_data` was updated for a session.
**Run it again** at any time: unchanged inputs keep the build that is there.
**Updates** the asset `warehouse` for the session, which starts `train`.
"""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from smartinvest_dags import MARKET_DATA, POLICY, WAREHOUSE, session_of

with DAG(
    "warehouse",
    schedule=PartitionedAssetTimetable(assets=MARKET_DATA),
    doc_md=__doc__,
    tags=["smartinvest", "warehouse"],
    **POLICY,
):

    @task(inlets=[MARKET_DATA], outlets=[WAREHOUSE])
    def transform(**context: Any) -> None:
        from pipelines.settings import load_settings
        from pipelines.warehouse import transform

        transform(load_settings(), session_of(context))

    transform()
