"""The lake: merge small files, and remove snapshots that no run, and no build, was made from.

Each build writes a snapshot of the client inputs and of the advice so far, and a manifest that
names them. Where it was never published, or another one took its place, nobody needs them. Raw
market data is never removed, nor is anything of another source: its runs may be in another store.
"""

import logging
from collections.abc import Iterable, Iterator

from pipelines.lake import Manifest, compact, read_manifest, storage
from pipelines.lake.storage import Storage, StoredFile
from pipelines.maintenance.lineage import Lineage, lineage_of
from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention
from pipelines.settings import Settings
from pipelines.warehouse.workspace import sole_builder

logger = logging.getLogger(__name__)

_NS = 1e9


def compact_lake(settings: Settings, rule: Retention) -> list[Removal]:
    """Merge the small files of a source; what was merged the last time is removed."""
    if rule.dry_run:
        return [Removal("merged files of the lake", 0, note="a dry run merges nothing")]
    done = compact(settings)
    note = f"{done.files_read:,} files were merged into {done.files_written:,}"
    return [Removal("merged files of the lake", done.files_removed, note=note)]


def remove_snapshots(settings: Settings, rule: Retention) -> list[Removal]:
    """Remove old manifests that nobody needs, and old snapshot files that none of the others names.

    No build is made meanwhile: it might name a file that is there already.

    Raises
    ------
    LakeError, StoreError
        What is needed cannot be told, because a manifest is damaged or the store cannot be read;
        nothing is removed then.
    """
    with sole_builder(settings):
        place, lineage = storage(settings), lineage_of(settings)
        manifests = {
            file: read_manifest(settings, _digest(file)) for file in place.stored("manifests")
        }
        needed = _needed(settings, manifests.values(), lineage)
        old = [file for file in manifests if _is_old(file, rule)]
        unneeded = [file for file in old if _digest(file) not in needed]
        named = {
            file.path
            for stored, manifest in manifests.items()
            if stored not in unneeded
            for file in manifest.files
        }
        snapshots = [file for file in _snapshot_files(place) if _is_old(file, rule)]
        unnamed = [file for file in snapshots if file.path not in named]
        if not rule.dry_run:
            # Manifests first: one that is there must not lack a file that it names.
            for file in (*unneeded, *unnamed):
                logger.info("removing %s from the lake", file.path)
                place.delete(file.path)
    return [
        _removal("manifests that no run needs", unneeded, len(old) - len(unneeded)),
        _removal("snapshots that no manifest names", unnamed, len(snapshots) - len(unnamed)),
    ]


def _needed(settings: Settings, manifests: Iterable[Manifest], lineage: Lineage) -> set[str]:
    """Return the digests of manifests that stay, whatever their age."""
    needed = set(lineage.data_snapshots)
    for manifest in manifests:
        is_foreign = manifest.source != settings.source.value
        if is_foreign or manifest.digest.startswith(tuple(lineage.manifest_prefixes)):
            needed |= {manifest.digest, manifest.data_snapshot}
    return needed


def _digest(file: StoredFile) -> str:
    return file.path.rpartition("/")[2].removesuffix(".json")


def _snapshot_files(place: Storage) -> Iterator[StoredFile]:
    """Yield the files that builds write: copies of client inputs, and of what all runs say.

    What one run advised is copied once for all builds (``history/<table>/run=...``) and stays.
    """
    yield from place.stored("clients")
    for file in place.stored("history"):
        if file.path.endswith(".parquet") and "/run=" not in file.path:
            yield file


def _is_old(file: StoredFile, rule: Retention) -> bool:
    return rule.is_old(file.written_ns / _NS)


def _removal(what: str, files: list[StoredFile], needed: int) -> Removal:
    return Removal(what, len(files), sum(file.size_bytes for file in files), needed)
