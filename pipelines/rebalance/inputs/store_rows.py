"""Rows of the store for listed accounts, as Arrow: a column at a time from PostgreSQL."""

import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

_NULL = -(1 << 63)
"""Stands for a null among whole numbers while they travel."""


def wanted_accounts(store: sa.Connection, account_ids: pa.StringArray) -> sa.FromClause:
    """Return the accounts as a relation of ``account_id`` and ``place``, from 0 in their order.

    Tables are joined to it on the server, so that each shard costs index look-ups for its own
    accounts, whatever else a table holds. The joins must be outer ones, which no planner turns
    round: to look each row of a table up in the list would take for ever. :func:`found` leaves out
    what they add.
    """
    listed = json.dumps(account_ids.to_pylist())
    if store.dialect.name == "sqlite":
        each = sa.func.json_each(listed).table_valued("key", "value")
        columns = each.c.key.label("place"), each.c.value.label("account_id")
    else:
        each = sa.func.json_array_elements_text(
            sa.cast(sa.literal(listed, sa.Text), sa.JSON)
        ).table_valued("value", with_ordinality="ordinality")
        columns = (each.c.ordinality - 1).label("place"), each.c.value.label("account_id")
    return sa.select(*columns).subquery("wanted")


def fetch(store: sa.Connection, query: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    """Return the rows of a query, its columns named and typed as in the schema.

    Numbers come back to the bit. NaN is a null: no declared column may hold one.

    Parameters
    ----------
    schema : of int64, float64 and text, plain or as a dictionary.
    """
    if store.dialect.name == "sqlite":
        return _fetch_rows(store, query, schema)
    return _fetch_columns(store, query, schema)


def found(rows: pa.Table, column: str) -> pa.Table:
    """Return the rows that an outer join found, where a column is not null."""
    return rows.filter(pc.is_valid(rows[column]))


def _fetch_rows(store: sa.Connection, query: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    rows = store.execute(query).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _fetch_columns(store: sa.Connection, query: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    """Let PostgreSQL put each column together: one row comes back, whatever is asked for.

    Its protocol gives row by row to the driver, and each costs as much as reading it.
    """
    columns = query.subquery().columns
    parts = [_aggregates(column, field.type) for column, field in zip(columns, schema, strict=True)]
    whole = sa.select(*(aggregate for part in parts for aggregate in part))
    compiled = whole.compile(dialect=store.dialect, compile_kwargs={"render_postcompile": True})
    server = store.connection.driver_connection
    assert server is not None  # noqa: S101 - the connection is open
    with server.cursor(binary=True) as cursor:
        [values] = cursor.execute(str(compiled), compiled.params).fetchall()
    buffers = iter(value or b"" for value in values)
    arrays = [
        _from_buffers([next(buffers) for _ in part], field.type)
        for part, field in zip(parts, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _aggregates(column: sa.ColumnElement[Any], kind: pa.DataType) -> list[sa.ColumnElement[bytes]]:
    """Return what puts a column together: its numbers, or the lengths and the bytes of its texts.

    All aggregates of one query see the rows in one order.
    """
    if pa.types.is_integer(kind):
        return [
            _joined(sa.func.int8send(sa.func.coalesce(column, sa.literal(_NULL, sa.BigInteger))))
        ]
    if pa.types.is_floating(kind):
        return [_joined(sa.func.float8send(sa.func.coalesce(column, sa.literal(math.nan))))]
    data = sa.func.convert_to(column, "UTF8")
    return [_joined(sa.func.int4send(sa.func.coalesce(sa.func.length(data), -1))), _joined(data)]


def _joined(column: sa.ColumnElement[bytes]) -> sa.ColumnElement[bytes]:
    return sa.func.string_agg(column, sa.cast(sa.literal(""), sa.LargeBinary))


def _from_buffers(buffers: list[bytes], kind: pa.DataType) -> pa.Array:
    if pa.types.is_integer(kind):
        numbers = np.frombuffer(buffers[0], ">i8").astype(np.int64)
        return pa.array(numbers, kind, mask=numbers == _NULL)
    if pa.types.is_floating(kind):
        return pa.array(np.frombuffer(buffers[0], ">f8").astype(np.float64), kind, from_pandas=True)
    lengths = np.frombuffer(buffers[0], ">i4")
    offsets = np.append(0, np.cumsum(np.maximum(lengths, 0))).astype(np.int32)
    validity = np.packbits(lengths >= 0, bitorder="little")
    texts = pa.StringArray.from_buffers(
        len(lengths), pa.py_buffer(offsets), pa.py_buffer(buffers[1]), pa.py_buffer(validity)
    )
    return texts.cast(kind)
