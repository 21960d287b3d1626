"""The manifest: exactly which files one warehouse build read; its digest is the data snapshot."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import INSTRUMENTS, PRICES, QUARANTINED_PRICES
from pipelines.errors import LakeError
from pipelines.lake.checks import is_checked
from pipelines.lake.parquet import FileRecord, opened, read_parquet, verified, write_text
from pipelines.lake.raw import dataset_files, quarantine_dataset_files, visible_files
from pipelines.lineage import canonical_json, json_digest
from pipelines.sessions import available_at
from pipelines.settings import Settings


@dataclass(frozen=True)
class Manifest:
    """The files of one build of one session, and the cut in knowledge that applies to their rows.

    ``files`` carry absolute paths; the snapshot's digest and the stored text know them by their
    path inside the lake, so a lake may be moved. They are in path order.
    """

    lake: Path
    source: str
    session_date: dt.date
    known_at_cut: dt.datetime
    files: tuple[FileRecord, ...]

    @property
    def data_snapshot(self) -> str:
        """SHA-256 of the manifest's canonical JSON, in hex."""
        return json_digest(self.content())

    def content(self) -> dict[str, Any]:
        """Return the manifest as plain values, files in path order."""
        return {
            "source": self.source,
            "session_date": self.session_date.isoformat(),
            "known_at_cut": self.known_at_cut.isoformat(),
            "files": [
                {"path": self.path_in_lake(file), "digest": file.digest, "rows": file.rows}
                for file in self.files
            ],
        }

    def path_in_lake(self, file: FileRecord) -> str:
        """Return a file's path inside the lake, with forward slashes."""
        return file.path.relative_to(self.lake).as_posix()


def known_at_cut(settings: Settings, session: dt.date) -> dt.datetime:
    """Return the moment up to which a run of a session knows things.

    It is the moment from which the session's bars count as known, or that of the last version of
    any of them, if later.
    """
    newest = available_at(session)
    wanted = pa.scalar(session, pa.date32())
    for path in visible_files(
        dataset_files(settings, PRICES), PRICES, session, dt.datetime.max.replace(tzinfo=dt.UTC)
    ):
        rows = read_parquet(path, PRICES, ["session_date", "known_at"])
        last = pc.max(rows.filter(pc.field("session_date") == wanted)["known_at"]).as_py()
        newest = newest if last is None else max(newest, last)
    return newest.astimezone(dt.UTC)


def build_manifest(
    settings: Settings, session: dt.date, client_files: Sequence[FileRecord]
) -> Manifest:
    """List what a build of a session reads: visible market data, quarantine, and client files.

    Every file's bytes are compared with the digest in its name.

    Raises
    ------
    LakeError
        There are no prices for the session yet, some were not checked, or a file is missing,
        damaged or foreign.
    """
    cut = known_at_cut(settings, session)
    files = []
    for table in (PRICES, INSTRUMENTS):
        paths = visible_files(dataset_files(settings, table), table, session, cut)
        if not paths:
            raise LakeError(
                "session",
                session,
                f"the lake has no {table.name} of source {settings.source.value} up to it",
                f"Run `smartinvest ingest --session {session}` first.",
            )
        if table is PRICES:
            _require_checked(settings, paths, session)
        files += [_record(path, table) for path in paths]
    rejected = visible_files(
        quarantine_dataset_files(settings, QUARANTINED_PRICES), QUARANTINED_PRICES, session, cut
    )
    files += [_record(path, QUARANTINED_PRICES) for path in rejected]
    for file in client_files:
        if verified(file.path) != file.digest:
            raise LakeError(
                "lake file", file.path, "its bytes changed", "Run `smartinvest transform` again."
            )
    in_path_order = tuple(sorted((*files, *client_files), key=lambda file: file.path))
    return Manifest(settings.lake, settings.source.value, session, cut, in_path_order)


def write_manifest(settings: Settings, manifest: Manifest) -> Path:
    """Store a manifest under its data snapshot; the same manifest is stored once."""
    path = _path(settings, manifest.data_snapshot)
    if path.exists():
        return path
    return write_text(canonical_json(manifest.content()), path)


def read_manifest(settings: Settings, data_snapshot: str) -> Manifest:
    """Return a stored manifest.

    Raises
    ------
    LakeError
        There is none of that name, or its text is not what its name says.
    """
    path = _path(settings, data_snapshot)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(
            settings.lake,
            content["source"],
            dt.date.fromisoformat(content["session_date"]),
            dt.datetime.fromisoformat(content["known_at_cut"]),
            tuple(
                FileRecord(settings.lake / file["path"], file["digest"], file["rows"])
                for file in content["files"]
            ),
        )
    except FileNotFoundError:
        raise LakeError(
            "data snapshot",
            data_snapshot,
            f"there is no manifest of it in {settings.lake / 'manifests'}",
            "Run `smartinvest transform`, or point SMARTINVEST_HOME at the home that made it.",
        ) from None
    except (ValueError, KeyError, TypeError, OSError):
        raise _damaged(path) from None
    if manifest.data_snapshot != data_snapshot:
        raise _damaged(path)
    return manifest


def price_files(manifest: Manifest) -> list[Path]:
    """Return the manifest's raw price files, absolute, in path order."""
    return _select(manifest, f"raw/{PRICES.name}/")


def instrument_files(manifest: Manifest) -> list[Path]:
    """Return the manifest's instrument files, absolute, in path order."""
    return _select(manifest, f"raw/{INSTRUMENTS.name}/")


def quarantine_files(manifest: Manifest) -> list[Path]:
    """Return the manifest's files of rejected prices, absolute, in path order; may be empty."""
    return _select(manifest, f"quarantine/{QUARANTINED_PRICES.name}/")


def client_files(manifest: Manifest, table: Table) -> list[Path]:
    """Return the manifest's files of one client table, absolute, in path order."""
    return _select(manifest, f"clients/{table.name}/")


def _select(manifest: Manifest, prefix: str) -> list[Path]:
    return sorted(
        file.path for file in manifest.files if manifest.path_in_lake(file).startswith(prefix)
    )


def _record(path: Path, table: Table) -> FileRecord:
    with opened(path, table) as file:
        rows = int(file.metadata.num_rows)
    return FileRecord(path, verified(path), rows)


def _require_checked(settings: Settings, paths: Sequence[Path], session: dt.date) -> None:
    for path in paths:
        if not is_checked(settings, PRICES, path):
            raise LakeError(
                "lake file",
                path,
                "its rows were never checked against their expectations",
                f"Run `smartinvest ingest --session {session}` to its end first.",
            )


def _path(settings: Settings, data_snapshot: str) -> Path:
    return settings.lake / "manifests" / f"{data_snapshot}.json"


def _damaged(path: Path) -> LakeError:
    return LakeError(
        "manifest",
        path,
        "its text is not what its name says",
        "Restore it from a backup, or remove it and run `smartinvest transform` again.",
    )
