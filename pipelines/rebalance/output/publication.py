"""A run in the store: where it stands, its forecasts, and its publication in one transaction."""

import datetime as dt
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from models.store_advice import CLIENT_OUTCOME, TARGET_ALLOCATION
from models.store_inputs import INSTRUMENT, MARKET_PRICE
from models.store_runs import SNAPSHOT_FILE
from models.store_trades import TRADE, TRADE_REASON
from models.vocabulary import HORIZON_SESSIONS, RunStatus
from pipelines.errors import RebalanceError
from pipelines.forecast.run import history_hash, status_of
from pipelines.lineage import RunIdentity
from pipelines.rebalance.advisor import Advice
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Forecast
from pipelines.rebalance.output import rows
from pipelines.store import insert, tables, upsert, utc_now


def require_status(connection: sa.Connection, identity: RunIdentity) -> RunStatus:
    """Return where a run stands.

    Raises
    ------
    RebalanceError
        The forecast stage has not begun it.
    """
    status = status_of(connection, identity.run_id)
    if status is None:
        model = f"{identity.model_name} {identity.model_version}"
        raise RebalanceError(
            "session",
            identity.session_date,
            f"it has no forecasts of {model} from the present data, settings and code",
            f"Run `smartinvest forecast --session {identity.session_date}` first.",
        )
    return status


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
    identity: RunIdentity,
    market: Market,
    advice: Sequence[Advice],
    snapshot_files: Iterable[rows.Row],
    valid_until: dt.date,
) -> bool:
    """Write everything of a run and make it visible; the caller's transaction makes it atomic.

    Returns
    -------
    Whether it was written; another process may have published the same run in the meantime.

    Raises
    ------
    RebalanceError
        Newer forecasts took the place of the run in the meantime, or an earlier session's advice
        changed.
    """
    if require_status(connection, identity) is not RunStatus.BUILDING:
        return False
    _require_history(connection, identity)
    run_id = identity.run_id
    if not _later_session_is_published(connection, identity.session_date):
        upsert(connection, INSTRUMENT, rows.instrument_rows(market))
        upsert(connection, MARKET_PRICE, rows.price_rows(market, identity.data_snapshot))
    upsert(connection, SNAPSHOT_FILE, snapshot_files)
    insert(connection, CLIENT_OUTCOME, rows.outcome_rows(run_id, advice))
    insert(connection, TARGET_ALLOCATION, rows.allocation_rows(run_id, market, advice))
    insert(connection, TRADE, rows.trade_rows(run_id, market, advice, valid_until))
    insert(connection, TRADE_REASON, rows.reason_rows(run_id, market, advice))
    _make_visible(connection, identity)
    return True


def reinstate(connection: sa.Connection, identity: RunIdentity) -> bool:
    """Make a superseded run the session's advice again, where its inputs are back.

    Returns
    -------
    Whether it was superseded.

    Raises
    ------
    RebalanceError
        An earlier session's advice changed in the meantime.
    """
    if require_status(connection, identity) is not RunStatus.SUPERSEDED:
        return False
    _require_history(connection, identity)
    _make_visible(connection, identity)
    return True


def _require_history(connection: sa.Connection, identity: RunIdentity) -> None:
    session = identity.session_date
    if history_hash(connection, identity.source, session) != identity.history_hash:
        raise RebalanceError(
            "session",
            session,
            "the advice of a session before it was published anew in the meantime",
            f"Run `smartinvest forecast --session {session}` and `rebalance` again.",
        )


def _make_visible(connection: sa.Connection, identity: RunIdentity) -> None:
    """Withdraw the session's published run, if there is one, and show this one instead."""
    run = tables["advice_run"]
    published = sa.and_(
        run.c.status == RunStatus.PUBLISHED,
        run.c.source == identity.source,
        run.c.session_date == identity.session_date,
    )
    previous = connection.execute(sa.select(run.c.run_id).where(published)).scalar_one_or_none()
    connection.execute(run.update().where(published).values(status=RunStatus.SUPERSEDED))
    connection.execute(
        run.update()
        .where(run.c.run_id == identity.run_id)
        .values(status=RunStatus.PUBLISHED, published_at=utc_now(), supersedes=previous)
    )


def _later_session_is_published(connection: sa.Connection, session: dt.date) -> bool:
    run = tables["advice_run"]
    later = sa.select(run.c.run_id).where(
        run.c.status == RunStatus.PUBLISHED, run.c.session_date > session
    )
    return connection.execute(later.limit(1)).first() is not None
