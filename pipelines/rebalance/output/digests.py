"""Digests of what a shard was made from, and of what it was made into."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rebalance.inputs.shard import Shard


def inputs_digest(shard: Shard) -> str:
    """Return the SHA-256 of everything that is known of a shard's clients, in hex."""
    digest = hashlib.sha256()
    for name, value in _leaves(shard):
        if isinstance(value, np.ndarray):
            digest.update(f"\n{name} {value.dtype.str} {value.shape}\n".encode())
            digest.update(np.ascontiguousarray(value).data)
        else:
            _update(digest, name, value)
    return digest.hexdigest()


def rows_digest(tables: Mapping[str, pa.Table]) -> str:
    """Return the SHA-256 of all rows of some tables, in hex."""
    digest = hashlib.sha256()
    for table, rows in sorted(tables.items()):
        for name, column in zip(rows.column_names, rows.columns, strict=True):
            _update(digest, f"{table}.{name}", column.combine_chunks())
    return digest.hexdigest()


def _leaves(record: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            yield from ((f"{field.name}.{name}", leaf) for name, leaf in _leaves(value))
        elif isinstance(value, np.ndarray | pa.Array):
            yield field.name, value


def _update(digest: "hashlib._Hash", name: str, column: pa.Array) -> None:
    """Add a column's values where they lie: how its memory is padded or shared is left out."""
    digest.update(f"\n{name} {column.type} {len(column)} {column.null_count}\n".encode())
    if not len(column):
        return
    if column.null_count:
        digest.update(column.is_null().to_numpy(zero_copy_only=False).data)
        column = _without_nulls(column)
    if pa.types.is_boolean(column.type):
        digest.update(column.to_numpy(zero_copy_only=False).data)
        return
    if column.offset:
        column = pa.concat_arrays([column])
    buffers = column.buffers()
    if not pa.types.is_string(column.type):
        digest.update(memoryview(buffers[1])[: len(column) * column.type.byte_width])
        return
    offsets = np.frombuffer(buffers[1], np.int32, len(column) + 1)
    digest.update((offsets - offsets[0]).data)
    if buffers[2] is not None:
        digest.update(memoryview(buffers[2])[offsets[0] : offsets[-1]])


def _without_nulls(column: pa.Array) -> pa.Array:
    """Return the column with nothing in the place of nulls, where anything may lie."""
    if pa.types.is_string(column.type):
        return pc.fill_null(column, "")
    return pc.fill_null(column, pa.array([0], pa.int32()).cast(column.type)[0])
