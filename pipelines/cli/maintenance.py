"""Upkeep of a home: merge, remove what is old, and say what was removed."""

import datetime as dt
from typing import Annotated

import typer

from pipelines.cli.common import SourceOption, out, prepare_store

app = typer.Typer()

DAYS = 30
METADATA_DAYS = 90


@app.command()
def maintain(
    days: Annotated[int, typer.Option(min=1, help="Keep what is younger.")] = DAYS,
    metadata_days: Annotated[
        int, typer.Option(min=1, help="Of the embedded Airflow's own database.")
    ] = METADATA_DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    source: SourceOption = None,
) -> None:
    """Merge the lake's files and remove what is old and no published run needs."""
    settings = prepare_store(source=source)
    from pipelines.maintenance import Removal, maintain, retention
    from pipelines.maintenance.report import report_text
    from pipelines.operate.airflow_metadata import clean_metadata, metadata_url

    now = dt.datetime.now(dt.UTC)
    removals = maintain(settings, retention(days, now, dry_run=dry_run))
    if url := metadata_url(settings):
        before = retention(metadata_days, now).before
        rows = clean_metadata(url, before, dry_run=dry_run)
        removals.append(Removal("rows of Airflow's database", sum(rows.values())))
    out.print(report_text(removals, dry_run=dry_run), markup=False)
