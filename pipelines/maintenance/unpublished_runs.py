"""Runs that were begun and never published: nobody sees them, and they hold millions of rows."""

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention
from pipelines.settings import Settings
from pipelines.store import connect, tables, transaction
from pipelines.store.run_rows import delete_runs


def remove_unpublished(settings: Settings, rule: Retention) -> list[Removal]:
    """Remove old runs that were never published, with all that was written of them.

    Raises
    ------
    StoreError
        The store cannot be read or written; nothing is removed then.
    """
    run = tables["advice_run"]
    query = sa.select(run.c.run_id).where(
        run.c.source == settings.source.value,
        run.c.status == RunStatus.BUILDING.value,
        run.c.started_at < rule.before,
    )
    with connect(settings) if rule.dry_run else transaction(settings) as store:
        found: list[str] = list(store.execute(query).scalars())
        if found and not rule.dry_run:
            delete_runs(store, found)
    return [Removal("runs that were never published", len(found))]
