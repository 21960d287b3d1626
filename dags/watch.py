"""### Watch: is anything late that no run is left to notice?

Looks whether the polled source has delivered of late, and whether the advice of the newest session
that is due is published (`SMARTINVEST_ADVICE_DUE_HOURS` after its close), and tells it if not. The
deadlines of the chain's runs tell the same, earlier or at the same moment, and nothing is told
twice; but where a DAG is paused, or its file does not parse, there is no run that could be late.

**Starts** by itself every hour, where Airflow stays up. Of a source that is not polled (`sample`,
`files`) nothing is ever late.
**When it tells something**, the page *Operations* shows where the chain stands: mend and clear what
is red, start what is paused. The task itself succeeds.
**Run it again** at any time.
**Updates** no asset.
"""

from typing import Any

from airflow.sdk import DAG, task
from alerts import tell_lateness
from smartinvest_dags import policy_beside
from standing_times import StandingTimetable

with DAG(
    "watch",
    schedule=StandingTimetable("15 * * * *", timezone="UTC"),
    description="Tell what is late where no run is left to notice",
    doc_md=__doc__,
    tags=["smartinvest", "upkeep"],
    **policy_beside(),
):

    @task
    def watch(**context: Any) -> None:
        tell_lateness(context)

    watch()
