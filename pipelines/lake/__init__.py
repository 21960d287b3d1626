"""The lake: append-only Parquet files under ``<home>/lake``, and the manifests that pin them.

    raw/<dataset>/source=<source>/session_date=<s>/<digest>.parquet         as received
    quarantine/<dataset>/source=<source>/session_date=<s>/<digest>.parquet  what was rejected, why
    checks/<dataset>/source=<source>/<rules>/<digest>.json                  what was checked
    clients/<table>/<digest>.parquet                                        client inputs, no names
    manifests/<data_snapshot>.json                                          what one build read

A file never changes once it has its name: it is written under a temporary name, and its name
starts with its own SHA-256, so damage shows.
"""

from pipelines.lake.checks import is_checked, mark_checked, unchecked_files
from pipelines.lake.manifest import (
    Manifest,
    build_manifest,
    client_files,
    instrument_files,
    known_at_cut,
    price_files,
    quarantine_files,
    read_manifest,
    write_manifest,
)
from pipelines.lake.parquet import (
    FileRecord,
    add_file,
    arrow_schema,
    clean_leftovers,
    conform,
    read_parquet,
    write_parquet,
    write_text,
)
from pipelines.lake.raw import (
    append_versions,
    current_versions,
    dataset_files,
    partition,
    quarantine_dataset_files,
    read_as_of,
)

__all__ = [
    "FileRecord",
    "Manifest",
    "add_file",
    "append_versions",
    "arrow_schema",
    "build_manifest",
    "clean_leftovers",
    "client_files",
    "conform",
    "current_versions",
    "dataset_files",
    "instrument_files",
    "is_checked",
    "known_at_cut",
    "mark_checked",
    "partition",
    "price_files",
    "quarantine_dataset_files",
    "quarantine_files",
    "read_as_of",
    "read_manifest",
    "read_parquet",
    "unchecked_files",
    "write_manifest",
    "write_parquet",
    "write_text",
]
