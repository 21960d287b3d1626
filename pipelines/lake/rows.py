"""The Arrow form of declared tables: their columns and types, canonical order, encoded text.

Text columns travel *encoded*: as Arrow dictionaries, since source, bases and symbols repeat for
millions of rows. Encoded rows equal plain ones value by value; ``declared`` makes them plain.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import ColumnType, Table
from pipelines.errors import LakeError

_TABLE_KEY = b"smartinvest.table"

_ARROW_TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.FLOAT: pa.float64(),
    ColumnType.SINGLE: pa.float32(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
_ENCODED = pa.dictionary(pa.int32(), pa.string())


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a declared table: names in order, types, nullability."""
    fields = [
        pa.field(column.name, _ARROW_TYPES[column.type], nullable=column.nullable)
        for column in table
    ]
    return pa.schema(fields, metadata={_TABLE_KEY: table.name.encode()})


def encoded_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a declared table with text columns as dictionaries."""
    return pa.schema(
        [
            field.with_type(_ENCODED) if pa.types.is_string(field.type) else field
            for field in arrow_schema(table)
        ]
    )


def conform(rows: pa.Table, table: Table) -> pa.Table:
    """Return the rows as the declaration wants them: its columns and types, in canonical order.

    Canonical order is the declared key, then every other column, so that equal sets of rows are
    equal tables.

    Raises
    ------
    LakeError
        A column is missing, a value does not fit its type, or a value that must exist is null.
    """
    return declared(canonical(rows, table), table)


def declared(rows: pa.Table, table: Table) -> pa.Table:
    """Return encoded rows with plain text columns."""
    schema = arrow_schema(table)
    return rows.cast(pa.schema([schema.field(name) for name in rows.column_names], schema.metadata))


def canonical(rows: pa.Table, table: Table) -> pa.Table:
    """Return the rows as ``conform`` does, with text columns encoded.

    Rows that are in order already are neither sorted nor copied.

    Raises
    ------
    LakeError
        A column is missing, a value does not fit its type, or a value that must exist is null.
    """
    ordered = _encoded(rows, table)
    keys = [codes(ordered[name]) for name in table.key]
    if _is_strictly_ascending(keys):
        return ordered
    order = np.lexsort([key for key in reversed(keys) if len(key) and key[0] != key.max()] or keys)
    if not _is_strictly_ascending([key[order] for key in keys]):
        others = [name for name in table.column_names if name not in table.key]
        plain = ordered.cast(arrow_schema(table))
        order = pc.sort_indices(plain, [(name, "ascending") for name in (*table.key, *others)])
    return ordered.take(pa.array(order))


def codes(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    """Return whole numbers that are equal, and ordered alike, where the values are equal.

    A missing number is one value, whether it came as null or as NaN; numbers other than dates,
    moments and whole ones are ordered only as far as being equal goes.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_string(array.type):
        array = pc.dictionary_encode(array)
    if pa.types.is_dictionary(array.type):
        ranks = np.empty(len(array.dictionary) + 1, dtype=np.int64)
        order = pc.sort_indices(array.dictionary).to_numpy()
        ranks[order] = np.arange(len(order))
        ranks[-1] = -1  # null
        return ranks[np.asarray(array.indices.fill_null(-1))]
    if pa.types.is_floating(array.type):
        numbers = np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
        numbers = np.where(np.isnan(numbers), np.nan, numbers)
        return numbers.view(np.int64)
    if pa.types.is_date(array.type):
        return np.asarray(_filled(array.cast(pa.int32())), dtype=np.int64)
    return np.asarray(_filled(array.cast(pa.int64())))


def changes(columns: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.bool_]:
    """Mark each row that differs from the one before it in any column; the first row does."""
    starts = np.zeros(len(columns[0]), dtype=bool)
    starts[:1] = True
    for column in columns:
        starts[1:] |= column[1:] != column[:-1]
    return starts


def _encoded(rows: pa.Table, table: Table) -> pa.Table:
    schema = encoded_schema(table)
    missing = [name for name in schema.names if name not in rows.column_names]
    if missing:
        raise LakeError(
            f"rows of {table.name}",
            ", ".join(missing),
            "these declared columns are missing",
            "Deliver every column; null where a value does not exist.",
        )
    rows = rows.select(schema.names)
    try:
        columns = [
            _encoded_column(column, field)
            for column, field in zip(rows.columns, schema, strict=True)
        ]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise LakeError(
            f"rows of {table.name}",
            ", ".join(f"{field.name}: {field.type}" for field in rows.schema),
            f"they do not fit the declared schema ({error})",
            f"Deliver the columns that models declares for {table.name}.",
        ) from None
    return pa.Table.from_arrays(columns, schema=schema)


def _encoded_column(column: pa.ChunkedArray, field: pa.Field) -> pa.Array:
    if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    if pa.types.is_dictionary(column.type):
        column = column.cast(field.type).unify_dictionaries()
    array = column.cast(field.type).combine_chunks()
    if not field.nullable and array.null_count:
        raise ValueError(f"column {field.name} has {array.null_count} nulls and may have none")
    return array


def _filled(array: pa.Array) -> pa.Array:
    return pc.fill_null(array, -(2**31)) if array.null_count else array


def _is_strictly_ascending(keys: Sequence[npt.NDArray[np.int64]]) -> bool:
    """Say whether rows ascend lexicographically and no two are equal."""
    decided = np.zeros(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        steps = np.diff(key)
        if np.any(~decided & (steps < 0)):
            return False
        decided |= steps > 0
    return bool(decided.all())
