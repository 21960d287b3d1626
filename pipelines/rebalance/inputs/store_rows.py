"""Rows of the store for listed accounts, as Arrow: by COPY from PostgreSQL, else row by row."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa


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


def fetch(store: sa.Connection, query: sa.Select, schema: pa.Schema) -> pa.Table:
    """Return the rows of a query, its columns named and typed as in the schema.

    Numbers come back to the bit: the server writes the shortest text that means the same float.
    """
    if store.dialect.name == "sqlite":
        return _fetch_rows(store, query, schema)
    return _copy(store, query, schema)


def found(rows: pa.Table, column: str) -> pa.Table:
    """Return the rows that an outer join found, where a column is not null."""
    return rows.filter(pc.is_valid(rows[column]))


def _fetch_rows(store: sa.Connection, query: sa.Select, schema: pa.Schema) -> pa.Table:
    rows = store.execute(query).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _copy(store: sa.Connection, query: sa.Select, schema: pa.Schema) -> pa.Table:
    compiled = query.compile(dialect=store.dialect, compile_kwargs={"render_postcompile": True})
    server = store.connection.driver_connection
    assert server is not None  # noqa: S101 - the connection is open
    with server.cursor() as cursor:
        statement = f"COPY ({compiled}) TO STDOUT (FORMAT csv)"
        with cursor.copy(statement, compiled.params) as copied:
            text = b"".join(copied)
    if not text:
        return schema.empty_table()
    return pa.csv.read_csv(
        pa.BufferReader(text),
        read_options=pa.csv.ReadOptions(column_names=schema.names, use_threads=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
