"""Read the store's tables as Arrow, typed by their declarations and in the order of their keys."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from models.declaration import Table
from pipelines.lake import arrow_schema
from pipelines.store.schema import tables

_FETCHED_ROWS = 1 << 15
"""Rows that are Python objects at a time, while a table is streamed."""


def read(connection: sa.Connection, table: Table, *conditions: sa.ColumnElement[bool]) -> pa.Table:
    """Return the rows that meet all conditions, sorted by key (bytewise, on every database)."""
    return _to_arrow(connection, table, _columns(table).where(*conditions))


def read_current_from(
    connection: sa.Connection, table: Table, before: dt.datetime | None = None
) -> pa.Table:
    """Return the current version of an input table: of each owner, the highest version's rows.

    The owner is the first column of the key; a table without versions is returned whole. Rows are
    sorted by key, so that equal contents give equal bytes on both databases.

    Parameters
    ----------
    before : what was recorded at this moment or later is left out, as if it were not there yet.
    """
    source = tables[table.name]
    known = [] if before is None else [source.c.recorded_at < before]
    if "version" not in table.column_names:
        return read(connection, table, *known)
    owner = table.key[0]
    newest = (
        sa.select(source.c[owner], sa.func.max(source.c.version).label("version"))
        .where(*known)
        .group_by(source.c[owner])
        .subquery()
    )
    current = sa.and_(source.c[owner] == newest.c[owner], source.c.version == newest.c.version)
    return _to_arrow(connection, table, _columns(table).join(newest, current))


def stream(
    connection: sa.Connection, table: Table, rows_per_part: int, *conditions: sa.ColumnElement[bool]
) -> Iterator[pa.Table]:
    """Yield the rows that meet all conditions, sorted by key (bytewise), in tables of some rows.

    Unlike :func:`read` it lets the database sort, and holds only one part at a time.

    Parameters
    ----------
    table : a table of the store, or some of its columns.
    rows_per_part : rows of each table; the last one has what is left.
    """
    source = tables[table.name]
    query = (
        _columns(table)
        .where(*conditions)
        .order_by(*(_bytewise(connection, source.c[name]) for name in table.key))
        .execution_options(yield_per=min(rows_per_part, _FETCHED_ROWS))
    )
    schema = arrow_schema(table)
    held: list[pa.RecordBatch] = []
    for rows in connection.execute(query).partitions():
        columns = zip(*rows, strict=True)
        arrays = [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)]
        held.append(pa.record_batch(arrays, schema=schema))
        if sum(batch.num_rows for batch in held) >= rows_per_part:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _columns(table: Table) -> sa.Select[Any]:
    source = tables[table.name]
    return sa.select(*(source.c[name] for name in table.column_names))


def _bytewise(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    # SQLite compares bytes anyway; a server orders text by its own locale.
    is_text = isinstance(column.type, sa.Text)
    return sa.collate(column, "C") if is_text and connection.dialect.name != "sqlite" else column


def _to_arrow(connection: sa.Connection, table: Table, query: sa.Select[Any]) -> pa.Table:
    rows = sorted(connection.execute(query).all(), key=_key_of(table))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(table.columns)
    schema = arrow_schema(table)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _key_of(table: Table) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    positions = [table.column_names.index(name) for name in table.key]

    def key(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(row[position] for position in positions)

    return key
