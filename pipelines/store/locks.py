"""Locks among machines: PostgreSQL's advisory locks, which die with their connection.

Files keep the processes of one home apart. Machines that share a lake share no files with locks
(a bucket has none), but a SQL store; so whoever writes a source's data, builds its warehouse or
trains on it holds a name there too.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from pipelines.errors import StoreError
from pipelines.lineage import json_digest
from pipelines.settings import Settings
from pipelines.store.engine import lock_connection, sqlite_path
from pipelines.store.failures import clear_errors

logger = logging.getLogger(__name__)

_OURS = 0x5317_0002
_SILENCE_S = 2.0
_POLL_S = 0.25
_TAKE = sa.text("SELECT pg_try_advisory_lock(:ours, :name)")
_RELEASE = sa.text("SELECT pg_advisory_unlock(:ours, :name)")
_HOLDER = sa.text(
    "SELECT coalesce(host(client_addr), 'the server''s own machine') || ', since ' || "
    "to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') FROM pg_stat_activity JOIN pg_locks "
    "USING (pid) WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
    "AND classid = :ours AND objid = CAST(:name_unsigned AS oid)"
)
_NOTICE_DEATH = (
    "tcp_keepalives_idle = 30",
    "tcp_keepalives_interval = 10",
    "tcp_keepalives_count = 3",
)
"""Else a machine that lost its power would hold its locks for two hours."""


@contextmanager
def held_among_machines(
    settings: Settings, name: str, patience_s: float | None = None
) -> Iterator[bool]:
    """Hold a name among all machines that share the settings' lake and store.

    Where the lake is the home's own there are no others, and nothing is held; nor on SQLite, which
    machines do not share. A lock that is lost meanwhile, because the server was restarted, is said
    in the log: what is written under it must stand that. Yields whether it is held.

    Parameters
    ----------
    name : what is held, of letters, digits and dashes.
    patience_s : how long another holder is waited for; None: for ever.

    Raises
    ------
    StoreError
        The store is unreachable, or another machine still holds the name when patience ends.
    """
    if not settings.shares_lake or sqlite_path(settings) is not None:
        yield False
        return
    connection = lock_connection(settings)
    try:
        with clear_errors(settings):
            for setting in _NOTICE_DEATH:
                connection.exec_driver_sql(f"SET {setting}")
            _acquire(connection, name, patience_s)
        try:
            yield True
        finally:
            _release(connection, name)
    finally:
        with suppress(DBAPIError):
            connection.close()


def _acquire(connection: sa.Connection, name: str, patience_s: float | None) -> None:
    began, told = time.monotonic(), False
    while not connection.execute(_TAKE, _keys(name)).scalar():
        waited = time.monotonic() - began
        if patience_s is not None and waited > patience_s:
            raise StoreError(
                "lock among machines",
                name,
                f"{_holder(connection, name)} has held it for {waited:.0f} s",
                "Wait until that machine's task ends, or end it.",
            )
        if waited > _SILENCE_S and not told:
            logger.info("waiting for %s, which holds %s", _holder(connection, name), name)
            told = True
        time.sleep(_POLL_S)


def _release(connection: sa.Connection, name: str) -> None:
    try:
        was_held = bool(connection.execute(_RELEASE, _keys(name)).scalar())
    except DBAPIError:
        was_held = False
    if not was_held:
        logger.warning(
            "the lock %s was lost while it was held: the store's server ended the connection; "
            "another machine may have held it meanwhile",
            name,
        )


def _holder(connection: sa.Connection, name: str) -> str:
    keys = {"ours": _OURS, "name_unsigned": _number(name) & 0xFFFF_FFFF}
    return f"{connection.execute(_HOLDER, keys).scalar() or 'another machine'}"


def _keys(name: str) -> dict[str, int]:
    return {"ours": _OURS, "name": _number(name)}


def _number(name: str) -> int:
    """Return the signed 32-bit number that stands for a name."""
    number = int(json_digest(name)[:8], 16)
    return number - (1 << 32) if number >= 1 << 31 else number
