"""A run's row in the store: finding it, and publishing everything of it in one transaction."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from models.store_inputs import INSTRUMENT, MARKET_PRICE
from models.store_outputs import (
    CLIENT_OUTCOME,
    SNAPSHOT_FILE,
    TARGET_ALLOCATION,
    TRADE,
    TRADE_REASON,
)
from models.vocabulary import HORIZON_SESSIONS, RunStatus
from pipelines.errors import RebalanceError
from pipelines.rebalance import rows
from pipelines.rebalance.advisor import Advice
from pipelines.rebalance.market import Market
from pipelines.rebalance.outlook import Forecast
from pipelines.store import insert, tables, upsert, utc_now

_ADVISORY_LOCK = 0x5317_0002


@dataclass(frozen=True)
class Run:
    """A row of ``advice_run`` as the forecast stage began it."""

    run_id: str
    source: str
    session_date: dt.date
    data_snapshot: str
    status: str


def find_run(
    connection: sa.Connection, source: str, session: dt.date, data_snapshot: str, feature_hash: str
) -> Run:
    """Return the run that was begun last for a session on the data of its warehouse build.

    Raises
    ------
    RebalanceError
        The forecast stage has begun none.
    """
    run = tables["advice_run"]
    found = connection.execute(
        sa.select(run.c.run_id, run.c.status)
        .where(
            run.c.source == source,
            run.c.session_date == session,
            run.c.data_snapshot == data_snapshot,
            run.c.feature_hash == feature_hash,
        )
        .order_by(run.c.started_at.desc(), run.c.run_id)
        .limit(1)
    ).one_or_none()
    if found is None:
        raise RebalanceError(
            "session",
            session,
            "there are no forecasts on its newest warehouse build",
            f"Run `smartinvest forecast --session {session}` first.",
        )
    return Run(found.run_id, source, session, data_snapshot, found.status)


def serving_forecasts(connection: sa.Connection, run_id: str) -> list[Forecast]:
    """Return the forecasts over the horizon that serve a run, in symbol order.

    Raises
    ------
    RebalanceError
        The run has none.
    """
    forecast = tables["forecast"]
    found = connection.execute(
        sa.select(
            forecast.c.symbol,
            forecast.c.expected_log_return,
            forecast.c.stdev_log_return,
            forecast.c.confidence,
        ).where(
            forecast.c.run_id == run_id,
            forecast.c.serves == sa.true(),
            forecast.c.horizon_sessions == HORIZON_SESSIONS,
        )
    ).all()
    if not found:
        raise RebalanceError(
            "run",
            run_id,
            f"no forecast over {HORIZON_SESSIONS} sessions serves it",
            "Run `smartinvest forecast` again.",
        )
    forecasts = [
        Forecast(row.symbol, row.expected_log_return, row.stdev_log_return, row.confidence)
        for row in found
    ]
    return sorted(forecasts, key=lambda row: row.symbol)


def publish(
    connection: sa.Connection,
    run: Run,
    market: Market,
    advice: Sequence[Advice],
    snapshot_files: Iterable[rows.Row],
    valid_until: dt.date,
) -> bool:
    """Write everything of a run and make it visible; the caller's transaction makes it atomic.

    Returns
    -------
    Whether it was written; another process may have published the same run in the meantime.
    """
    _become_only_publisher(connection)
    table = tables["advice_run"]
    this_run = table.c.run_id == run.run_id
    status = sa.select(table.c.status).where(this_run)
    if connection.execute(status).scalar_one() != RunStatus.BUILDING:
        return False
    if not _later_session_is_published(connection, run):
        upsert(connection, INSTRUMENT, rows.instrument_rows(market))
        upsert(connection, MARKET_PRICE, rows.price_rows(market, run.data_snapshot))
    upsert(connection, SNAPSHOT_FILE, snapshot_files)
    insert(connection, CLIENT_OUTCOME, rows.outcome_rows(run.run_id, advice))
    insert(connection, TARGET_ALLOCATION, rows.allocation_rows(run.run_id, market, advice))
    insert(connection, TRADE, rows.trade_rows(run.run_id, market, advice, valid_until))
    insert(connection, TRADE_REASON, rows.reason_rows(run.run_id, market, advice))
    connection.execute(
        table.update()
        .where(this_run)
        .values(
            status=RunStatus.PUBLISHED,
            published_at=utc_now(),
            supersedes=_supersede(connection, run),
        )
    )
    return True


def _become_only_publisher(connection: sa.Connection) -> None:
    # An SQLite writer already is the only one.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def _later_session_is_published(connection: sa.Connection, run: Run) -> bool:
    table = tables["advice_run"]
    later = sa.select(table.c.run_id).where(
        table.c.status == RunStatus.PUBLISHED, table.c.session_date > run.session_date
    )
    return connection.execute(later.limit(1)).first() is not None


def _supersede(connection: sa.Connection, run: Run) -> str | None:
    """Withdraw the session's published run, if there is one, and return its key."""
    table = tables["advice_run"]
    published = sa.and_(
        table.c.status == RunStatus.PUBLISHED,
        table.c.source == run.source,
        table.c.session_date == run.session_date,
    )
    previous = connection.execute(sa.select(table.c.run_id).where(published)).scalar()
    connection.execute(table.update().where(published).values(status=RunStatus.SUPERSEDED))
    return previous
