"""Compaction: one file per folder instead of one per batch and session, changing no answer.

    compacted/raw/<dataset>/source=<source>/[year=<Y>/]<digest>.parquet
    compacted/quarantine/<dataset>/source=<source>/rules=<digest>/<digest>.parquet

A compacted file holds the rows of landed files of one folder and names them, with digests, in its
own metadata; so it comes into force in the moment in which it exists. Manifests go on naming
landed files. What it replaces is removed by the next compaction, so that who reads it meanwhile is
not disturbed.

Raw files without a verdict stay apart: who reads checked ones must not find other rows there.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from models.declaration import Table
from models.lake import RAW, quarantined
from pipelines.lake.catalogue import (
    REPLACES,
    LakeFile,
    compacted_files,
    landed_files,
    replaced_files,
    to_replaces,
)
from pipelines.lake.checks import checked_files
from pipelines.lake.files import verified
from pipelines.lake.lock import sole_writer
from pipelines.lake.parquet import content_name, to_bytes
from pipelines.lake.parquet_reading import read_parquet
from pipelines.lake.rows import canonical, changes, codes
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
    """Merge the checked files of each folder of every raw dataset of a source, and its verdicts.

    Raises
    ------
    HomeError
        Another process writes the source.
    LakeError
        A file is damaged, or the lake cannot be written; nothing is lost then.
    """
    read = written = removed = rows = 0
    datasets = [("raw", table) for table in RAW]
    datasets += [("quarantine", quarantined(table)) for table in RAW]
    with sole_writer(settings):
        for area, table in datasets:
            removed += _sweep(settings, area, table)
            folders: dict[str, list[LakeFile]] = defaultdict(list)
            for file in _mergeable(settings, area, table):
                folders[file.path.rpartition("/")[0]].append(file)
            for folder, files in sorted(folders.items()):
                held_by = sorted({file.held_by for file in files})
                if len(held_by) > 1:
                    rows += _merge(settings, table, folder, files, held_by)
                    read, written = read + len(held_by), written + 1
    return CompactionReport(read, written, removed, rows)


def _mergeable(settings: Settings, area: str, table: Table) -> list[LakeFile]:
    files = landed_files(settings, area, table)
    if area == "quarantine":
        return files
    checked = checked_files(settings, table)
    apart = {file.held_by for file in files if file.path not in checked}
    return [file for file in files if file.held_by not in apart]


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
    place.write(f"compacted/{folder}/{name}", content)
    return rows.num_rows


def _sweep(settings: Settings, area: str, table: Table) -> int:
    """Remove what an earlier compaction replaced, and compacted files that a later one holds."""
    place = storage(settings)
    current = {file.held_by for file in landed_files(settings, area, table)}
    compacted = compacted_files(settings, area, table)
    for path in compacted:
        if path in current:
            verified(settings, path)
    dead = [path for path in compacted if path not in current]
    replaced = {
        file.path for path in compacted for file in replaced_files(settings, area, table, path)
    }
    dead += sorted(path for path in replaced - current if place.exists(path))
    for path in dead:
        place.delete(path)
    return len(dead)
