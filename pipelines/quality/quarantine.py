"""Quarantine: what was rejected and why, in the lake, and as a copy in the store for apps.

The lake is the truth that builds read. Nothing is moved or deleted: a rejection names the key of a
row that stays where it is.
"""

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from models.lake import QUARANTINED_PRICES
from models.store_outputs import QUARANTINE
from pipelines.lake import (
    FileRecord,
    add_file,
    arrow_schema,
    conform,
    partition,
    quarantine_dataset_files,
    read_parquet,
)
from pipelines.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def list_quarantine(settings: Settings) -> pa.Table:
    """Return every rejection of the settings' source, by symbol, session, version and rule."""
    parts = [
        read_parquet(path, QUARANTINED_PRICES)
        for path in quarantine_dataset_files(settings, QUARANTINED_PRICES)
    ]
    if not parts:
        return arrow_schema(QUARANTINED_PRICES).empty_table()
    rows = conform(pa.concat_tables(parts), QUARANTINED_PRICES)
    first_of_key = rows.append_column("position", pa.array(range(rows.num_rows)))
    kept = first_of_key.group_by(list(QUARANTINED_PRICES.key)).aggregate([("position", "min")])
    return rows.take(kept["position_min"].combine_chunks().sort())


def add_rejections(settings: Settings, session: dt.date, rows: pa.Table) -> FileRecord | None:
    """Write the rejections that are not in quarantine yet; return the file, if one was needed."""
    known = _keys(list_quarantine(settings))
    fresh = rows.filter(pa.array([key not in known for key in _ordered_keys(rows)], pa.bool_()))
    if fresh.num_rows == 0:
        return None
    folder = partition(settings, "quarantine", QUARANTINED_PRICES, session)
    return add_file(conform(fresh, QUARANTINED_PRICES), folder)


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
