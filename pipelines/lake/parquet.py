"""Parquet files whose bytes depend on nothing but their rows, and that are never seen half-written.

A file is written under a temporary name that no reader matches and then renamed, so a killed run
leaves either the whole file or a leftover that the next writer removes.
"""

import os
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.declaration import ColumnType, Table
from pipelines.errors import LakeError
from pipelines.lineage import file_digest

NAME_DIGITS = 16
"""Hex digits of a file's digest that its name carries."""

ROWS_PER_GROUP = 1 << 18
_TABLE_KEY = b"smartinvest.table"
_LEFTOVER = re.compile(r"^\.(?P<pid>\d+)-[0-9a-f]{32}\.part$")

_ARROW_TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.FLOAT: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class FileRecord:
    """One finished file: where it is, the SHA-256 of its bytes in hex, and how many rows it has."""

    path: Path
    digest: str
    rows: int


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a declared table: names in order, types, nullability."""
    fields = [
        pa.field(column.name, _ARROW_TYPES[column.type], nullable=column.nullable)
        for column in table
    ]
    return pa.schema(fields, metadata={_TABLE_KEY: table.name.encode()})


def conform(rows: pa.Table, table: Table) -> pa.Table:
    """Return the rows as the declaration wants them: its columns and types, in canonical order.

    Canonical order is the declared key, then every other column, so that equal sets of rows are
    equal tables.

    Raises
    ------
    LakeError
        A column is missing, a value does not fit its type, or a value that must exist is null.
    """
    schema = arrow_schema(table)
    missing = [name for name in schema.names if name not in rows.column_names]
    if missing:
        raise LakeError(
            f"rows of {table.name}",
            ", ".join(missing),
            "these declared columns are missing",
            "Deliver every column; null where a value does not exist.",
        )
    try:
        cast = rows.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise LakeError(
            f"rows of {table.name}",
            ", ".join(f"{field.name}: {field.type}" for field in rows.schema),
            f"they do not fit the declared schema ({error})",
            f"Deliver the columns that models declares for {table.name}.",
        ) from None
    others = [name for name in schema.names if name not in table.key]
    order = [(name, "ascending") for name in (*table.key, *others)]
    return cast.take(pc.sort_indices(cast, sort_keys=order)).combine_chunks()


def write_parquet(rows: pa.Table, path: Path) -> FileRecord:
    """Write rows to a path, whole or not at all; equal rows give equal bytes.

    Raises
    ------
    LakeError
        The folder cannot be written or the disk is full.
    """
    try:
        with _temporary(path.parent) as part:
            _write(rows, part)
            record = FileRecord(path, file_digest(part), rows.num_rows)
            part.replace(path)
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    return record


def add_file(rows: pa.Table, folder: Path) -> FileRecord:
    """Write rows into a folder under the name of their own digest; rows already there stay.

    Raises
    ------
    LakeError
        The folder cannot be written or the disk is full.
    """
    try:
        with _temporary(folder) as part:
            _write(rows, part)
            digest = file_digest(part)
            path = folder / f"{digest[:NAME_DIGITS]}.parquet"
            if not path.exists() or file_digest(path) != digest:
                part.replace(path)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return FileRecord(path, digest, rows.num_rows)


def write_text(text: str, path: Path) -> Path:
    """Write a small text file, whole or not at all.

    Raises
    ------
    LakeError
        The folder cannot be written or the disk is full.
    """
    try:
        with _temporary(path.parent) as part:
            part.write_text(text, encoding="utf-8")
            _flush(part)
            part.replace(path)
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    return path


def read_parquet(path: Path, table: Table, columns: Iterable[str] | None = None) -> pa.Table:
    """Read a file of a declared table, all its columns or some.

    Raises
    ------
    LakeError
        The file is missing, truncated, no Parquet, or of another table.
    """
    with opened(path, table) as file:
        return file.read(columns=None if columns is None else list(columns))


@contextmanager
def opened(path: Path, table: Table) -> Iterator[pq.ParquetFile]:
    """Open a file of a declared table; every way in which it can be broken is a ``LakeError``."""
    remedy = "Restore it from a backup, or move it away and run `smartinvest ingest` again."
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            if file.schema_arrow.remove_metadata() != arrow_schema(table).remove_metadata():
                raise LakeError(
                    "lake file", path, f"its columns are not those of {table.name}", remedy
                )
            yield file
    except FileNotFoundError:
        raise LakeError("lake file", path, "it does not exist", remedy) from None
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        cause = str(error).splitlines()[0].rstrip(".")
        raise LakeError("lake file", path, f"it cannot be read ({cause})", remedy) from None


def verified(path: Path) -> str:
    """Return a content-named file's digest after comparing it with its name.

    Raises
    ------
    LakeError
        The bytes are not those that were written under this name.
    """
    try:
        digest = file_digest(path)
    except OSError as error:
        raise LakeError(
            "lake file", path, f"it cannot be read ({error.strerror})", "Mend its permissions."
        ) from None
    if path.stem != digest[:NAME_DIGITS]:
        raise LakeError(
            "lake file",
            path,
            f"its bytes changed after it was written (SHA-256 is now {digest[:NAME_DIGITS]}...)",
            "Restore it from a backup, or move it away and run `smartinvest ingest` again.",
        )
    return digest


def clean_leftovers(root: Path) -> int:
    """Remove temporary files of processes that are gone; return how many there were."""
    removed = 0
    for part in root.rglob(".*.part"):
        found = _LEFTOVER.match(part.name)
        if found and not psutil.pid_exists(int(found["pid"])):
            part.unlink(missing_ok=True)
            removed += 1
    return removed


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{os.getpid()}-{uuid.uuid4().hex}.part"
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _write(rows: pa.Table, path: Path) -> None:
    pq.write_table(
        rows,
        path,
        version="2.6",
        compression="zstd",
        row_group_size=ROWS_PER_GROUP,
        write_statistics=True,
        write_page_checksum=True,
    )
    _flush(path)


def _flush(path: Path) -> None:
    """Bring a file's bytes to the disk, or a power cut could leave its name without them."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _unwritable(folder: Path, error: OSError) -> LakeError:
    return LakeError(
        "lake folder",
        folder,
        f"it cannot be written ({error.strerror or error})",
        "Mend its permissions or make room on the disk; nothing was changed.",
    )
