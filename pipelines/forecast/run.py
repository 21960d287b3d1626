"""The run that a forecast begins: its identity, and its row in the store."""

import datetime as dt
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from models.declaration import Table
from models.store_explanations import FORECAST_ATTRIBUTION
from models.store_forecasts import FORECAST
from models.store_runs import ADVICE_RUN
from models.vocabulary import RunStatus
from pipelines.lineage import RunIdentity, code_version, json_digest
from pipelines.model_choices import ModelChoice
from pipelines.rebalance.policy import POLICY
from pipelines.settings import Settings
from pipelines.store import connect, insert, tables, utc_now
from pipelines.store.one_source import require_runs_of
from pipelines.store.run_rows import delete_runs
from pipelines.warehouse import WarehouseBuild

_FORECAST_TABLES = (FORECAST, FORECAST_ATTRIBUTION)
"""What the forecast stage writes of a run."""


def config_hash(settings: Settings) -> str:
    """Return the digest of the settings and rules that change what a run advises."""
    return json_digest(
        {
            "policy": POLICY.digest(),
            "seed": settings.seed,
            "training_profile": settings.training_profile,
        }
    )


def identify(settings: Settings, build: WarehouseBuild, choice: ModelChoice) -> RunIdentity:
    """Return the identity of the run that this build and this model make now.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    with connect(settings) as connection:
        history = history_hash(connection, build.source, build.session_date)
    return RunIdentity(
        source=build.source,
        session_date=build.session_date,
        data_snapshot=build.data_snapshot,
        feature_hash=build.feature_hash,
        model_name=choice.model_name,
        model_version=choice.model_version,
        mlflow_run_id=choice.mlflow_run_id,
        config_hash=config_hash(settings),
        history_hash=history,
        code_version=code_version(),
    )


def history_hash(connection: sa.Connection, source: str, session: dt.date) -> str:
    """Return the digest of the runs that are published for sessions before this one."""
    run = tables["advice_run"]
    earlier = sa.select(run.c.run_id).where(
        run.c.status == RunStatus.PUBLISHED.value,
        run.c.source == source,
        run.c.session_date < session,
    )
    return json_digest(sorted(connection.execute(earlier).scalars()))


def status_of(connection: sa.Connection, run_id: str) -> RunStatus | None:
    """Return where a run stands, or None where there is none of that key."""
    run = tables["advice_run"]
    status = connection.execute(sa.select(run.c.status).where(run.c.run_id == run_id)).scalar()
    return RunStatus(status) if status else None


def begin(connection: sa.Connection, identity: RunIdentity) -> None:
    """Write the run's row; one of the session that was begun but never published, is removed.

    Raises
    ------
    StoreError
        The store holds runs of another source.
    """
    require_runs_of(connection, identity.source)
    _remove_unpublished(connection, identity.session_date)
    row = {
        **asdict(identity),
        "run_id": identity.run_id,
        "status": RunStatus.BUILDING.value,
        "started_at": utc_now(),
        "published_at": None,
        "supersedes": _published(connection, identity.session_date),
    }
    insert(connection, ADVICE_RUN, [row])


def begin_with_known_forecasts(connection: sa.Connection, identity: RunIdentity) -> None:
    """Begin a run with the forecasts of one that differs from it in nothing but earlier advice.

    Forecasts do not depend on the advice of earlier sessions, only the run's identity does. In a
    backfill they are made while the session before is still being advised on. Nothing is done
    where the run exists, or where there is no such other one.
    """
    if status_of(connection, identity.run_id) is not None:
        return
    run = tables["advice_run"]
    same = asdict(identity)
    del same["history_hash"]
    others = sa.select(run.c.run_id).where(*(run.c[name] == value for name, value in same.items()))
    # Which one does not matter: the same inputs made the same forecasts.
    other = connection.execute(others.limit(1)).scalar()
    if other is None:
        return
    known = [(each, _rows_of(connection, each, other)) for each in _FORECAST_TABLES]
    begin(connection, identity)
    for declared, rows in known:
        insert(connection, declared, [{**row, "run_id": identity.run_id} for row in rows])


def _rows_of(connection: sa.Connection, declared: Table, run_id: str) -> list[dict[str, Any]]:
    table = tables[declared.name]
    found = connection.execute(sa.select(table).where(table.c.run_id == run_id))
    return [dict(row) for row in found.mappings()]


def _remove_unpublished(connection: sa.Connection, session: dt.date) -> None:
    run = tables["advice_run"]
    unpublished = sa.select(run.c.run_id).where(
        run.c.session_date == session,
        run.c.status == RunStatus.BUILDING.value,
    )
    delete_runs(connection, list(connection.execute(unpublished).scalars()))


def _published(connection: sa.Connection, session: dt.date) -> str | None:
    run = tables["advice_run"]
    query = (
        sa.select(run.c.run_id)
        .where(
            run.c.session_date == session,
            run.c.status == RunStatus.PUBLISHED.value,
        )
        .order_by(run.c.published_at.desc())
        .limit(1)
    )
    run_id: str | None = connection.execute(query).scalar()
    return run_id
