"""The SQL store: client inputs, runs, allocations, trades. Only ``engine`` opens it.

Readers use :func:`connect`, writers :func:`transaction` (shards of a run
:func:`shared_transaction`); all give a SQLAlchemy connection, and
``tables`` holds the SQLAlchemy tables by name. :func:`migrate` creates or upgrades the store.
"""

from pipelines.store.bulk import insert_arrow
from pipelines.store.engine import connect, shared_transaction, transaction, utc_now
from pipelines.store.failures import shown_url
from pipelines.store.locks import held_among_machines
from pipelines.store.migrate import migrate
from pipelines.store.reading import read, read_current_from, stream
from pipelines.store.schema import tables
from pipelines.store.writing import insert, upsert

__all__ = [
    "connect",
    "held_among_machines",
    "insert",
    "insert_arrow",
    "migrate",
    "read",
    "read_current_from",
    "shared_transaction",
    "shown_url",
    "stream",
    "tables",
    "transaction",
    "upsert",
    "utc_now",
]
