"""The one module that opens the SQL store."""

import datetime as dt
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from models.credentials import without_credentials
from pipelines.errors import StoreError
from pipelines.settings import Settings
from pipelines.store import writers
from pipelines.store.failures import (
    BUSY_SECONDS,
    STORE_URL,
    clear_errors,
    shown_url,
    unusable_url,
)
from pipelines.store.schema import SCHEMA_VERSION

BRIEF_SECONDS = 3
"""How long a note waits for the store before it is given up."""

_CONNECT_SECONDS = 10
_RETRY_SECONDS = 0.05
_BEGIN = "sqlite_begin"


@contextmanager
def connect(settings: Settings) -> Iterator[sa.Connection]:
    """Yield a connection that reads one consistent state of the store.

    Raises
    ------
    StoreError
        The store is unreachable, locked, or of another schema version.
    """
    with _begin(settings, writes=False) as connection:
        require_version(settings, connection)
        yield connection


@contextmanager
def transaction(settings: Settings) -> Iterator[sa.Connection]:
    """Yield a connection whose writes become visible together at the end, or not at all.

    There is one at a time, on either database, so what it reads stays true until it has written.

    Raises
    ------
    StoreError
        The store is unreachable, locked, read-only, or of another schema version.
    """
    with _begin(settings, writes=True) as connection:
        require_version(settings, connection)
        yield connection


@contextmanager
def shared_transaction(settings: Settings) -> Iterator[sa.Connection]:
    """Yield a connection that writes beside others of its kind, but beside no :func:`transaction`.

    For rows that no two write at once, such as the parts of a run. On SQLite there is still one
    writer at a time.

    Raises
    ------
    StoreError
        The store is unreachable, locked, read-only, or of another schema version.
    """
    with _begin(settings, writes=True, lock=writers.BESIDE_OTHERS) as connection:
        require_version(settings, connection)
        yield connection


@contextmanager
def brief_transaction(settings: Settings) -> Iterator[sa.Connection]:
    """Yield a connection that writes beside all others, and gives up after a few seconds.

    For notes that only one process writes and whose loss stops nothing, such as lineage. On SQLite
    there is still one writer at a time.

    Raises
    ------
    StoreError
        The store is unreachable, locked, read-only, or of another schema version.
    """
    with _begin(settings, writes=True, lock=None, patience_s=BRIEF_SECONDS) as connection:
        require_version(settings, connection)
        yield connection


@contextmanager
def migration(settings: Settings) -> Iterator[sa.Connection]:
    """Yield a writing connection to a store of any schema version, creating an SQLite file.

    Raises
    ------
    StoreError
        The store is unreachable, locked or read-only.
    """
    path = sqlite_path(settings)
    if path is not None:
        with clear_errors(settings):
            path.parent.mkdir(parents=True, exist_ok=True)
            _use_write_ahead_log(path)
    with _begin(settings, writes=True) as connection:
        yield connection


def lock_connection(settings: Settings) -> sa.Connection:
    """Return an open connection to a PostgreSQL store, outside of any transaction.

    Raises
    ------
    StoreError
        The store is unreachable.
    """
    with clear_errors(settings):
        return _engine(settings.store_url).connect().execution_options(isolation_level="AUTOCOMMIT")


def schema_version(connection: sa.Connection) -> str | None:
    """Return the store's Alembic revision, or None where no migration ever ran."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def is_current(settings: Settings) -> bool:
    """Say whether the store exists and has the schema of this code, without waiting for writers.

    Raises
    ------
    StoreError
        The store is unreachable.
    """
    path = sqlite_path(settings)
    if path is not None and not path.is_file():
        return False
    with _begin(settings, writes=False) as connection:
        return schema_version(connection) == SCHEMA_VERSION


def require_version(settings: Settings, connection: sa.Connection) -> None:
    """Check that the store has the schema that this code reads and writes.

    Raises
    ------
    StoreError
        It has none, or another one.
    """
    found = schema_version(connection)
    if found != SCHEMA_VERSION:
        raise StoreError(
            STORE_URL,
            shown_url(settings),
            f"its schema is at version {found or 'none'}, this code needs {SCHEMA_VERSION}",
            "Run any `smartinvest` stage of this release; it migrates the store.",
        )


def sqlite_path(settings: Settings) -> Path | None:
    """Return the file of an SQLite store, or None where the store is PostgreSQL.

    Raises
    ------
    StoreError
        The URL is no URL, names another database, or an SQLite database in memory.
    """
    try:
        url = sa.make_url(settings.store_url)
    except (ArgumentError, ValueError):  # the latter where the port is no number
        shown = without_credentials(settings.store_url)
        raise unusable_url(shown, "it is not a database URL") from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return None
    if backend != "sqlite":
        raise unusable_url(shown_url(settings), f"{backend} is not supported")
    if not url.database or url.database == ":memory:":
        raise unusable_url(settings.store_url, "a database in memory is lost between stages")
    return Path(url.database)


@contextmanager
def _begin(
    settings: Settings,
    *,
    writes: bool,
    lock: sa.Select[tuple[None]] | None = writers.ALONE,
    patience_s: int | None = None,
) -> Iterator[sa.Connection]:
    path = sqlite_path(settings)
    if path is not None and not path.is_file():
        raise StoreError(
            STORE_URL,
            shown_url(settings),
            "there is no such file",
            "Run any `smartinvest` stage; it creates the store.",
        )
    with clear_errors(settings), _engine(settings.store_url, patience_s).connect() as connection:
        options: dict[str, Any] = {_BEGIN: "BEGIN IMMEDIATE" if writes else "BEGIN"}
        if path is None and not writes:
            # One consistent state over several statements, as SQLite gives it.
            options["isolation_level"] = "REPEATABLE READ"
        with connection.execution_options(**options).begin():
            if path is None and writes and lock is not None:
                # As BEGIN IMMEDIATE on SQLite: two that both find a row missing would both add it.
                writers.take(connection, lock, shown_url(settings))
            yield connection


@cache
def _engine(store_url: str, patience_s: int | None = None) -> sa.Engine:
    busy_s = BUSY_SECONDS if patience_s is None else patience_s
    url = sa.make_url(store_url)
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            url,
            poolclass=sa.NullPool,
            # A refused row's values may be personal; an error's text ends in logs.
            hide_parameters=True,
            connect_args={"timeout": busy_s},
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    # No pool: a connection must not be shared with the task processes that Airflow forks.
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=sa.NullPool,
        hide_parameters=True,
        connect_args={
            "connect_timeout": min(_CONNECT_SECONDS, busy_s),
            "options": f"-c lock_timeout={busy_s}s -c timezone=UTC",
            "application_name": "smartinvest",
        },
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # sqlite3 would begin transactions late and end them before DDL: we say BEGIN ourselves.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options()[_BEGIN])


def _use_write_ahead_log(path: Path) -> None:
    """Let readers go on while a writer writes; the file keeps this setting from then on."""
    deadline = time.monotonic() + BUSY_SECONDS
    with closing(sqlite3.connect(path)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # SQLite's own waiting does not cover this statement.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                return


def utc_now() -> dt.datetime:
    """Return the present moment in UTC, for columns that say when something was recorded."""
    return dt.datetime.now(dt.UTC)
