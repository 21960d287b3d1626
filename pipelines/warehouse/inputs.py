"""Lay out a build's inputs: per dbt source, a folder with exactly the rows the manifest names."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from models.advice_history import ADVICE_HISTORY
from models.declaration import Table
from models.lake import RAW
from models.store_inputs import SNAPSHOT
from pipelines.lake import (
    Manifest,
    arrow_schema,
    declared,
    local_copy,
    read_file,
    write_parquet,
)
from pipelines.lake.catalogue import replaced_files
from pipelines.lake.files import held_by, visible
from pipelines.lake.landed_rows import may_have_landed_with
from pipelines.settings import Settings
from pipelines.warehouse.base import REJECTED_FOLDER, Plan
from pipelines.warehouse.changes import Inputs
from pipelines.warehouse.cuts import cut_row, series_rows, session_rows


def lay_out(settings: Settings, inputs: Inputs, plan: Plan, workspace: Path) -> None:
    """Fill ``<workspace>/inputs/<source table>/`` with links to the manifest's files.

    dbt reads these folders by a path relative to the workspace, so that no path of a machine
    reaches its SQL. A table without files gets one without rows. Rejections, the verdicts less
    what a person released, are written anew, and stay in the build: a later one compares them.
    ``inputs/base`` is the build to go on from; without it, everything is computed.

    Raises
    ------
    LakeError
        A file of the manifest is missing or damaged.
    """
    manifest = inputs.manifest
    for table in RAW:
        _lay_out_raw(settings, manifest, workspace, table)
        _keep_rejections(inputs, workspace, table)
    for table in SNAPSHOT:
        _link(settings, workspace, table.name, table, manifest.paths("clients", table))
    for table in ADVICE_HISTORY:
        _link(settings, workspace, table.name, table, manifest.paths("history", table))
    write_parquet(cut_row(manifest), workspace / "inputs" / "cut" / "cut.parquet")
    sessions = session_rows(settings, manifest)
    write_parquet(sessions, workspace / "inputs" / "session" / "sessions.parquet")
    write_parquet(series_rows(), workspace / "inputs" / "series" / "series.parquet")
    write_parquet(plan.changes.symbols, workspace / "inputs" / "change" / "changes.parquet")
    if plan.base is not None:
        (workspace / "inputs" / "base").symlink_to(plan.base.path)


def _lay_out_raw(settings: Settings, manifest: Manifest, workspace: Path, table: Table) -> None:
    """Link the files of a raw dataset; of compacted ones that hold more, write the rows that count.

    A compaction may have put rows beside the manifest's that landed after it was made. Cuts do not
    tell them apart where they count as known since long, by assumption.
    """
    paths = manifest.paths("raw", table)
    files = held_by(settings, table, "raw", paths)
    _link(settings, workspace, table.name, table, files)
    for number, path in enumerate(files):
        if path in paths:
            continue
        replaced = replaced_files(settings, "raw", table, path)
        own = [file for file in replaced if file.path in set(paths)]
        others = [file for file in replaced if file.path not in set(paths)]
        if not visible(others, manifest.session_date, manifest.known_at_cut):
            continue
        rows = read_file(settings, table, path)
        kept = rows.filter(pa.array(may_have_landed_with(own, rows, table)))
        link = workspace / "inputs" / table.name / f"{number:06d}.parquet"
        link.unlink()
        write_parquet(declared(kept, table), link)


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


def _keep_rejections(inputs: Inputs, workspace: Path, table: Table) -> None:
    kept = workspace / REJECTED_FOLDER / f"{table.name}.parquet"
    write_parquet(inputs.rejected[table.name], kept)
    folder = workspace / "inputs" / f"quarantined_{table.name}"
    folder.mkdir()
    (folder / "rejections.parquet").symlink_to(kept)
