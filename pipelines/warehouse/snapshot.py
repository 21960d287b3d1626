"""Copy the client inputs that a session advises on from the SQL store into the lake."""

import datetime as dt
import logging

import pyarrow as pa
import sqlalchemy as sa

from models.declaration import Table
from models.lake import PRICES
from models.store_inputs import ACCOUNT, SNAPSHOT, WITH_ALL_VERSIONS
from pipelines.lake import FileRecord, add_file, landed_files
from pipelines.lake.summary import day_number
from pipelines.quality.clients import accepted_clients
from pipelines.sessions import available_at, session_after
from pipelines.settings import Settings
from pipelines.store import connect, read, read_current_from, tables

logger = logging.getLogger(__name__)


def snapshot_clients(settings: Settings, session: dt.date) -> list[FileRecord]:
    """Write each client input table, as one moment sees them all, and return their files.

    The newest session of the lake advises on the inputs as they are. An earlier one advises on
    those that were recorded before the bars of the session after it were known: nobody acted on
    its advice later than that. One before anybody's account was recorded is hypothetical: it
    advises the clients of today, and says so in the log.

    Unchanged inputs give the files that are already there. Identities are never copied, nor
    clients whose inputs break a rule: those stand in ``client_issue``, if they break it today.

    Raises
    ------
    StoreError, LakeError
        The store cannot be read or written, or the lake cannot be written.
    """
    before = _inputs_end(settings, session)
    with connect(settings) as connection:
        if before is not None and not _anybody(connection, before):
            logger.warning(
                "nobody's account was recorded by %s, when the session after %s was known: it "
                "advises the clients of today, not those of the time",
                f"{before:%Y-%m-%d %H:%M} UTC",
                session,
            )
            before = None
        inputs = {table.name: _read(connection, table, before) for table in SNAPSHOT}
    accepted = accepted_clients(settings, inputs, are_current=before is None)
    return [
        add_file(settings, table, accepted[table.name], f"clients/{table.name}")
        for table in SNAPSHOT
    ]


def _read(connection: sa.Connection, table: Table, before: dt.datetime | None) -> pa.Table:
    if table not in WITH_ALL_VERSIONS:
        return read_current_from(connection, table, before)
    known = [] if before is None else [tables[table.name].c.recorded_at < before]
    return read(connection, table, *known)


def _inputs_end(settings: Settings, session: dt.date) -> dt.datetime | None:
    """Return the moment before which a session's inputs were recorded; None for the newest one."""
    files = landed_files(settings, "raw", PRICES)
    newest = max((file.summary.last_day for file in files), default=0)
    return available_at(session_after(session)) if newest > day_number(session) else None


def _anybody(connection: sa.Connection, before: dt.datetime) -> bool:
    account = tables[ACCOUNT.name]
    known = sa.select(account.c.account_id).where(account.c.recorded_at < before)
    return connection.execute(known.limit(1)).first() is not None
