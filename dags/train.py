"""### Train: which model serves this session

Trains all models anew where the session's check asks for it, keeps what is in service where it does
not, and writes the choice for the session either way.

**Starts** when `model_check` was updated for a session.
**`decide`** reads the check; where another model has come into service since, as in a backfill, it
makes it anew. After it either **`retrain`** or **`keep`** runs; the other one is
skipped. Both run `smartinvest train`, so what a person put back into service
(`smartinvest models rollback`) comes first in either.
**See how far a training is** in the log of `retrain`: part, epoch, loss and time left; in MLflow
its run is there from the beginning. It runs in a process of its own, because TensorFlow deadlocks
in forked task processes. A training that was killed goes on where it was: clear the task.
**Run it again** at any time: a session that has its choice keeps it.
**Updates** the asset `model_choice` for the session, which starts `forecast`.
"""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from smartinvest_dags import (
    LARGE_TRAINING,
    MODEL_CHECK,
    MODEL_CHOICE,
    POLICY,
    SESSION,
    TRAINING_QUEUE,
    WAREHOUSE,
    session_of,
    tell,
)

from pipelines.operate.pools import TRAININGS

with DAG(
    "train",
    schedule=PartitionedAssetTimetable(assets=MODEL_CHECK),
    description="Retrain where the check asks for it, else keep what serves",
    params={"session": SESSION},
    doc_md=__doc__,
    tags=["smartinvest", "models"],
    **POLICY,
):

    @task.branch(inlets=[MODEL_CHECK])
    def decide(**context: Any) -> str:
        from pipelines.monitor import current_check
        from pipelines.settings import load_settings

        check = current_check(load_settings(), session_of(context))
        return "retrain" if check.retraining_due else "keep"

    @task(
        inlets=[WAREHOUSE, MODEL_CHECK],
        outlets=[MODEL_CHOICE],
        queue=TRAINING_QUEUE,
        pool=TRAININGS.name,
        execution_timeout=LARGE_TRAINING,
    )
    def retrain(**context: Any) -> None:
        _train(context)

    @task(inlets=[WAREHOUSE, MODEL_CHECK], outlets=[MODEL_CHOICE], queue=TRAINING_QUEUE)
    def keep(**context: Any) -> None:
        _train(context)

    def _train(context: Any) -> None:
        from pipelines.operate.stage_process import run_stage_process

        run_stage_process("train", session_of(context))
        tell(context, MODEL_CHOICE)

    decide() >> [retrain(), keep()]
