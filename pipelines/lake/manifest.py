"""The manifest: exactly which files one warehouse build read; its digest is their one name.

It names landed files. What compaction does to them later changes no manifest.

Advice is made from market data and client inputs, the **data snapshot**. A build also reads what
earlier runs advised, for analysts. That is no part of the snapshot: in a backfill a session is
built while the one before is still being advised on, and its run must not hang on which of the
two came first.
"""

import datetime as dt
import json
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from models.declaration import Table
from models.lake import INSTRUMENTS, PRICES, RAW
from pipelines.errors import LakeError
from pipelines.lake.catalogue import LakeFile, landed_files
from pipelines.lake.checks import checked_files, filed_verdicts, rules_in_force
from pipelines.lake.cut import known_at_cut
from pipelines.lake.files import verified, visible
from pipelines.lake.parquet import FileRecord
from pipelines.lake.quarantine import release_files, verdict_files
from pipelines.lake.storage import storage
from pipelines.lineage import canonical_json, json_digest
from pipelines.settings import Settings

_THREADS = 4
_HISTORY = "history/"


@dataclass(frozen=True)
class Manifest:
    """The files of one build of one session, and the cut in knowledge that applies to their rows.

    Files are known by their path inside the lake, so a lake may be moved. They are in path order.
    """

    source: str
    session_date: dt.date
    known_at_cut: dt.datetime
    files: tuple[FileRecord, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest's canonical JSON, in hex."""
        return json_digest(self.content())

    @property
    def data_snapshot(self) -> str:
        """The digest without the history of advice: that of market data and client inputs."""
        return self.without_history().digest

    def with_history(self, files: Sequence[FileRecord]) -> "Manifest":
        """Return the manifest with the files of earlier advice beside its own."""
        every = (*self.without_history().files, *files)
        return replace(self, files=tuple(sorted(every, key=lambda file: file.path)))

    def without_history(self) -> "Manifest":
        """Return the manifest of market data and client inputs alone."""
        own = tuple(file for file in self.files if not file.path.startswith(_HISTORY))
        return replace(self, files=own)

    def content(self) -> dict[str, Any]:
        """Return the manifest as plain values, files in path order."""
        return {
            "source": self.source,
            "session_date": self.session_date.isoformat(),
            "known_at_cut": self.known_at_cut.isoformat(),
            "files": [
                {"path": file.path, "digest": file.digest, "rows": file.rows} for file in self.files
            ],
        }

    def paths(self, area: str, table: Table | None = None) -> list[str]:
        """Return the files of an area: raw, quarantine, clients, releases or history.

        Only those of one table, where one is given; paths inside the lake, in order.
        """
        prefix = f"{area}/" if table is None else f"{area}/{table.name}/"
        return [file.path for file in self.files if file.path.startswith(prefix)]


def build_manifest(
    settings: Settings, session: dt.date, client_files: Sequence[FileRecord]
) -> Manifest:
    """List what a build of a session reads: visible market data, verdicts, and client files.

    The verdicts are those under the rules in force. Every file's bytes are compared with the
    digest in its name.

    Raises
    ------
    LakeError
        There are no prices for the session yet, some were not checked, or a file is missing,
        damaged or foreign.
    """
    cut = known_at_cut(settings, session)
    files = []
    for table in RAW:
        landed, judged = landed_files(settings, "raw", table), verdict_files(settings, table)
        _require_all(checked_files(settings, table), landed)
        _require_all(filed_verdicts(settings, table), judged)
        raw = visible(landed, session, cut)
        _require_rows(settings, table, raw, session)
        _require_checked(settings, table, raw, session)
        rejected = visible(judged, session, cut)
        files += _records(settings, [*raw, *rejected])
    files += [_release(settings, path) for path in release_files(settings)]
    for file in client_files:
        if verified(settings, file.path) != file.digest:
            raise LakeError(
                "lake file", file.path, "its bytes changed", "Run `smartinvest transform` again."
            )
    in_path_order = tuple(sorted((*files, *client_files), key=lambda file: file.path))
    return Manifest(settings.source.value, session, cut, in_path_order)


def write_manifest(settings: Settings, manifest: Manifest) -> str:
    """Store a manifest under its digest, and its data snapshot under its own; each once.

    Returns
    -------
    The path of the whole manifest.
    """
    place = storage(settings)
    for each in (manifest.without_history(), manifest):
        path = _path(each.digest)
        if not place.exists(path):
            place.write(path, canonical_json(each.content()).encode())
    return path


def read_manifest(settings: Settings, digest: str) -> Manifest:
    """Return the stored manifest of a data snapshot, or of a whole build.

    Raises
    ------
    LakeError
        There is none of that name, or its text is not what its name says.
    """
    path = _path(digest)
    try:
        content = json.loads(storage(settings).read(path).to_pybytes())
        manifest = Manifest(
            content["source"],
            dt.date.fromisoformat(content["session_date"]),
            dt.datetime.fromisoformat(content["known_at_cut"]),
            tuple(
                FileRecord(file["path"], file["digest"], file["rows"]) for file in content["files"]
            ),
        )
    except FileNotFoundError:
        raise LakeError(
            "data snapshot",
            digest,
            "the lake has no manifest of it",
            "Run `smartinvest transform`, or point SMARTINVEST_HOME at the home that made it.",
        ) from None
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None
    if manifest.digest != digest:
        raise _damaged(path)
    return manifest


def manifests_starting(settings: Settings, prefix: str) -> list[str]:
    """Return the digests of stored manifests that start with some digits."""
    names = [path.rpartition("/")[2] for path in storage(settings).files("manifests", ".json")]
    return [name.removesuffix(".json") for name in names if name.startswith(prefix)]


def _records(settings: Settings, files: Sequence[LakeFile]) -> list[FileRecord]:
    """Return what a manifest says of landed files, once the files to read are proved undamaged."""
    held_by = sorted({file.held_by for file in files})
    with ThreadPoolExecutor(_THREADS) as pool:
        digests = pool.map(lambda path: verified(settings, path), held_by)
        proved = dict(zip(held_by, digests, strict=True))
    return [
        FileRecord(file.path, file.digest or proved[file.path], file.summary.rows) for file in files
    ]


def _release(settings: Settings, path: str) -> FileRecord:
    return FileRecord(path, verified(settings, path), 1)


def _require_rows(
    settings: Settings, table: Table, files: Sequence[LakeFile], session: dt.date
) -> None:
    if not files and table in (PRICES, INSTRUMENTS):
        raise LakeError(
            "session",
            session,
            f"the lake has no {table.name} of source {settings.source.value} up to it",
            f"Run `smartinvest ingest --session {session}` first.",
        )


def _require_all(expected: Collection[str], files: Sequence[LakeFile]) -> None:
    """Refuse to go on without a file that a check has seen."""
    for path in sorted(set(expected) - {file.path for file in files}):
        raise LakeError(
            "lake file",
            path,
            "it was there when its rows were checked, and is gone",
            "Restore it from a backup; a build without it would pass for a complete one.",
        )


def _require_checked(
    settings: Settings, table: Table, files: Sequence[LakeFile], session: dt.date
) -> None:
    if table is not PRICES and rules_in_force(settings, table) is None:
        return
    checked = checked_files(settings, table)
    for file in files:
        if file.path not in checked:
            raise LakeError(
                "lake file",
                file.path,
                "its rows were never checked against their expectations",
                f"Run `smartinvest ingest --session {session}` to its end first.",
            )


def _path(digest: str) -> str:
    return f"manifests/{digest}.json"


def _damaged(path: str) -> LakeError:
    return LakeError(
        "manifest",
        path,
        "its text is not what its name says",
        "Restore it from a backup, or remove it and run `smartinvest transform` again.",
    )
