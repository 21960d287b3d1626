"""### Rebalance: allocations, trades and one outcome per account

Turns forecasts, the risk model and every client's profile, goals and holdings into target
allocations and trades with reasons, and publishes the run in one transaction: apps see all of it
or nothing.

**Starts** when `forecasts` was updated for a session; the session's warehouse build is there by
then.
**Run it again** at any time: the same inputs give the same run, which is not written twice.
**Updates** the asset `advice` for the session.
"""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from smartinvest_dags import ADVICE, FORECASTS, POLICY, SESSION, WAREHOUSE, session_of, tell

with DAG(
    "rebalance",
    schedule=PartitionedAssetTimetable(assets=FORECASTS),
    description="Allocations, trades and one outcome per account",
    params={"session": SESSION},
    doc_md=__doc__,
    tags=["smartinvest", "advice"],
    **POLICY,
):

    @task(inlets=[WAREHOUSE, FORECASTS], outlets=[ADVICE])
    def rebalance(**context: Any) -> None:
        from pipelines.rebalance import rebalance
        from pipelines.settings import load_settings

        rebalance(load_settings(), session_of(context))
        tell(context, ADVICE)

    rebalance()
