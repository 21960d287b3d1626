"""Warehouse builds for tests that hold nothing but features."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from ml_examples import session_table

from pipelines.lineage import file_digest
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.warehouse.publication import build_name, publish, taking_name
from pipelines.warehouse.record import (
    PANEL_FOLDER,
    SESSION_FEATURES_FILE,
    FeatureFile,
    WarehouseBuild,
    features_digest,
    write_record,
)


def publish_features(
    settings: Settings, table: pa.Table, code_digest: str = "0" * 64
) -> WarehouseBuild:
    """Publish a warehouse build with a panel of these features; nothing else is in it."""
    session = max(table["session_date"].to_pylist())
    workspace = settings.warehouse / "builds" / ".tmp-build"
    (workspace / PANEL_FOLDER).mkdir(parents=True)
    part = _written(table, workspace / PANEL_FOLDER / "features.parquet")
    of_sessions = _written(session_table(table), workspace / SESSION_FEATURES_FILE)
    (workspace / "warehouse.duckdb").touch()
    digest = features_digest([part, of_sessions])
    build = WarehouseBuild(
        path=settings.warehouse.resolve() / "builds" / build_name(session, digest, code_digest),
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
    publish(settings, build)
    return build


def _written(table: pa.Table, path: Path) -> FeatureFile:
    pq.write_table(table, path)
    return FeatureFile(path.name, file_digest(path), table.num_rows, path.stat().st_size)
