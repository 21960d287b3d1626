"""Lay out a build's inputs: per dbt source, a folder of links to exactly the manifest's files."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from models.declaration import Table
from models.lake import INSTRUMENTS, PRICES, QUARANTINED_PRICES
from models.store_inputs import SNAPSHOT
from pipelines.lake import (
    Manifest,
    arrow_schema,
    client_files,
    instrument_files,
    price_files,
    quarantine_files,
    write_parquet,
)

CUT = pa.schema(
    [
        ("source", pa.string()),
        ("session_date", pa.date32()),
        ("known_at_cut", pa.timestamp("us", tz="UTC")),
        ("data_snapshot", pa.string()),
    ]
)
"""Columns of the one-row dbt source ``run.cut``."""


def lay_out(manifest: Manifest, workspace: Path) -> None:
    """Fill ``<workspace>/inputs/<source table>/`` with links to the manifest's files.

    dbt reads these folders by a path relative to the workspace, so that no path of a machine
    reaches its SQL. A table without files gets one without rows.
    """
    _link(workspace, "prices", PRICES, price_files(manifest))
    _link(workspace, "instruments", INSTRUMENTS, instrument_files(manifest))
    _link(workspace, "quarantined_prices", QUARANTINED_PRICES, quarantine_files(manifest))
    for table in SNAPSHOT:
        _link(workspace, table.name, table, client_files(manifest, table))
    cut = {
        "source": manifest.source,
        "session_date": manifest.session_date,
        "known_at_cut": manifest.known_at_cut,
        "data_snapshot": manifest.data_snapshot,
    }
    write_parquet(pa.Table.from_pylist([cut], CUT), workspace / "inputs" / "cut" / "cut.parquet")


def remove_inputs(workspace: Path) -> None:
    """Remove the links again: a finished build stands for itself."""
    shutil.rmtree(workspace / "inputs")


def _link(workspace: Path, name: str, table: Table, files: Sequence[Path]) -> None:
    folder = workspace / "inputs" / name
    folder.mkdir(parents=True)
    for number, file in enumerate(files):
        (folder / f"{number:06d}.parquet").symlink_to(file)
    if not files:
        write_parquet(arrow_schema(table).empty_table(), folder / "empty.parquet")
