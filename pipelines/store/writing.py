"""Write rows to the store, quickly on both databases."""

import datetime as dt
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from models.declaration import Column, ColumnType, Table
from pipelines.store.schema import tables, to_utc

Row = Mapping[str, Any]


def insert(connection: sa.Connection, table: Table, rows: Iterable[Row]) -> int:
    """Insert rows; PostgreSQL takes them by COPY, SQLite in one prepared statement.

    Parameters
    ----------
    connection : a connection of :func:`pipelines.store.transaction`.
    table : the declaration of the table.
    rows : values by column name; a nullable column may be left out.

    Returns
    -------
    How many rows were inserted.

    Raises
    ------
    ValueError
        A row has an undeclared column, or a value that is not of its column's type.
    sqlalchemy.exc.IntegrityError
        A row breaks a key, a reference or a check (psycopg's own error under COPY).
    """
    values = _checked(table, rows)
    if not values:
        return 0
    if connection.dialect.name == "postgresql":
        _copy(connection, table, values)
    else:
        names = table.column_names
        connection.execute(
            tables[table.name].insert(), [dict(zip(names, row, strict=True)) for row in values]
        )
    return len(values)


def upsert(connection: sa.Connection, table: Table, rows: Iterable[Row]) -> int:
    """Insert rows; where the key exists, replace the other columns.

    Raises
    ------
    ValueError
        A row has an undeclared column, or a value that is not of its column's type.
    """
    names = table.column_names
    values = [dict(zip(names, row, strict=True)) for row in _checked(table, rows)]
    if not values:
        return 0
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(tables[table.name])
    replaced = {name: statement.excluded[name] for name in names if name not in table.key}
    if replaced:
        statement = statement.on_conflict_do_update(index_elements=list(table.key), set_=replaced)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(table.key))
    connection.execute(statement, values)
    return len(values)


def _copy(connection: sa.Connection, table: Table, values: list[tuple[Any, ...]]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(name) for name in table.column_names)
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection has been closed")
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN") as copy,
    ):
        for row in values:
            copy.write_row(row)


def _checked(table: Table, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    columns = [(column, column.name, _CONVERT[column.type]) for column in table]
    declared = set(table.column_names)
    checked = []
    for row in rows:
        if not row.keys() <= declared:
            undeclared = sorted(row.keys() - declared)
            raise ValueError(f"table {table.name!r} has no columns {undeclared}")
        values = [row.get(name) for _, name, _ in columns]
        for place, (column, _, convert) in enumerate(columns):
            if values[place] is not None:
                try:
                    values[place] = convert(values[place])
                except (TypeError, ValueError) as error:
                    raise _wrong_type(table, column, values[place], error) from None
        checked.append(tuple(values))
    return checked


def _wrong_type(table: Table, column: Column, value: Any, error: Exception) -> ValueError:
    # Not the value itself: it may be personal.
    return ValueError(
        f"{table.name}.{column.name} needs {column.type.value}, not {type(value).__name__}: {error}"
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return str(value)


def _number(value: Any) -> float:
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("not finite")
    return number


def _boolean(value: Any) -> bool:
    if value not in (True, False):
        raise ValueError("neither true nor false")
    return bool(value)


def _date(value: Any) -> dt.date:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise TypeError("not a date")
    return value


def _timestamp(value: Any) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        raise TypeError("not a datetime")
    return to_utc(value)


_CONVERT: Mapping[ColumnType, Callable[[Any], Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: operator.index,
    ColumnType.FLOAT: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.TIMESTAMP: _timestamp,
}
