"""Lay out a build's inputs: per dbt source, a folder with exactly the rows the manifest names."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from models.advice_history import ADVICE_HISTORY
from models.declaration import Table
from models.lake import RAW
from models.store_inputs import SNAPSHOT
from pipelines.lake import arrow_schema, local_copy, write_parquet
from pipelines.lake.files import held_by
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
        files = held_by(settings, table, "raw", manifest.paths("raw", table))
        _link(settings, workspace, table.name, table, files)
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
