"""Compaction: one file per year instead of one per batch and session, changing no answer.

    compacted/<dataset>/source=<source>/[year=<Y>/]<digest>.parquet

A compacted file holds the rows of all landed files of a folder and names them, with digests, in its
own metadata; so it comes into force in the moment in which it exists. Manifests go on naming
landed files. What it replaces is removed by the next compaction, so that who reads it meanwhile is
not disturbed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from models.declaration import Table
from models.lake import RAW
from pipelines.lake.catalogue import (
    REPLACES,
    LakeFile,
    compacted_files,
    landed_files,
    replaced_files,
    to_replaces,
)
from pipelines.lake.files import verified
from pipelines.lake.lock import sole_writer
from pipelines.lake.parquet import canonical, changes, codes, content_name, to_bytes
from pipelines.lake.parquet_reading import read_parquet
from pipelines.lake.storage import storage
from pipelines.settings import Settings


@dataclass(frozen=True)
class CompactionReport:
    """What one compaction did: files it read, wrote and removed, rows in what it wrote."""

    files_read: int
    files_written: int
    files_removed: int
    rows: int


def compact(settings: Settings) -> CompactionReport:
    """Merge the files of each folder of every raw dataset of the settings' source.

    Raises
    ------
    HomeError
        Another process writes the source.
    LakeError
        A file is damaged, or the lake cannot be written; nothing is lost then.
    """
    read = written = removed = rows = 0
    with sole_writer(settings):
        for table in RAW:
            removed += _sweep(settings, table)
            folders: dict[str, list[LakeFile]] = defaultdict(list)
            for file in landed_files(settings, "raw", table):
                folders[file.path.rpartition("/")[0]].append(file)
            for folder, files in sorted(folders.items()):
                held_by = sorted({file.held_by for file in files})
                if len(held_by) > 1:
                    rows += _merge(settings, table, folder, files, held_by)
                    read, written = read + len(held_by), written + 1
    return CompactionReport(read, written, removed, rows)


def _merge(
    settings: Settings,
    table: Table,
    folder: str,
    files: Sequence[LakeFile],
    held_by: Sequence[str],
) -> int:
    place = storage(settings)
    proved = {path: verified(settings, path) for path in held_by}
    parts = [read_parquet(place, table, path) for path in held_by]
    rows = canonical(pa.concat_tables(parts).unify_dictionaries(), table)
    distinct = changes([codes(rows[name]) for name in table.column_names])
    rows = rows if distinct.all() else rows.filter(pa.array(distinct))
    replaces = to_replaces((file, file.digest or proved[file.path]) for file in files)
    content = to_bytes(rows, {REPLACES: replaces})
    name, _ = content_name(content)
    place.write(f"{folder.replace('raw/', 'compacted/', 1)}/{name}", content)
    return rows.num_rows


def _sweep(settings: Settings, table: Table) -> int:
    """Remove what an earlier compaction replaced, and compacted files that a later one holds."""
    place = storage(settings)
    current = {file.held_by for file in landed_files(settings, "raw", table)}
    for path in compacted_files(settings, table):
        if path in current:
            verified(settings, path)
    dead = [path for path in compacted_files(settings, table) if path not in current]
    replaced = {
        file.path
        for path in compacted_files(settings, table)
        for file in replaced_files(settings, table, path)
    }
    dead += sorted(path for path in replaced - current if place.exists(path))
    for path in dead:
        place.delete(path)
    return len(dead)
