"""Quarantine: what was rejected and why, in the lake, and as a copy in the store for apps.

The lake is the truth that builds read. Nothing is moved or deleted: a rejection names the key of a
row that stays where it is.
"""

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from models.lake import PRICES, QUARANTINED_PRICES
from models.store_outputs import QUARANTINE
from pipelines.lake import rejections
from pipelines.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def list_quarantine(settings: Settings) -> pa.Table:
    """Return every rejection of the settings' source, by symbol, session, version and rule."""
    return rejections(settings, PRICES)


def mirror_to_store(settings: Settings) -> int:
    """Copy to the store's ``quarantine`` table what it lacks; return how many rows that were.

    Raises
    ------
    StoreError
        The store is unreachable, locked, read-only or of another schema version.
    """
    from pipelines.store import connect, insert, transaction, utc_now

    rejected = list_quarantine(settings)
    if rejected.num_rows == 0:
        return 0
    with connect(settings) as connection:
        if not _lacking(connection, settings, rejected):
            return 0
    with transaction(settings) as connection:
        since = utc_now()
        lacking = _lacking(connection, settings, rejected)
        return insert(connection, QUARANTINE, [{**row, "since": since} for row in lacking])


def _lacking(
    connection: "Connection", settings: Settings, rejected: pa.Table
) -> list[dict[str, Any]]:
    from pipelines.store import read, tables

    of_source = tables[QUARANTINE.name].c.source == settings.source.value
    known = _keys(read(connection, QUARANTINE, of_source))
    keys = _ordered_keys(rejected)
    return [row for row, key in zip(rejected.to_pylist(), keys, strict=True) if key not in known]


def _ordered_keys(rows: pa.Table) -> list[tuple[object, ...]]:
    columns = [rows[name].to_pylist() for name in QUARANTINED_PRICES.key]
    return list(zip(*columns, strict=True))


def _keys(rows: pa.Table) -> set[tuple[object, ...]]:
    return set(_ordered_keys(rows))
