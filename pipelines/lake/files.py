"""Which files a dataset has, what each says of its rows, and how to add and read them.

    <area>/<dataset>/source=<source>/[year=<Y>/ | rules=<digest>/]<digest>.parquet

A *landed* file is one that was added; its path names it for ever. Compaction may put its rows into
another file and remove it: then reading it means reading that one, which holds more rows. Readers
never mind, since they cut rows by session, knowledge and symbol anyway.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.declaration import Table
from pipelines.errors import LakeError
from pipelines.lake.parquet import (
    NAME_DIGITS,
    FileRecord,
    canonical,
    content_name,
    encoded_schema,
    to_bytes,
)
from pipelines.lake.storage import Storage, storage, write_local
from pipelines.lake.summary import Summary, subject_column, summarise
from pipelines.lineage import file_digest
from pipelines.settings import Settings

_SUMMARY = "smartinvest.summary"
_ORIGIN = "smartinvest.origin"
_REMEDY = "Restore it from a backup, or move it away and run `smartinvest ingest` again."


@dataclass(frozen=True)
class LakeFile:
    """A landed file: its path in the lake, what it says of its rows, and where those are now.

    ``held_by`` is the path of the file to read; it is another one after a compaction.
    """

    path: str
    summary: Summary
    held_by: str


def dataset_folder(settings: Settings, area: str, table: Table) -> str:
    """Return the folder of a dataset of the settings' source, inside the lake."""
    return f"{area}/{table.name}/source={settings.source.value}"


def add_file(
    settings: Settings,
    table: Table,
    rows: pa.Table,
    folder: str,
    *,
    origin: str = "",
    restated_rows: int = 0,
) -> FileRecord:
    """Write rows of a declared dataset into a folder of the lake, named by their own digest.

    Rows that are there already stay as they are.

    Parameters
    ----------
    folder : path inside the lake.
    origin : where the rows come from, as text that the file carries.
    restated_rows : how many of the rows replace an earlier version.

    Raises
    ------
    LakeError
        The lake cannot be written, or the rows are not as declared.
    """
    rows = canonical(rows, table)
    metadata = {_ORIGIN: origin} if origin else {}
    if rows.num_rows and "known_at" in table.column_names:
        metadata[_SUMMARY] = summarise(rows, table, restated_rows).to_json()
    content = to_bytes(rows, metadata)
    name, digest = content_name(content)
    path = f"{folder}/{name}"
    place = storage(settings)
    if not _is_there(place, path, digest):
        place.write(path, content)
    return FileRecord(path, digest, rows.num_rows)


def landed_files(settings: Settings, area: str, table: Table, below: str = "") -> list[LakeFile]:
    """Return all landed files of a dataset of the settings' source, in path order.

    Parameters
    ----------
    area : ``raw`` or ``quarantine``.
    below : a folder below the dataset's, to list only that one.
    """
    place = storage(settings)
    folder = dataset_folder(settings, area, table) + (f"/{below}" if below else "")
    return [
        LakeFile(path, summary_of(place, table, path), path)
        for path in place.files(folder, ".parquet")
    ]


def held_by(settings: Settings, table: Table, area: str, paths: Iterable[str]) -> list[str]:
    """Return the files that hold the rows of landed files now, without repeats, in path order.

    Raises
    ------
    LakeError
        The lake has no such file.
    """
    now = {file.path: file.held_by for file in landed_files(settings, area, table)}
    found = set()
    for path in paths:
        if path not in now:
            raise LakeError("lake file", path, "it does not exist", _REMEDY)
        found.add(now[path])
    return sorted(found)


def dataset_files(settings: Settings, table: Table) -> list[str]:
    """Return the paths of all landed files of a raw dataset of the settings' source, in order."""
    return [file.path for file in landed_files(settings, "raw", table)]


def read_file(
    settings: Settings, table: Table, path: str, columns: Sequence[str] | None = None
) -> pa.Table:
    """Return the rows of one file as it lies in the lake, text columns encoded.

    Raises
    ------
    LakeError
        The file is missing, truncated, no Parquet, or of another table.
    """
    return _read(storage(settings), table, path, columns, None)


def read_rows(
    settings: Settings,
    table: Table,
    files: Iterable[LakeFile],
    columns: Sequence[str] | None = None,
    subjects: Collection[str] | None = None,
) -> pa.Table:
    """Return the rows of landed files, or of some symbols (or series) in them, encoded.

    Row groups that hold none of the subjects are not read. After a compaction there may be rows
    of other files among them.
    """
    place = storage(settings)
    wanted = None if subjects is None else sorted(subjects)
    paths = sorted({file.held_by for file in files if _may_hold(file.summary, wanted)})
    parts = [_read(place, table, path, columns, wanted) for path in paths]
    parts = [part for part in parts if part.num_rows]
    if not parts:
        schema = encoded_schema(table)
        return (schema if columns is None else _select(schema, columns)).empty_table()
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def verified(settings: Settings, path: str) -> str:
    """Return a content-named file's digest after comparing it with its name.

    Raises
    ------
    LakeError
        It is missing, or its bytes are not those that were written under this name.
    """
    try:
        digest = hashlib.sha256(storage(settings).read(path)).hexdigest()
    except FileNotFoundError:
        raise LakeError("lake file", path, "it does not exist", _REMEDY) from None
    if path.rpartition("/")[2].partition(".")[0] != digest[:NAME_DIGITS]:
        raise LakeError(
            "lake file",
            path,
            f"its bytes changed after it was written (SHA-256 is now {digest[:NAME_DIGITS]}...)",
            _REMEDY,
        )
    return digest


def digest_of(settings: Settings, file: LakeFile) -> str:
    """Return a landed file's digest, once the file that holds its rows is proved undamaged.

    Raises
    ------
    LakeError
        It is missing, or its bytes are not those that were written under its name.
    """
    return verified(settings, file.held_by)


def local_copy(settings: Settings, path: str) -> Path:
    """Return a file of this machine with a content-named file's bytes, for readers that need one.

    A file of a local lake is its own. One of a remote lake is kept under the home once it was
    downloaded and proved undamaged.
    """
    place = storage(settings)
    if place.local_root is not None:
        return place.local_root / path
    copy = settings.home / "cache" / "lake" / path
    name = path.rpartition("/")[2].partition(".")[0]
    if not copy.is_file() or file_digest(copy)[:NAME_DIGITS] != name:
        try:
            content = place.read(path)
        except FileNotFoundError:
            raise LakeError("lake file", path, "it does not exist", _REMEDY) from None
        if hashlib.sha256(content).hexdigest()[:NAME_DIGITS] != name:
            raise LakeError("lake file", path, "its bytes are not what its name says", _REMEDY)
        write_local(copy, content)
    return copy


def visible(files: Iterable[LakeFile], session: dt.date, known_at: dt.datetime) -> list[LakeFile]:
    """Return the files that hold at least one row with session and known_at within the cuts.

    A file that only later sessions or later knowledge added to is left out, so the answer for a
    past session stays the same when the lake grows.
    """
    return [file for file in files if file.summary.holds_visible_row(session, known_at)]


def summary_of(place: Storage, table: Table, path: str) -> Summary:
    """Return what a file says of its rows."""
    return _summary(place, table.name, path)


def origin_of(settings: Settings, path: str) -> str:
    """Return where a file's rows come from, as was said when it was added."""
    metadata = _opened(storage(settings), path).metadata.metadata or {}
    return metadata.get(_ORIGIN.encode(), b"").decode()


@lru_cache(maxsize=1 << 17)
def _summary(place: Storage, table: str, path: str) -> Summary:
    metadata = _opened(place, path).metadata.metadata or {}
    try:
        return Summary.from_json(metadata[_SUMMARY.encode()])
    except (KeyError, TypeError, json.JSONDecodeError):
        raise LakeError(
            "lake file", path, f"it does not say what rows of {table} it holds", _REMEDY
        ) from None


def _may_hold(summary: Summary, subjects: Sequence[str] | None) -> bool:
    if subjects is None:
        return True
    # The least wanted one that is not below the file's first decides.
    from bisect import bisect_left

    position = bisect_left(subjects, summary.first_subject)
    return position < len(subjects) and subjects[position] <= summary.last_subject


def _read(
    place: Storage,
    table: Table,
    path: str,
    columns: Sequence[str] | None,
    subjects: Sequence[str] | None,
) -> pa.Table:
    file = _opened(
        place,
        path,
        [field.name for field in encoded_schema(table) if pa.types.is_dictionary(field.type)],
    )
    try:
        if file.schema_arrow.remove_metadata() != _as_stored(table):
            raise LakeError(
                "lake file", path, f"its columns are not those of {table.name}", _REMEDY
            )
        groups = _groups(file, table, subjects)
        rows = file.read_row_groups(groups, columns=columns)
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    schema = encoded_schema(table)
    rows = rows.cast(schema if columns is None else _select(schema, columns))
    if subjects is None:
        return rows
    return rows.filter(pc.is_in(rows[subject_column(table)], pa.array(subjects)))


def _as_stored(table: Table) -> pa.Schema:
    return encoded_schema(table)


def _groups(file: pq.ParquetFile, table: Table, subjects: Sequence[str] | None) -> list[int]:
    return list(range(file.metadata.num_row_groups))


def _opened(place: Storage, path: str, dictionaries: list[str] | None = None) -> pq.ParquetFile:
    """Open a file; every way in which it can be broken is a ``LakeError``."""
    try:
        return pq.ParquetFile(
            place.open(path), read_dictionary=dictionaries, page_checksum_verification=True
        )
    except FileNotFoundError:
        raise LakeError("lake file", path, "it does not exist", _REMEDY) from None
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: Exception) -> LakeError:
    cause = str(error).splitlines()[0].rstrip(".")
    return LakeError("lake file", path, f"it cannot be read ({cause})", _REMEDY)


def _is_there(place: Storage, path: str, digest: str) -> bool:
    try:
        return hashlib.sha256(place.read(path)).hexdigest() == digest
    except FileNotFoundError:
        return False


def _select(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in columns])
