"""Quarantine: what was rejected and why, in the lake, and as a copy in the store for apps.

The lake is the truth that builds read. Nothing is moved or deleted there: a rejection names the key
of a row that stays where it is. The copy shows what stands now: what a person released, or changed
rules freed, leaves it.
"""

import pyarrow as pa

from models.declaration import Table
from models.lake import RAW
from models.store_issues import QUARANTINE
from pipelines.lake import arrow_schema, rejections
from pipelines.settings import Settings

_SUBJECT = ("symbol", "series_id")
_DAY = ("session_date", "observation_date", "member_from", "known_at")
_DETAIL = ("kind", "universe")
_ORDER = [(name, "ascending") for name in QUARANTINE.key]


def list_quarantine(settings: Settings) -> pa.Table:
    """Return every rejection of the settings' source that stands, of all datasets.

    Returns
    -------
    Rows of ``QUARANTINE`` without ``since``, in order of its key.
    """
    return pa.concat_tables([_listed(settings, table) for table in RAW]).sort_by(_ORDER)


def mirror_to_store(settings: Settings) -> int:
    """Make the store's ``quarantine`` table say what stands; return how many rows that changed.

    Raises
    ------
    StoreError
        The store is unreachable, locked, read-only or of another schema version.
    """
    from pipelines.store import connect, insert, read, tables, transaction, utc_now

    stands = list_quarantine(settings)
    mirror = tables[QUARANTINE.name]
    of_source = mirror.c.source == settings.source.value
    with connect(settings) as connection:
        if read(connection, QUARANTINE, of_source).drop("since").equals(stands):
            return 0
    with transaction(settings) as connection:
        stored = read(connection, QUARANTINE, of_source).to_pylist()
        since = {_key(row): row["since"] for row in stored}
        now = utc_now()
        rows = [{**row, "since": since.get(_key(row), now)} for row in stands.to_pylist()]
        connection.execute(mirror.delete().where(of_source))
        insert(connection, QUARANTINE, rows)
    return len(since.keys() ^ {_key(row) for row in rows})


def _listed(settings: Settings, table: Table) -> pa.Table:
    rows = rejections(settings, table)
    day = rows[_first(_DAY, table)]
    columns = {name: rows[name] for name in rows.column_names} | {
        "dataset": pa.repeat(pa.scalar(table.name), rows.num_rows),
        "symbol": rows[_first(_SUBJECT, table)],
        "session_date": day if pa.types.is_date32(day.type) else day.cast(pa.date32(), safe=False),
        "detail": pa.repeat(pa.scalar(""), rows.num_rows),
    }
    if detail := _first(_DETAIL, table):
        columns["detail"] = rows[detail]
    schema = arrow_schema(QUARANTINE).remove(QUARANTINE.column_names.index("since"))
    return pa.table({name: columns[name] for name in schema.names}).cast(schema)


def _first(names: tuple[str, ...], table: Table) -> str:
    return next((name for name in names if name in table.key), "")


def _key(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in QUARANTINE.key)
