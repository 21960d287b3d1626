"""Warehouse builds for tests that hold nothing but features, and what became of forecasts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from ml_examples import session_table

from pipelines.lineage import file_digest, json_digest
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.warehouse.duckdb import open_writable
from pipelines.warehouse.publication import build_name, point
from pipelines.warehouse.record import (
    PANEL_FOLDER,
    SESSION_FEATURES_FILE,
    FeatureFile,
    WarehouseBuild,
    features_digest,
    write_record,
)
from pipelines.warehouse.workspace import taking_name

RESULT = pa.schema(
    [
        *((name, pa.date32()) for name in ("session_date", "end_session_date")),
        *((name, pa.string()) for name in ("symbol", "model_name", "run_id", "mlflow_run_id")),
        *((name, pa.int64()) for name in ("horizon_sessions", "model_version")),
        *((name, pa.bool_()) for name in ("serves", "is_inside_80", "is_inside_95")),
        *(
            (name, pa.float64())
            for name in (
                *("confidence", "expected_log_return", "realised_log_return", "error"),
                *(f"{end}_{level}_log_return" for level in (80, 95) for end in ("lower", "upper")),
            )
        ),
    ]
)
"""Columns of the mart ``forecast_result``."""


def publish_features(
    settings: Settings,
    table: pa.Table,
    code_digest: str = "0" * 64,
    results: Sequence[dict[str, Any]] = (),
) -> WarehouseBuild:
    """Publish a build with a panel of these features and these rows of ``forecast_result``."""
    session = max(table["session_date"].to_pylist())
    workspace = settings.warehouse / "builds" / ".tmp-build"
    (workspace / PANEL_FOLDER).mkdir(parents=True)
    part = _written(table, workspace / PANEL_FOLDER / "features.parquet")
    of_sessions = _written(session_table(table), workspace / SESSION_FEATURES_FILE)
    found = pa.Table.from_pylist(list(results), schema=RESULT)
    _fill(workspace / "warehouse.duckdb", table, found)
    digest = features_digest([part, of_sessions])
    build = WarehouseBuild(
        path=settings.warehouse.resolve()
        / "builds"
        / build_name(session, json_digest([digest, len(results)]), code_digest),
        source=settings.source.value,
        session_date=session,
        known_at_cut=available_at(session),
        data_snapshot=digest,
        code_digest=code_digest,
        feature_hash=digest,
        panel=(part,),
        session_features=of_sessions,
        rows={"features": table.num_rows},
    )
    with taking_name(settings, workspace, build.path):
        write_record(build, build.path)
    point(settings, build)
    return build


def _fill(file: Path, panel: pa.Table, results: pa.Table) -> None:
    """Make what the monitor reads of a warehouse, under the names that dbt gives it."""
    with open_writable(file) as warehouse:
        for schema in ("intermediate", "marts"):
            warehouse.execute(f"create schema {schema}")
        made = (
            ("intermediate.int_panel", panel),
            ("marts.session_features", session_table(panel)),
            ("marts.forecast_result", results),
            ("marts.run_lineage", _lineage(results)),
        )
        for name, rows in made:
            warehouse.register("made", rows)
            warehouse.execute(f"create table {name} as select * from made")
            warehouse.unregister("made")


def _lineage(results: pa.Table) -> pa.Table:
    """Runs and the trainings by which they advised."""
    runs = sorted(set(results["run_id"].to_pylist()))
    return pa.table(
        {"run_id": runs, "training_run_id": [f"training of {run}" for run in runs]},
        schema=pa.schema([("run_id", pa.string()), ("training_run_id", pa.string())]),
    )


def _written(table: pa.Table, path: Path) -> FeatureFile:
    pq.write_table(table, path)
    return FeatureFile(path.name, file_digest(path), table.num_rows, path.stat().st_size)
