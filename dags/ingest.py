"""### Ingest: market data of one session into the lake

`ingest` asks the source (`SMARTINVEST_SOURCE`) for prices and appends what is new or restated to
the raw lake. `check` holds it against the expectations; rows and symbols that fail go to
quarantine with the reason, the rest is accepted.

**Start it** with a session as partition key or parameter; the whole chain follows by itself.
**Run it again** at any time: what is already in the lake is not written twice.
**Updates** the asset `market_data` for the session, which starts `warehouse`.
"""

from typing import Any

from airflow.sdk import DAG, Param, task
from exchange_sessions import ExchangeSessionTimetable
from smartinvest_dags import MARKET_DATA, POLICY, SESSION_PATTERN, session_of

SESSION = Param(
    None,
    type=["null", "string"],
    pattern=SESSION_PATTERN,
    description="Exchange session to ingest, YYYY-MM-DD; leave empty if the partition key says it.",
)

with DAG(
    "ingest",
    schedule=ExchangeSessionTimetable(),
    params={"session": SESSION},
    doc_md=__doc__,
    tags=["smartinvest", "lake"],
    **POLICY,
):

    @task
    def ingest(**context: Any) -> None:
        from pipelines.ingest import ingest
        from pipelines.settings import load_settings

        ingest(load_settings(), session_of(context))

    @task(outlets=[MARKET_DATA])
    def check(**context: Any) -> None:
        from pipelines.quality import check
        from pipelines.settings import load_settings

        session = session_of(context)
        check(load_settings(), session)
        context["outlet_events"][MARKET_DATA].add_partitions(session.isoformat())

    ingest() >> check()
