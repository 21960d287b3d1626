"""### Train: which model serves this session

Decides whether the model in service is kept or a new one is trained, and writes the choice for
the session either way, with the reason. Training is tracked in MLflow. It runs in a process of its
own, because TensorFlow deadlocks in forked task processes; the log below is its output.

**Starts** when `warehouse` was updated for a session.
**Run it again** at any time: a session that has its choice keeps it.
**Updates** the asset `model_choice` for the session, which starts `forecast`.
"""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from smartinvest_dags import MODEL_CHOICE, POLICY, WAREHOUSE, session_of

with DAG(
    "train",
    schedule=PartitionedAssetTimetable(assets=WAREHOUSE),
    doc_md=__doc__,
    tags=["smartinvest", "models"],
    **POLICY,
):

    @task(inlets=[WAREHOUSE], outlets=[MODEL_CHOICE])
    def train(**context: Any) -> None:
        from pipelines.operate.stage_process import run_stage_process

        run_stage_process("train", session_of(context))

    train()
