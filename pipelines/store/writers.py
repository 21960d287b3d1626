"""PostgreSQL's lock of whoever writes into the store: alone, or beside others of its kind."""

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from pipelines.errors import StoreUnavailableError
from pipelines.store.failures import STORE_URL, is_lock_timeout

WRITERS = 0x5317_0001
"""The advisory lock's number; apps take its shared kind by a trigger."""

ALONE = sa.select(sa.func.pg_advisory_xact_lock(WRITERS))
BESIDE_OTHERS = sa.select(sa.func.pg_advisory_xact_lock_shared(WRITERS))

_HOLDERS = sa.text(
    "SELECT string_agg(usename || ', process ' || pid, '; ' ORDER BY pid) "
    "FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND objsubid = 1 AND classid = 0 AND objid = CAST(:writers AS oid) "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def take(connection: sa.Connection, lock: sa.Select[tuple[None]], shown_url: str) -> None:
    """Wait for the lock, which the transaction then holds to its end.

    Parameters
    ----------
    shown_url : the store's URL without its password, for an error.

    Raises
    ------
    StoreUnavailableError
        Others hold it for longer than the connection waits; the message names who.
    """
    try:
        connection.execute(lock)
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        with connection.engine.connect() as another:  # this one's transaction is over
            holders = another.execute(_HOLDERS, {"writers": WRITERS}).scalar()
        raise StoreUnavailableError(
            STORE_URL,
            shown_url,
            f"others write into it for too long ({holders or 'who has ended just now'})",
            "Wait until they end, or have a superuser end them: SELECT pg_terminate_backend(...).",
        ) from error
