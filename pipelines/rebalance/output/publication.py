"""The publication of a run whose shards are written, in one transaction."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from models.store_inputs import INSTRUMENT, MARKET_PRICE
from models.store_runs import SNAPSHOT_FILE
from models.vocabulary import RunStatus
from pipelines.errors import RebalanceError
from pipelines.forecast.run import history_hash
from pipelines.lineage import RunIdentity
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns, read_earlier_runs
from pipelines.rebalance.market.kept_outlook import forget_outlook
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.output.run_status import require_status
from pipelines.rebalance.output.shards import Cut, require_all_written
from pipelines.rebalance.output.withdrawal import withdraw_other_trades
from pipelines.store import tables, upsert, utc_now


class OutdatedRunError(RebalanceError):
    """What a run goes on from has changed while its shards were advised."""


def publish(
    connection: sa.Connection,
    identity: RunIdentity,
    market: Market,
    snapshot_files: Iterable[Mapping[str, Any]],
    cut: Cut,
    runs: EarlierRuns,
) -> bool:
    """Make a run visible whose shards are written; the caller's transaction makes it atomic.

    Parameters
    ----------
    runs : earlier runs as they stood before the first shard was read.

    Returns
    -------
    Whether it was; another process may have published the same run in the meantime.

    Raises
    ------
    OutdatedRunError
        An earlier session's advice changed in the meantime, or a broker did something.
    RebalanceError
        Newer forecasts took the place of the run in the meantime, or a shard is missing.
    """
    if require_status(connection, identity) is not RunStatus.BUILDING:
        return False
    _require_history(connection, identity)
    _require_same_orders(connection, identity, runs)
    require_all_written(connection, identity.run_id, cut)
    if not _later_session_is_published(connection, identity.session_date):
        upsert(connection, INSTRUMENT, _instrument_rows(market))
        upsert(connection, MARKET_PRICE, _price_rows(market, identity.data_snapshot))
    upsert(connection, SNAPSHOT_FILE, snapshot_files)
    forget_outlook(connection, identity.run_id)
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
        An earlier session's advice changed in the meantime, or orders of the advice that took its
        place were sent.
    """
    if require_status(connection, identity) is not RunStatus.SUPERSEDED:
        return False
    _require_history(connection, identity)
    _make_visible(connection, identity)
    return True


def _require_history(connection: sa.Connection, identity: RunIdentity) -> None:
    session = identity.session_date
    if history_hash(connection, identity.source, session) != identity.history_hash:
        raise OutdatedRunError(
            "session",
            session,
            "the advice of a session before it was published anew in the meantime",
            f"Run `smartinvest forecast --session {session}` and `rebalance` again.",
        )


def _require_same_orders(
    connection: sa.Connection, identity: RunIdentity, runs: EarlierRuns
) -> None:
    """Check that no order was sent, filled or ended while shards were read one after the other."""
    session = identity.session_date
    if read_earlier_runs(connection, identity.source, session) != runs:
        raise OutdatedRunError(
            "session",
            session,
            "orders of earlier advice were sent, filled or ended while it was advised on",
            f"Run `smartinvest rebalance --session {session}` again; only shards in which orders "
            "changed are made anew.",
        )


def _make_visible(connection: sa.Connection, identity: RunIdentity) -> None:
    """Withdraw the session's published run, if there is one, and show this one instead."""
    withdraw_other_trades(connection, identity)
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


def _instrument_rows(market: Market) -> Iterator[dict[str, Any]]:
    """Yield one row of ``instrument`` per instrument that the source describes."""
    for instrument in market.instruments.values():
        yield {name: getattr(instrument, name) for name in INSTRUMENT.column_names}


def _price_rows(market: Market, data_snapshot: str) -> Iterator[dict[str, Any]]:
    """Yield one row of ``market_price`` per instrument that has an accepted close."""
    for instrument in market.instruments.values():
        if instrument.price_micros is not None:
            yield {
                "symbol": instrument.symbol,
                "session_date": instrument.price_session_date,
                "price_micros": instrument.price_micros,
                "data_snapshot": data_snapshot,
            }
