"""Lay out a build's inputs: per dbt source, a folder with exactly the rows the manifest names."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from models.declaration import Table
from models.lake import RAW, quarantined
from models.store_inputs import SNAPSHOT
from pipelines.lake import (
    Manifest,
    arrow_schema,
    declared,
    local_copy,
    read_verdicts,
    releases,
    unreleased,
    write_parquet,
)
from pipelines.lake.files import held_by
from pipelines.settings import Settings
from pipelines.warehouse.cuts import cut_row, session_rows


def lay_out(settings: Settings, manifest: Manifest, workspace: Path) -> None:
    """Fill ``<workspace>/inputs/<source table>/`` with links to the manifest's files.

    dbt reads these folders by a path relative to the workspace, so that no path of a machine
    reaches its SQL. A table without files gets one without rows. Rejections are written anew,
    since they are the verdicts less what a person released.

    Raises
    ------
    LakeError
        A file of the manifest is missing or damaged.
    """
    for table in RAW:
        files = held_by(settings, table, "raw", manifest.paths("raw", table))
        _link(settings, workspace, table.name, table, files)
        _write_rejections(settings, manifest, workspace, table)
    for table in SNAPSHOT:
        _link(settings, workspace, table.name, table, manifest.paths("clients", table))
    write_parquet(cut_row(manifest), workspace / "inputs" / "cut" / "cut.parquet")
    write_parquet(session_rows(manifest), workspace / "inputs" / "session" / "sessions.parquet")


def remove_inputs(workspace: Path) -> None:
    """Remove the links again: a finished build stands for itself."""
    shutil.rmtree(workspace / "inputs")


def _link(
    settings: Settings, workspace: Path, name: str, table: Table, files: Sequence[str]
) -> None:
    folder = workspace / "inputs" / name
    folder.mkdir(parents=True)
    for number, file in enumerate(files):
        (folder / f"{number:06d}.parquet").symlink_to(local_copy(settings, file))
    if not files:
        write_parquet(arrow_schema(table).empty_table(), folder / "empty.parquet")


def _write_rejections(
    settings: Settings, manifest: Manifest, workspace: Path, table: Table
) -> None:
    verdicts = read_verdicts(settings, table, manifest.paths("quarantine", table))
    released = releases(settings, manifest.paths("releases"))
    rows = declared(unreleased(verdicts, released, table), quarantined(table))
    folder = workspace / "inputs" / f"quarantined_{table.name}"
    write_parquet(rows.combine_chunks(), folder / "rejections.parquet")
