"""### Train: which model serves this session

Scores the forecasts that are realised by now, and looks whether a new training is due: by the age
of the last one, by what became of its forecasts, or by features that drifted. Then either trains
all models anew or keeps what is in service, and writes the choice for the session either way.

**Starts** when `warehouse` was updated for a session.
**`monitor`** decides, and says why in its log and in the table `model_check`. After it either
**`retrain`** or **`keep`** runs; the other one is skipped. Both run `smartinvest train`, so what a
person put back into service (`smartinvest models rollback`) comes first in either.
**See how far a training is** in the log of `retrain`: part, epoch, loss and time left; in MLflow
its run is there from the beginning. It runs in a process of its own, because TensorFlow deadlocks
in forked task processes. A training that was killed goes on where it was: clear the task.
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

    @task.branch(inlets=[WAREHOUSE])
    def monitor(**context: Any) -> str:
        from pipelines.monitor import monitor
        from pipelines.settings import load_settings

        check = monitor(load_settings(), session_of(context))
        return "retrain" if check.retraining_due else "keep"

    @task(inlets=[WAREHOUSE], outlets=[MODEL_CHOICE])
    def retrain(**context: Any) -> None:
        from pipelines.operate.stage_process import run_stage_process

        run_stage_process("train", session_of(context))

    @task(inlets=[WAREHOUSE], outlets=[MODEL_CHOICE])
    def keep(**context: Any) -> None:
        from pipelines.operate.stage_process import run_stage_process

        run_stage_process("train", session_of(context))

    monitor() >> [retrain(), keep()]
