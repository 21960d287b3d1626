"""The lake: append-only Parquet files in a folder or a bucket, and the manifests that pin them.

    raw/<dataset>/source=<source>/[year=<Y>/]<digest>.parquet              as received
    quarantine/<dataset>/source=<source>/rules=<digest>/<digest>.parquet   what was rejected, why
    compacted/<folder of either>/<digest>.parquet                          the same, in fewer files
    releases/source=<source>/<digest>.parquet                              verdicts overruled
    checks/<dataset>/source=<source>/rules=<digest>/<digest>.json          what was checked
    clients/<table>/<digest>.parquet                                       client inputs, no names
    history/<table>/[run=<run_id>/]<digest>.parquet                        advice that was published
    history/runs/<columns>/<run_id>.json                                   which of them are a run's
    manifests/<digest>.json                                                what one build read
    warehouse/source=<source>/                                             published builds, where
                                                                           machines share the lake

A file never changes once it has its name, and its name starts with its own SHA-256, so damage
shows. Paths are inside the lake, with forward slashes.
"""

from pipelines.lake.append import AppendResult, append_versions
from pipelines.lake.catalogue import LakeFile, landed_files
from pipelines.lake.checks import checked_files, mark_checked, rules_in_force, unchecked_files
from pipelines.lake.compaction import CompactionReport, compact
from pipelines.lake.cut import known_at_cut
from pipelines.lake.files import (
    dataset_files,
    local_copy,
    origin_of,
    read_file,
    read_rows,
)
from pipelines.lake.lock import sole_writer
from pipelines.lake.manifest import (
    Manifest,
    build_manifest,
    manifests_starting,
    read_manifest,
    write_manifest,
)
from pipelines.lake.parquet import FileRecord, write_parquet, write_text
from pipelines.lake.quarantine import (
    add_rejections,
    add_release,
    read_verdicts,
    rejections,
    releases,
    unreleased,
    verdicts,
    without_rejected,
)
from pipelines.lake.reading import (
    current_versions,
    past_of,
    read_as_of,
    read_files,
    symbol_spans,
)
from pipelines.lake.restatements import restatements
from pipelines.lake.rows import arrow_schema, canonical, conform, declared
from pipelines.lake.session_cuts import known_at_cuts
from pipelines.lake.storage import Storage, clean_leftovers, storage
from pipelines.lake.withdrawals import with_withdrawals
from pipelines.lake.writing import add_file

__all__ = [
    "AppendResult",
    "CompactionReport",
    "FileRecord",
    "LakeFile",
    "Manifest",
    "Storage",
    "add_file",
    "add_rejections",
    "add_release",
    "append_versions",
    "arrow_schema",
    "build_manifest",
    "canonical",
    "checked_files",
    "clean_leftovers",
    "compact",
    "conform",
    "current_versions",
    "dataset_files",
    "declared",
    "known_at_cut",
    "known_at_cuts",
    "landed_files",
    "local_copy",
    "manifests_starting",
    "mark_checked",
    "origin_of",
    "past_of",
    "read_as_of",
    "read_file",
    "read_files",
    "read_manifest",
    "read_rows",
    "read_verdicts",
    "rejections",
    "releases",
    "restatements",
    "rules_in_force",
    "sole_writer",
    "storage",
    "symbol_spans",
    "unchecked_files",
    "unreleased",
    "verdicts",
    "with_withdrawals",
    "without_rejected",
    "write_manifest",
    "write_parquet",
    "write_text",
]
