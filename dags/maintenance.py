"""### Maintenance: merge what is small, remove what is old

Compacts the lake, and removes what is older than some days and no published run needs: runs that
were never published, notes of task tries that led to none, snapshots of client inputs that nothing
was made from, old warehouse builds and their results, work of trainings and searches that nobody
goes on with, MLflow's trash, logs, and rows of Airflow's own database (by `airflow db clean`).
`report` says what went.

**Never removed**, however old: raw market data, verdicts, and whatever a published run was made
from, so that it can be explained and replayed.
**Starts** on Sundays at 06:00 UTC where Airflow stays up, or by hand: *Trigger* shows the form. A
*dry run* only counts.
**Airflow's database** is kept from tasks. On a cluster the connection `airflow_metadata` gives it
to this one; without it those rows stay, and the report says so.
**Run it again** at any time: what is gone is gone, the rest follows.
**Updates** no asset.
"""

import datetime as dt
from typing import Any

from airflow.sdk import DAG, Param, task
from smartinvest_dags import WAREHOUSE_QUEUE, policy_beside
from standing_times import StandingTimetable

from pipelines.operate.pools import BUILDS

with DAG(
    "maintenance",
    schedule=StandingTimetable("0 6 * * 0", timezone="UTC"),
    description="Compaction, retention, clean-up of logs and metadata",
    params={
        "days": Param(
            30,
            type="integer",
            minimum=1,
            maximum=3650,
            title="Days to keep",
            description="What is younger stays: logs, results, builds, unpublished runs, trash.",
        ),
        "metadata_days": Param(
            90,
            type="integer",
            minimum=7,
            maximum=3650,
            title="Days of Airflow's history to keep",
            description="Runs, tasks, events and XComs in Airflow's own database.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Remove nothing, only say what would be removed.",
        ),
    },
    doc_md=__doc__,
    tags=["smartinvest", "upkeep"],
    **policy_beside(),
):

    def _part(name: str, context: Any, **given: Any) -> list[dict[str, Any]]:
        from pipelines.maintenance import PARTS
        from pipelines.settings import load_settings

        removals = PARTS[name](load_settings(), _rule(context, "days"), **given)
        return [removal.plain() for removal in removals]

    def _rule(context: Any, days: str) -> Any:
        from pipelines.maintenance import retention

        asked, now = context["params"], dt.datetime.now(dt.UTC)
        return retention(asked[days], now, dry_run=asked["dry_run"])

    @task
    def runs(**context: Any) -> list[dict[str, Any]]:
        return _part("runs", context) + _part("tries", context)

    # In the builders' pool: a build might name a file of the lake that is about to go.
    @task(queue=WAREHOUSE_QUEUE, pool=BUILDS.name)
    def lake(**context: Any) -> list[dict[str, Any]]:
        return _part("lake", context) + _part("snapshots", context)

    @task(queue=WAREHOUSE_QUEUE, pool=BUILDS.name)
    def builds(**context: Any) -> list[dict[str, Any]]:
        return _part("builds", context) + _part("work", context)

    @task
    def models(**context: Any) -> list[dict[str, Any]]:
        return _part("models", context) + _part("searches", context)

    @task
    def logs(**context: Any) -> list[dict[str, Any]]:
        from pathlib import Path

        from airflow.sdk.configuration import conf

        return _part("logs", context, airflow_logs=Path(conf.get("logging", "base_log_folder")))

    @task
    def metadata(**context: Any) -> list[dict[str, Any]]:
        from metadata_connection import metadata_connection

        from pipelines.maintenance import Removal
        from pipelines.operate.airflow_metadata import clean_metadata, metadata_url
        from pipelines.settings import load_settings

        what = "rows of Airflow's database"
        url = metadata_connection() or metadata_url(load_settings())
        if url is None:
            note = "no connection `airflow_metadata` gives its database to this task"
            return [Removal(what, 0, note=note).plain()]
        rule = _rule(context, "metadata_days")
        rows = clean_metadata(url, rule.before, dry_run=rule.dry_run)
        note = ", ".join(f"{table} {count:,}" for table, count in rows.items())
        return [Removal(what, sum(rows.values()), note=note).plain()]

    @task
    def report(parts: list[list[dict[str, Any]]], **context: Any) -> str:
        import logging

        from pipelines.maintenance import Removal
        from pipelines.maintenance.report import report_text

        removals = [Removal.of_plain(values) for part in parts for values in part]
        text = report_text(removals, dry_run=context["params"]["dry_run"])
        logging.getLogger(__name__).info("%s", text)
        return text

    unpublished: Any = runs()
    merged: Any = lake()
    unpublished >> merged
    parts: Any = [unpublished, merged, builds(), models(), logs(), metadata()]
    report(parts)
