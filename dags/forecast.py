"""### Forecast: expected returns of every symbol, by every model

Loads the chosen models by their version numbers, forecasts from the session's features and writes
the forecasts to the SQL store, in a run that readers do not see yet. Runs in a process of its own,
because TensorFlow deadlocks in forked task processes; the log below is its output.

**Starts** when `model_choice` was updated for a session; the session's warehouse build is there by
then, since training needed it.
**Run it again** at any time: a published run is never written twice.
**Updates** the asset `forecasts` for the session, which starts `rebalance`.
"""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from smartinvest_dags import (
    FORECASTS,
    MODEL_CHOICE,
    POLICY,
    SESSION,
    TRAINING_QUEUE,
    WAREHOUSE,
    session_of,
    tell,
)

with DAG(
    "forecast",
    schedule=PartitionedAssetTimetable(assets=MODEL_CHOICE),
    description="Expected returns of every symbol, by every model",
    params={"session": SESSION},
    doc_md=__doc__,
    tags=["smartinvest", "models"],
    **POLICY,
):

    @task(inlets=[WAREHOUSE, MODEL_CHOICE], outlets=[FORECASTS], queue=TRAINING_QUEUE)
    def forecast(**context: Any) -> None:
        from pipelines.operate.stage_process import run_stage_process

        run_stage_process("forecast", session_of(context))
        tell(context, FORECASTS)

    forecast()
