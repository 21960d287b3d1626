"""From raw rows to the mart ``features`` without dbt: its compiled SQL, and the panel's builder."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from warehouse_inputs import SESSION

from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE, quarantined
from models.panel import PANEL
from pipelines.lake import Manifest, arrow_schema
from pipelines.sessions import available_at
from pipelines.settings import load_settings
from pipelines.warehouse.changes import CHANGE
from pipelines.warehouse.cuts import cut_row, series_rows, session_rows
from pipelines.warehouse.panel.build import build_panel
from pipelines.warehouse.panel.staged import Staged

RAW = (PRICES, ACTIONS, MACRO, UNIVERSE, INSTRUMENTS)
_STAGING = ("cut", "sessions", "series", "prices", "actions", "macro", "universe", "instruments")
KEY = ("symbol", "session_date")
SINGLE = 2.0**-23
"""The relative error of binary32, doubled."""


def derive_features(
    compiled: Path,
    folder: Path,
    session: dt.date = SESSION,
    threads: int = 2,
    **raw: pa.Table,
) -> pa.Table:
    """Derive the mart ``features`` from raw datasets, given by their names.

    Every session knew what was known at its bars' availability; nothing is quarantined.

    Parameters
    ----------
    compiled : dbt's folder of compiled models.
    folder : an empty folder to work in.
    threads : of DuckDB and of the panel's builder each.
    """
    _lay_out(folder, session, raw)
    with duckdb.connect(str(folder / "warehouse.duckdb"), config={"threads": threads}) as database:
        database.execute("set timezone = 'UTC'")
        database.execute(f"set file_search_path = '{folder}'")
        for schema in ("staging", "intermediate", "marts"):
            database.execute(f"create schema {schema}")
        for name in _STAGING:
            is_view = name == "prices"
            _create(database, compiled, f"staging/stg_{name}", "view" if is_view else "table")
        last_bars = build_panel(_staged(database), folder, threads)
        database.register("last_bars", last_bars)
        database.execute("create table intermediate.int_last_bar as from last_bars")
        _create(database, compiled, "intermediate/int_panel", "view")
        _create(database, compiled, "marts/macro", "table")
        _create(database, compiled, "marts/session_features", "table")
        _create(database, compiled, "marts/features", "view")
        return database.sql("from marts.features order by symbol, session_date").to_arrow_table()


def bits(features: pa.Table, until: dt.date | None = None) -> dict[tuple[str, dt.date], bytes]:
    """The bits of each row up to a session, by key; null differs from every number."""
    rows = bit_matrix(features)
    keys = zip(features["symbol"].to_pylist(), features["session_date"].to_pylist(), strict=True)
    return {
        key: row.tobytes()
        for key, row in zip(keys, rows, strict=True)
        if until is None or key[1] <= until
    }


def bit_matrix(features: pa.Table) -> NDArray[np.int64]:
    """The bits of all numbers and, beside them, which are null; one row per row."""
    columns = [features[name] for name in features.column_names if name not in KEY]
    missing = np.column_stack([column.is_null().to_numpy() for column in columns])
    values = np.column_stack([_doubles(column) for column in columns])
    return np.hstack([values.view(np.int64), missing.astype(np.int64)])


def agrees(
    ours: "pd.Series[float]",
    theirs: "pd.Series[float]",
    relative: float | None = None,
    absolute: float = 1e-12,
) -> None:
    """Ours is theirs to the precision of the type in which it is stored."""
    if relative is None:
        is_single = PANEL[str(ours.name)].type.name == "SINGLE"
        relative = SINGLE if is_single else 1e-9
    np.testing.assert_array_equal(ours.isna(), theirs.isna(), err_msg=str(ours.name))
    np.testing.assert_allclose(
        ours.astype(float), theirs, rtol=relative, atol=absolute, err_msg=str(ours.name)
    )


def _doubles(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Values without loss, 0 where there is none."""
    numbers = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    return np.asarray(numbers.cast(pa.float64()).fill_null(0.0).to_numpy())


def _lay_out(folder: Path, session: dt.date, given: Mapping[str, pa.Table]) -> None:
    manifest = Manifest("sample", session, available_at(session), ())
    tables: dict[str, pa.Table] = {
        "cut": cut_row(manifest),
        "session": session_rows(load_settings({}, home=folder / "home"), manifest),
        "series": series_rows(),
        "change": CHANGE.empty_table(),
    }
    for table in RAW:
        tables[table.name] = given.get(table.name, arrow_schema(table).empty_table())
        tables[f"quarantined_{table.name}"] = arrow_schema(quarantined(table)).empty_table()
    assert set(given) <= set(tables)
    for name, rows in tables.items():
        (folder / "inputs" / name).mkdir(parents=True)
        pq.write_table(rows, folder / "inputs" / name / "rows.parquet")


def _create(database: duckdb.DuckDBPyConnection, compiled: Path, model: str, kind: str) -> None:
    sql = (compiled / f"{model}.sql").read_text("utf-8")
    database.execute(f"create {kind} {model.replace('/', '.')} as {sql}")


def _staged(database: duckdb.DuckDBPyConnection) -> Staged:
    def staging(name: str) -> Any:
        return database.sql(f"from staging.stg_{name}")

    return Staged(
        cut=staging("cut"),
        raw_prices=database.sql("from read_parquet('inputs/prices/*.parquet')"),
        prices=staging("prices"),
        actions=staging("actions"),
        universe=staging("universe"),
        instruments=staging("instruments"),
        changes=database.sql("from read_parquet('inputs/change/*.parquet')"),
    )
