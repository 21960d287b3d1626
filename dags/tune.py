"""### Tune: search the network's settings with many workers

`begin` makes the search, or goes on with it, and cuts the trials that are left into shares; each
share is a mapped task that any worker takes, one trial after the other, from one database
(`SMARTINVEST_SEARCH_URL`). The trials come out the same however many shares there are. `finish`
says which settings are best. The next training of the same session and code whose profile is
`full` (`SMARTINVEST_TRAINING_PROFILE`) finds the search done and uses it; `quick` searches nothing.

**Starts** by hand only: *Trigger* shows the form. It needs the session's warehouse build.
**See how far it is** in the logs of `trials`, and in MLflow once a training uses the search.
**Run it again** at any time: settled trials stay, and one whose worker was killed is tried again.
**Updates** no asset.
"""

import datetime as dt
from typing import Any

from airflow.sdk import DAG, Param, TriggerRule, task
from smartinvest_dags import (
    LARGE_TRAINING,
    SESSION,
    TRAINING_QUEUE,
    policy_beside,
    session_of,
)

from models.vocabulary import TrainingProfile
from pipelines.operate.pools import TRAININGS

PROFILE = TrainingProfile.FULL

with DAG(
    "tune",
    schedule=None,
    description="Search the network's settings with many workers",
    params={
        "session": SESSION,
        "shares": Param(
            2,
            type="integer",
            minimum=1,
            maximum=64,
            title="Shares",
            description="How many tasks take trials at once; as many as there are machines for "
            "trainings is best. The pool `trainings` limits them too.",
        ),
    },
    doc_md=__doc__,
    tags=["smartinvest", "models", "by hand"],
    **policy_beside(LARGE_TRAINING / dt.timedelta(hours=1)),
):

    @task(queue=TRAINING_QUEUE)
    def begin(**context: Any) -> list[str]:
        from pipelines.forecast import begin_tuning
        from pipelines.settings import load_settings

        tuning = begin_tuning(load_settings(training_profile=PROFILE), session_of(context))
        return [str(trials) for trials in tuning.shares(context["params"]["shares"])]

    @task(
        queue=TRAINING_QUEUE,
        pool=TRAININGS.name,
        execution_timeout=LARGE_TRAINING,
        map_index_template="{{ task.op_kwargs['most'] }} trials",
    )
    def trials(most: str, **context: Any) -> None:
        from pipelines.operate.stage_process import run_stage_process

        run_stage_process("tune", session_of(context), "--trials", most, "--profile", PROFILE.value)

    # None are left where the search was over: then the trials are skipped, and what it found holds.
    @task(queue=TRAINING_QUEUE, trigger_rule=TriggerRule.NONE_FAILED)
    def finish(**context: Any) -> dict[str, Any]:
        from pipelines.forecast import finish_tuning
        from pipelines.settings import load_settings

        report = finish_tuning(load_settings(training_profile=PROFILE), session_of(context))
        return {
            "trial": report.best_trial,
            "settings": dict(report.settings),
            "held_out_loss": report.held_out_loss,
            "states": dict(report.states),
        }

    shares: Any = begin()
    trials.expand(most=shares) >> finish()
