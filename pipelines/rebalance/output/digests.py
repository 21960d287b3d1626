"""Digests of what a shard was made from, and of what it was made into."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.rebalance.inputs.shard import Shard


def inputs_digest(shard: Shard) -> str:
    """Return the SHA-256 of everything that is known of a shard's clients, in hex."""
    digest = hashlib.sha256()
    for name, value in _leaves(shard):
        if isinstance(value, np.ndarray):
            digest.update(f"\n{name} {value.dtype.str} {value.shape}\n".encode())
            digest.update(np.ascontiguousarray(value).data)
        else:
            digest.update(f"\n{name}\n".encode())
            digest.update(_serialised(pa.table({name: value})))
    return digest.hexdigest()


def rows_digest(tables: Mapping[str, pa.Table]) -> str:
    """Return the SHA-256 of all rows of some tables, in hex."""
    digest = hashlib.sha256()
    for name, rows in sorted(tables.items()):
        digest.update(f"\n{name}\n".encode())
        digest.update(_serialised(rows))
    return digest.hexdigest()


def _leaves(record: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            yield from ((f"{field.name}.{name}", leaf) for name, leaf in _leaves(value))
        elif isinstance(value, np.ndarray | pa.Array):
            yield field.name, value


def _serialised(rows: pa.Table) -> pa.Buffer:
    """Return rows in Arrow's own format, as one batch, however they were put together."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    return sink.getvalue()
