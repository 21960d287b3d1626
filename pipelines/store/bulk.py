"""Write Arrow tables to the store, without a Python object per value on PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from models.declaration import Table
from pipelines.lake import arrow_schema

_ROWS_PER_PART = 1 << 15
"""Rows that are text, or Python objects, at a time."""


def insert_arrow(connection: sa.Connection, table: Table, rows: pa.Table) -> int:
    """Insert an Arrow table; PostgreSQL takes it by COPY, SQLite in one prepared statement.

    Parameters
    ----------
    connection : a connection of :func:`pipelines.store.transaction`.
    table : the declaration of the table.
    rows : columns as declared, by name, type and order.

    Returns
    -------
    How many rows were inserted.

    Raises
    ------
    ValueError
        The columns are not those that are declared.
    sqlite3.IntegrityError, psycopg.errors.IntegrityError
        A row breaks a key, a reference or a check.
    """
    if not rows.schema.equals(arrow_schema(table)):
        raise ValueError(f"table {table.name!r} is declared otherwise than these columns are typed")
    if rows.num_rows:
        write = _copy if connection.dialect.name == "postgresql" else _execute_many
        write(connection, table, rows)
    return rows.num_rows


def _copy(connection: sa.Connection, table: Table, rows: pa.Table) -> None:
    target = _target(connection, table)
    with (
        _driver(connection).cursor() as cursor,
        cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)") as copy,
    ):
        for part in _parts(rows):
            copy.write(_csv(part))


def _csv(part: pa.Table) -> pa.Buffer:
    """Return rows as CSV, texts in quotes, so that an empty one is no null.

    Arrow writes the shortest text that gives a number back bit by bit.
    """
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(part, sink, csv.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getvalue()


def _execute_many(connection: sa.Connection, table: Table, rows: pa.Table) -> None:
    marks = ", ".join("?" * len(table.columns))
    statement = f"INSERT INTO {_target(connection, table)} VALUES ({marks})"
    cursor = _driver(connection).cursor()
    for part in _parts(rows):
        columns = [_as_sqlite_stores(column).to_pylist() for column in part.columns]
        cursor.executemany(statement, zip(*columns, strict=True))


def _as_sqlite_stores(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return dates and moments as the texts that SQLAlchemy reads back."""
    if pa.types.is_date(column.type):
        return pc.strftime(column, "%Y-%m-%d")
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, "%Y-%m-%d %H:%M:%S")
    return column


def _parts(rows: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, rows.num_rows, _ROWS_PER_PART):
        yield rows.slice(start, _ROWS_PER_PART)


def _target(connection: sa.Connection, table: Table) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(table.name)} ({', '.join(quote(name) for name in table.column_names)})"


def _driver(connection: sa.Connection) -> Any:
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection has been closed")
    return driver
