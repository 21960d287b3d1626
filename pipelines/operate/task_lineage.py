"""Write to the store which try of which task worked on what, as Airflow's listeners tell it.

Nothing here may stop a task or hold it up: a store that is down or busy costs it a few seconds and
the note.
"""

import datetime as dt
import functools
import json
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from models.store_lineage import TASK_LINEAGE
from models.vocabulary import RunStatus, TaskState
from pipelines.errors import SmartInvestError
from pipelines.lineage import code_version
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

FORECASTS, ADVICE = "forecasts", "advice"
MODEL_CHOICE, WAREHOUSE = "model_choice", "warehouse"


@dataclass(frozen=True)
class TaskTry:
    """One try of a task, as Airflow names it; it is on none of the sessions if ``session`` is None.

    Parameters
    ----------
    map_index : -1 where the task is not mapped.
    inlets, outlets : names of the assets that it reads and updates.
    makes_advice : whether its DAG reads or updates an asset that is an advice run.
    """

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int
    try_number: int
    session: dt.date | None
    inlets: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    makes_advice: bool = False


@dataclass(frozen=True)
class AssetVersion:
    """What an asset stood at for a session; ``version`` is None where nothing says it.

    ``version`` is a warehouse build, a training's MLflow run or an advice run. ``data_snapshot`` is
    the digest of the data that it was made from; of a build, its first digits.
    """

    asset: str
    session: str | None
    version: str | None = None
    data_snapshot: str | None = None


def note_begin(settings: Settings, task: TaskTry, started_at: dt.datetime) -> None:
    """Note that a try began, and what it reads."""
    _unless_the_store_is_away(
        lambda connection: _write(connection, settings, task, TaskState.RUNNING, started_at, None),
        settings,
        task,
    )


def note_end(
    settings: Settings,
    task: TaskTry,
    state: TaskState,
    started_at: dt.datetime | None,
    ended_at: dt.datetime,
) -> None:
    """Note how a try ended, what it made, and the advice run it belongs to."""
    _unless_the_store_is_away(
        lambda connection: _write(connection, settings, task, state, started_at, ended_at),
        settings,
        task,
    )


def note_verdict(
    settings: Settings, task: TaskTry, state: TaskState, ended_at: dt.datetime
) -> None:
    """Note what became of a try that did not tell itself: it was killed, or a person decided."""
    table = _table()
    running = sa.and_(
        *(
            table.c[name] == getattr(task, name)
            for name in ("dag_id", "dag_run_id", "task_id", "map_index")
        ),
        table.c.state == TaskState.RUNNING,
    )
    update = sa.update(table).where(running).values(state=state, ended_at=ended_at)
    _unless_the_store_is_away(lambda connection: connection.execute(update), settings, task)


def versions(
    connection: sa.Connection, settings: Settings, session: dt.date | None, assets: Sequence[str]
) -> list[AssetVersion]:
    """Return what assets stand at for a session, in the given order."""
    if session is None:
        return [AssetVersion(name, None) for name in assets]
    return [_version(connection, settings, session, name) for name in assets]


def _version(
    connection: sa.Connection, settings: Settings, session: dt.date, asset: str
) -> AssetVersion:
    from pipelines.store import tables

    day = session.isoformat()
    if asset == WAREHOUSE:
        return _build(settings, session)
    if asset == MODEL_CHOICE:
        choice = tables["model_choice"]
        training = connection.scalar(
            sa.select(choice.c.training_run_id).where(
                choice.c.source == settings.source, choice.c.session_date == session
            )
        )
        return AssetVersion(asset, day, training)
    if asset in (FORECASTS, ADVICE):
        run = tables["advice_run"]
        published = run.c.status == RunStatus.PUBLISHED
        found = connection.execute(
            sa.select(run.c.run_id, run.c.data_snapshot)
            .where(
                run.c.session_date == session,
                run.c.source == settings.source,
                published if asset == ADVICE else sa.true(),
            )
            .order_by(run.c.started_at.desc())
            .limit(1)
        ).one_or_none()
        if found is not None:
            return AssetVersion(asset, day, found.run_id, found.data_snapshot)
    return AssetVersion(asset, day)


def _build(settings: Settings, session: dt.date) -> AssetVersion:
    from pipelines.warehouse.places import pointed_name
    from pipelines.warehouse.publication import manifest_prefix

    name = pointed_name(settings, session)
    # A build is named after its data.
    return AssetVersion(
        WAREHOUSE, session.isoformat(), name, manifest_prefix(name) if name else None
    )


def _write(
    connection: sa.Connection,
    settings: Settings,
    task: TaskTry,
    state: TaskState,
    started_at: dt.datetime | None,
    ended_at: dt.datetime | None,
) -> None:
    """Write a row, or what became known of it since; inlets stay as they were at the beginning."""
    from pipelines.store import upsert

    before = connection.execute(
        sa.select(_table().c.inlets, _table().c.started_at).where(
            *(_table().c[name] == getattr(task, name) for name in TASK_LINEAGE.key)
        )
    ).one_or_none()
    ended = ended_at is not None
    run = versions(connection, settings, task.session, [FORECASTS])[0].version
    made = task.session if state is TaskState.SUCCESS else None
    outlets = versions(connection, settings, made, task.outlets)
    read = versions(connection, settings, task.session, task.inlets)
    row: dict[str, Any] = {name: getattr(task, name) for name in TASK_LINEAGE.key}
    row |= {
        "source": settings.source.value,
        "session_date": task.session,
        "state": state.value,
        "started_at": started_at or (before.started_at if before else None),
        "ended_at": ended_at,
        "advice_run_id": run if ended and task.makes_advice else None,
        "inlets": before.inlets if before and ended else _json(read),
        "outlets": _json(outlets),
        "host": socket.gethostname(),
        "code_version": code_version(),
    }
    upsert(connection, TASK_LINEAGE, [row])


def _json(assets: Sequence[AssetVersion]) -> str:
    return json.dumps([vars(asset) for asset in assets])


def _table() -> sa.Table:
    from pipelines.store import tables

    return tables[TASK_LINEAGE.name]


def _unless_the_store_is_away(
    write: Callable[[sa.Connection], Any], settings: Settings, task: TaskTry
) -> None:
    from pipelines.store.engine import brief_transaction

    try:
        with brief_transaction(settings) as connection:
            write(connection)
    except (SmartInvestError, sa.exc.SQLAlchemyError, OSError) as error:
        _say_once(type(error).__name__, str(error), f"{task.dag_id}.{task.task_id}")


@functools.cache
def _say_once(kind: str, said: str, task: str) -> None:
    logger.warning("lineage of %s is not in the store: %s: %s", task, kind, said)
