"""Read the store's tables as Arrow, typed by their declarations and in the order of their keys."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from models.declaration import Table
from pipelines.lake import arrow_schema
from pipelines.store.schema import tables


def read(connection: sa.Connection, table: Table, *conditions: sa.ColumnElement[bool]) -> pa.Table:
    """Return the rows that meet all conditions, sorted by key (bytewise, on every database)."""
    return _to_arrow(connection, table, sa.select(tables[table.name]).where(*conditions))


def read_current_from(connection: sa.Connection, table: Table) -> pa.Table:
    """Return the current version of an input table: of each owner, the highest version's rows.

    The owner is the first column of the key; a table without versions is returned whole. Rows are
    sorted by key, so that equal contents give equal bytes on both databases.
    """
    if "version" not in table.column_names:
        return read(connection, table)
    source = tables[table.name]
    owner = table.key[0]
    newest = (
        sa.select(source.c[owner], sa.func.max(source.c.version).label("version"))
        .group_by(source.c[owner])
        .subquery()
    )
    current = sa.and_(source.c[owner] == newest.c[owner], source.c.version == newest.c.version)
    return _to_arrow(connection, table, sa.select(source).join(newest, current))


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
