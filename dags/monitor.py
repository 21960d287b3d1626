"""### Monitor: what became of the forecasts, and whether the model still fits the world

Scores the forecasts whose horizon ended with this session, and checks whether a new training is
due: by the age of the last one, by what became of its forecasts, or by features that drifted.
The verdict and its reason stand in the task's log and in the table `model_check`, the scores in
`model_score`.

**Starts** when `warehouse` was updated for a session.
**Run it again** at any time: the same session gives the same rows.
**Updates** the asset `model_check` for the session, which starts `train`.
"""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from smartinvest_dags import MODEL_CHECK, POLICY, SESSION, WAREHOUSE, session_of, tell

with DAG(
    "monitor",
    schedule=PartitionedAssetTimetable(assets=WAREHOUSE),
    description="Score realised forecasts and check models for drift",
    params={"session": SESSION},
    doc_md=__doc__,
    tags=["smartinvest", "models"],
    **POLICY,
):

    @task(inlets=[WAREHOUSE], outlets=[MODEL_CHECK])
    def check(**context: Any) -> None:
        from pipelines.monitor import monitor
        from pipelines.settings import load_settings

        monitor(load_settings(), session_of(context))
        tell(context, MODEL_CHECK)

    check()
