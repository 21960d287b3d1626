"""### Ingest: market data of one session into the lake

`plan` stores what there is only once (instruments, universe, macro series) and cuts the source's
symbols into batches. `ingest` asks the source (`SMARTINVEST_SOURCE`) for the bars and actions of
one batch and appends what is new or restated to the raw lake; the pool of the source says how many
batches run at the same time. `check` sums up and holds all of it against the expectations; rows and
symbols that fail go to quarantine with the reason, the rest is accepted. A polled source that
refuses is asked again for four hours. A batch that fails for good freezes its own symbols, not the
run: the chain goes on without their new bars, and `check` says so.

**Starts** by itself for each session of the exchange, four hours after its close, where the source
is polled (`yahoo`). For any source: trigger it with a session as partition key or parameter, or
backfill it, which makes one run per session. The whole chain follows by itself.
**Run it again** at any time: what is already in the lake is not written twice.
**Updates** the asset `market_data` for the session, which starts `warehouse`.
"""

import datetime as dt
import logging
from typing import Any

from airflow.sdk import DAG, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from exchange_sessions import ExchangeSessionTimetable
from retry_policy import patience_with
from smartinvest_dags import MARKET_DATA, POLICY, SESSION, session_of, tell

from pipelines.operate.pools import pool_name
from pipelines.sessions import FIRST_DATE
from pipelines.settings import load_settings

logger = logging.getLogger(__name__)

SOURCE = load_settings().source

with DAG(
    "ingest",
    schedule=ExchangeSessionTimetable(),
    description="Market data of one session into the lake, checked",
    params={"session": SESSION},
    doc_md=__doc__,
    tags=["smartinvest", "lake"],
    # Airflow wants a date to catch up from; how far back the timetable goes is its own rule.
    start_date=dt.datetime.combine(FIRST_DATE, dt.time(), dt.UTC),
    **{**POLICY, "catchup": True},
):

    @task
    def plan(**context: Any) -> list[list[str]]:
        from pipelines.ingest import plan

        batches = plan(load_settings(), session_of(context))
        if not batches:
            # Else every task after this one would be skipped, and the run would count as success.
            raise AirflowFailException("The source has no symbols to ask for.")
        return [list(symbols) for symbols in batches]

    @task(pool=pool_name(SOURCE), map_index_template="{{ batch }}", **patience_with(SOURCE))
    def ingest(symbols: list[str], **context: Any) -> dict[str, Any]:
        from pipelines.ingest import ingest_batch

        # Airflow names the mapped task by it; this function's context is only a copy.
        name: Any = get_current_context()
        name["batch"] = f"{symbols[0]} to {symbols[-1]}, {len(symbols)} symbols"
        return ingest_batch(load_settings(), session_of(context), symbols).plain()

    @task(outlets=[MARKET_DATA], trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    def check(batches: list[list[str]], reports: list[dict[str, Any]], **context: Any) -> None:
        from pipelines.ingest import BatchReport, finish
        from pipelines.quality import check

        settings, session = load_settings(), session_of(context)
        if failed := len(batches) - len(reports):
            logger.warning(
                "%d of %d batches failed; their symbols keep the bars that they have",
                failed,
                len(batches),
            )
        finish(settings, session, [BatchReport.of_plain(report) for report in reports])
        check(settings, session)
        tell(context, MARKET_DATA)

    batches: Any = plan()
    reports: Any = ingest.expand(symbols=batches)
    check(batches, reports)
