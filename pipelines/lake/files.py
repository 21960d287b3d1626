"""Read rows of the lake's files, and prove that their bytes are what they were."""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from models.declaration import Table
from pipelines.errors import LakeError
from pipelines.lake.catalogue import LakeFile, landed_files
from pipelines.lake.parquet import NAME_DIGITS
from pipelines.lake.parquet_reading import REMEDY, metadata_of, read_parquet
from pipelines.lake.rows import encoded_schema
from pipelines.lake.storage import Storage, storage
from pipelines.lake.summary import may_hold
from pipelines.lineage import file_digest
from pipelines.local_files import write_local
from pipelines.settings import Settings

ORIGIN = "smartinvest.origin"
_THREADS = 4
"""Readers at once: they wait for disks and servers more than they compute."""


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
    return read_parquet(storage(settings), table, path, columns)


def read_rows(
    settings: Settings,
    table: Table,
    files: Iterable[LakeFile],
    columns: Sequence[str] | None = None,
    subjects: Collection[str] | None = None,
) -> pa.Table:
    """Return the rows of landed files, or of some symbols (or series) in them, encoded.

    Files and row groups that hold none of the subjects are not read. After a compaction there may
    be rows of other files among them.
    """
    place = storage(settings)
    wanted = None if subjects is None else sorted(subjects)
    paths = sorted({file.held_by for file in files if may_hold(file.summary, wanted)})

    def read(path: str) -> pa.Table:
        return read_parquet(place, table, path, columns, wanted)

    # One symbol's rows of a local file are read sooner than a thread takes over.
    is_slow = place.local_root is None or wanted is None or len(wanted) > 1
    if len(paths) > 1 and is_slow:
        with ThreadPoolExecutor(_THREADS) as pool:
            parts = list(pool.map(read, paths))
    else:
        parts = [read(path) for path in paths]
    parts = [part for part in parts if part.num_rows]
    if not parts:
        schema = encoded_schema(table)
        names = schema.names if columns is None else columns
        return pa.schema([schema.field(name) for name in names]).empty_table()
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


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
            raise LakeError("lake file", path, "it does not exist", REMEDY)
        found.add(now[path])
    return sorted(found)


def verified(settings: Settings, path: str) -> str:
    """Return a content-named file's digest after comparing it with its name.

    Raises
    ------
    LakeError
        It is missing, or its bytes are not those that were written under this name.
    """
    try:
        digest = digest_of(storage(settings), path)
    except FileNotFoundError:
        raise LakeError("lake file", path, "it does not exist", REMEDY) from None
    if _name_digits(path) != digest[:NAME_DIGITS]:
        raise LakeError(
            "lake file",
            path,
            f"its bytes changed after it was written (SHA-256 is now {digest[:NAME_DIGITS]}...)",
            REMEDY,
        )
    return digest


def local_copy(settings: Settings, path: str) -> Path:
    """Return a file of this machine with a content-named file's bytes, for readers that need one.

    A file of a local lake is its own. One of a remote lake is kept under the home once it was
    downloaded and proved undamaged.
    """
    place = storage(settings)
    if place.local_root is not None:
        return place.local_root / path
    copy = settings.home / "cache" / "lake" / path
    if not copy.is_file() or file_digest(copy)[:NAME_DIGITS] != _name_digits(path):
        verified(settings, path)
        write_local(copy, place.read(path))
    return copy


def origin_of(settings: Settings, path: str) -> str:
    """Return where a file's rows come from, as was said when it was added."""
    return metadata_of(storage(settings), path).get(ORIGIN, "")


def visible(files: Iterable[LakeFile], session: dt.date, known_at: dt.datetime) -> list[LakeFile]:
    """Return the files that hold at least one row with session and known_at within the cuts.

    A file that only later sessions or later knowledge added to is left out, so the answer for a
    past session stays the same when the lake grows.
    """
    return [file for file in files if file.summary.holds_visible_row(session, known_at)]


def digest_of(place: Storage, path: str) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(place.read(path)).hexdigest()


def _name_digits(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]
