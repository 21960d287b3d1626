"""Parquet files whose bytes depend on nothing but rows and origin."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.errors import LakeError
from pipelines.local_files import write_local

NAME_DIGITS = 16
"""Hex digits of a file's digest that its name carries."""

ROWS_PER_GROUP = 1 << 12
"""Small, so that a reader of one symbol decodes little; a group's statistics name its symbols."""

_REPEATING = (pa.types.is_string, pa.types.is_dictionary, pa.types.is_date, pa.types.is_timestamp)


@dataclass(frozen=True)
class FileRecord:
    """One finished file: its path, the SHA-256 of its bytes in hex, and how many rows it has.

    Files of the lake are known by their path inside it, with forward slashes.
    """

    path: str
    digest: str
    rows: int


def to_bytes(rows: pa.Table, metadata: Mapping[str, str] | None = None) -> pa.Buffer:
    """Return rows as the bytes of a Parquet file; equal rows and metadata give equal bytes.

    Parameters
    ----------
    rows : encoded or plain; their order is kept.
    metadata : text that the file carries beside its rows.
    """
    rows = _with_sorted_dictionaries(rows)
    sink = pa.BufferOutputStream()
    repeating = [
        field.name for field in rows.schema if any(is_of(field.type) for is_of in _REPEATING)
    ]
    with pq.ParquetWriter(
        sink,
        rows.schema.remove_metadata(),
        version="2.6",
        compression="lz4",  # zstd is a third smaller and takes half as long again to write and read
        use_dictionary=repeating,
        write_statistics=True,
        write_page_checksum=True,
        store_schema=False,
    ) as writer:
        writer.write_table(rows, row_group_size=ROWS_PER_GROUP)
        if metadata:
            writer.add_key_value_metadata(dict(metadata))
    return sink.getvalue()


def content_name(content: pa.Buffer) -> tuple[str, str]:
    """Return the name of a file with this content, and its SHA-256 in hex."""
    digest = hashlib.sha256(content).hexdigest()
    return f"{digest[:NAME_DIGITS]}.parquet", digest


def write_parquet(rows: pa.Table, path: Path) -> FileRecord:
    """Write rows to a file outside the lake, whole or not at all; equal rows give equal bytes.

    Raises
    ------
    LakeError
        The folder cannot be written or the disk is full.
    """
    content = to_bytes(rows)
    _write(path, content)
    return FileRecord(str(path), hashlib.sha256(content).hexdigest(), rows.num_rows)


def write_text(text: str, path: Path) -> Path:
    """Write a small text file outside the lake, whole or not at all.

    Raises
    ------
    LakeError
        The folder cannot be written or the disk is full.
    """
    _write(path, text.encode())
    return path


def _write(path: Path, content: pa.Buffer | bytes) -> None:
    try:
        write_local(path, content)
    except OSError as error:
        raise LakeError(
            "folder",
            path.parent,
            f"it cannot be written ({error.strerror or error})",
            "Mend its permissions or make room on the disk; nothing was changed.",
        ) from None


def _with_sorted_dictionaries(rows: pa.Table) -> pa.Table:
    """Give each dictionary exactly the values in use, in order: bytes follow from values."""
    for position, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            array = rows.column(position).unify_dictionaries().combine_chunks()
            rows = rows.set_column(position, field, _with_sorted_dictionary(array))
    return rows


def _with_sorted_dictionary(array: pa.DictionaryArray) -> pa.Array:
    if array.null_count:
        # Plain text: the writer makes its own dictionary, by first appearance.
        return array.cast(pa.string()).dictionary_encode()
    indices = np.asarray(array.indices)
    used = np.flatnonzero(np.bincount(indices, minlength=len(array.dictionary)))
    values = array.dictionary.take(pa.array(used))
    order = pc.sort_indices(values).to_numpy()
    if len(used) == len(array.dictionary) and np.array_equal(order, np.arange(len(order))):
        return array
    new_code = np.empty(len(array.dictionary), dtype=np.int32)
    new_code[used[order]] = np.arange(len(order), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(new_code[indices]), values.take(pa.array(order)))
