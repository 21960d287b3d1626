"""### Replay: is a published run what its recorded inputs make?

Makes a past run again from its manifest, its forecasts and the earlier runs it went on from, in a
folder of its own, and compares every row with the store's. A run that cannot be made again to the
bit fails the task, whose log lists the rows that differ. Nothing is published or changed.

**Starts** by itself on the morning after each session (Tuesday to Saturday, 06:00 UTC), where
Airflow stays up, for the newest published run: a self-check. By hand: *Trigger*, with a run's key.
**When rows differ**, look at the notes first: another release of the code, or other rules, may well
make another run of the same inputs. If there are none, the store, the lake or the code is not what
it was.
**Run it again** at any time.
**Updates** no asset.
"""

import logging
from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowSkipException
from smartinvest_dags import WAREHOUSE_QUEUE, policy_beside
from standing_times import StandingTimetable

from pipelines.operate.pools import BUILDS

logger = logging.getLogger(__name__)

with DAG(
    "replay",
    schedule=StandingTimetable("0 6 * * 2-6", timezone="UTC"),
    description="Make a published run again and compare every row",
    params={
        "run_id": Param(
            None,
            type=["null", "string"],
            pattern="^[0-9a-f]{4,32}$",
            title="Run",
            description="Key of a published run (`advice_run.run_id`), or its first digits; empty "
            "for the newest one.",
        )
    },
    doc_md=__doc__,
    tags=["smartinvest", "upkeep"],
    **policy_beside(),
):

    @task(queue=WAREHOUSE_QUEUE, pool=BUILDS.name)
    def replay(**context: Any) -> None:
        import os

        from pipelines.settings import load_settings

        settings = load_settings()
        os.environ.update(settings.libraries_environment())
        from pipelines.replay import difference_of, newest_run, replay, replay_text

        run_id = context["params"]["run_id"] or newest_run(settings)
        if run_id is None:
            raise AirflowSkipException("Nothing is published yet.")
        found = replay(settings, run_id)
        if found.differences:
            logger.error("%s", replay_text(found))
            raise difference_of(found)

    replay()
