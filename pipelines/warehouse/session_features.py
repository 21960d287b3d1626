"""Export of the mart ``session_features``, so that models read it as they read the panel."""

from pathlib import Path

from pipelines.lake import write_parquet
from pipelines.warehouse.duckdb import open_writable
from pipelines.warehouse.record import SESSION_FEATURES_FILE, WAREHOUSE_FILE, FeatureFile


def export_session_features(workspace: Path) -> FeatureFile:
    """Write the mart of a workspace's database beside it; equal rows give equal bytes.

    Raises
    ------
    LakeError
        The workspace cannot be written.
    """
    with open_writable(workspace / WAREHOUSE_FILE) as warehouse:
        mart = warehouse.sql("select * from marts.session_features order by session_date")
        rows = mart.to_arrow_table().combine_chunks()
    file = workspace / SESSION_FEATURES_FILE
    written = write_parquet(rows, file)
    return FeatureFile(file.name, written.digest, written.rows, file.stat().st_size)
