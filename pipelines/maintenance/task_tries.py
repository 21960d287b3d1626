"""Notes of task tries: those that say how an advice run came about stay with it."""

import sqlalchemy as sa

from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention
from pipelines.settings import Settings
from pipelines.store import connect, tables, transaction


def remove_tries(settings: Settings, rule: Retention) -> list[Removal]:
    """Remove old rows of ``task_lineage`` of which no advice run is, nor any of their session.

    Raises
    ------
    StoreError
        The store cannot be read or written; nothing is removed then.
    """
    task, run = tables["task_lineage"], tables["advice_run"]
    # The DAGs before the run had a key are those of its session.
    is_before_a_run = sa.and_(
        task.c.advice_run_id.is_(None), run.c.session_date == task.c.session_date
    )
    is_of_a_run = sa.exists().where(
        run.c.source == task.c.source,
        sa.or_(run.c.run_id == task.c.advice_run_id, is_before_a_run),
    )
    is_old = (
        task.c.source == settings.source.value,
        sa.func.coalesce(task.c.ended_at, task.c.started_at) < rule.before,
    )
    with connect(settings) if rule.dry_run else transaction(settings) as store:
        count = sa.select(sa.func.count()).select_from(task).where(*is_old)
        needed = store.execute(count.where(is_of_a_run)).scalar_one()
        removed = store.execute(count.where(~is_of_a_run)).scalar_one()
        if not rule.dry_run:
            store.execute(sa.delete(task).where(*is_old, ~is_of_a_run))
    return [Removal("notes of task tries", removed, needed=needed)]
