"""Which files a dataset has, and what each says of its rows, without opening the same file twice.

A *landed* file is one that was added under ``raw/`` or ``quarantine/``; its path names it for ever.
Compaction may put its rows into another file, under ``compacted/``, which carries the list of the
files it replaces. Reading a landed file then means reading that one, which holds more rows. Readers
never mind, since they cut rows by session, knowledge and symbol anyway.

Files never change, so what they say is remembered: by this process, and under the home for others.
"""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.declaration import Table
from pipelines.errors import LakeError
from pipelines.lake.parquet_reading import REMEDY, metadata_of
from pipelines.lake.storage import Storage, storage
from pipelines.lake.summary import Summary
from pipelines.lineage import canonical_json, json_digest
from pipelines.local_files import write_local
from pipelines.settings import Settings

SUMMARY = "smartinvest.summary"
REPLACES = "smartinvest.replaces"

_FEWEST_SAVED, _SAVED_SHARE = 64, 8
"""A process saves what it knows after so many new files, or an eighth of all if that is more."""


@dataclass(frozen=True)
class LakeFile:
    """A landed file: its path in the lake, what it says of its rows, and where those are now.

    Attributes
    ----------
    held_by : path of the file to read; it is another one after a compaction.
    digest : SHA-256 of its bytes in hex, where a compaction noted it; else empty.
    """

    path: str
    summary: Summary
    held_by: str
    digest: str = ""


def dataset_folder(settings: Settings, area: str, table: Table) -> str:
    """Return the folder of a dataset of the settings' source, inside the lake."""
    return f"{area}/{table.name}/source={settings.source.value}"


def landed_files(settings: Settings, area: str, table: Table, below: str = "") -> list[LakeFile]:
    """Return all landed files of a dataset of the settings' source, in path order.

    Parameters
    ----------
    area : ``raw`` or ``quarantine``.
    below : a folder below the dataset's, to list only that one.

    Raises
    ------
    LakeError
        A file cannot be read, or was not written by this lake.
    """
    place = storage(settings)
    folder = dataset_folder(settings, area, table)
    notes = _notes(settings, place, folder)
    landed = place.files(f"{folder}/{below}" if below else folder, ".parquet")
    files = dict(zip(landed, notes.files(place, landed), strict=True))
    if compacted := compacted_files(settings, area, table, below):
        made = [notes.replaced(place, path) for path in compacted]
        # A later compaction replaces all that an earlier one did, and more.
        for replaced in sorted(made, key=len):
            files |= {file.path: file for file in replaced}
        return [files[path] for path in sorted(files)]
    return list(files.values())


def compacted_files(settings: Settings, area: str, table: Table, below: str = "") -> list[str]:
    """Return the files that compaction made of a dataset, in path order."""
    folder = f"compacted/{dataset_folder(settings, area, table)}"
    return storage(settings).files(f"{folder}/{below}" if below else folder, ".parquet")


def replaced_files(
    settings: Settings, area: str, table: Table, compacted: str
) -> Sequence[LakeFile]:
    """Return the landed files whose rows a compacted file holds."""
    place = storage(settings)
    return _notes(settings, place, dataset_folder(settings, area, table)).replaced(place, compacted)


def to_replaces(files: Iterable[tuple[LakeFile, str]]) -> str:
    """Return the text by which a compacted file names the files it replaces, with digests."""
    return canonical_json(
        [
            {"path": file.path, "digest": digest, "summary": json.loads(file.summary.to_json())}
            for file, digest in files
        ]
    )


def remember(settings: Settings, folder: str, path: str, summary: Summary) -> None:
    """Note what a file says that this process has just written."""
    dataset = "/".join(folder.split("/")[:3])
    _notes(settings, storage(settings), dataset).learn({path: summary})


@dataclass
class _Notes:
    """What files of one dataset say; ``saved`` is the file under the home that keeps it."""

    saved: Path
    known: dict[str, LakeFile] = field(default_factory=dict)
    replacements: dict[str, Sequence[LakeFile]] = field(default_factory=dict)
    unsaved: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def files(self, place: Storage, paths: Sequence[str]) -> list[LakeFile]:
        missing = [path for path in paths if path not in self.known]
        if missing:
            self.learn({path: _summary(place, path) for path in missing})
        return [self.known[path] for path in paths]

    def replaced(self, place: Storage, compacted: str) -> Sequence[LakeFile]:
        if compacted not in self.replacements:
            self.replacements[compacted] = _replaced(place, compacted)
        return self.replacements[compacted]

    def learn(self, summaries: Mapping[str, Summary]) -> None:
        with self.lock:
            self.known |= {
                path: LakeFile(path, summary, path) for path, summary in summaries.items()
            }
            self.unsaved += len(summaries)
            if self.unsaved >= max(_FEWEST_SAVED, len(self.known) // _SAVED_SHARE):
                plain = {path: file.summary.to_json() for path, file in self.known.items()}
                write_local(self.saved, canonical_json(plain).encode())
                self.unsaved = 0


_all_notes: dict[Path, _Notes] = {}


def _notes(settings: Settings, place: Storage, dataset: str) -> _Notes:
    name = json_digest([place.url, dataset])[:16]
    saved = settings.home / "cache" / "summaries" / f"{name}.json"
    if saved not in _all_notes:
        known = {path: LakeFile(path, summary, path) for path, summary in _load(saved).items()}
        _all_notes[saved] = _Notes(saved, known)
    return _all_notes[saved]


def _load(saved: Path) -> dict[str, Summary]:
    """Return what another process noted; a note that cannot be read is as good as none."""
    try:
        plain = json.loads(saved.read_bytes())
        return {path: Summary.from_json(text) for path, text in plain.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _summary(place: Storage, path: str) -> Summary:
    try:
        return Summary.from_json(metadata_of(place, path)[SUMMARY])
    except (KeyError, TypeError, ValueError):
        raise _foreign(path) from None


def _replaced(place: Storage, path: str) -> tuple[LakeFile, ...]:
    try:
        entries: list[dict[str, Any]] = json.loads(metadata_of(place, path)[REPLACES])
        return tuple(
            LakeFile(
                entry["path"], Summary.from_plain(entry["summary"]), path, str(entry["digest"])
            )
            for entry in entries
        )
    except (KeyError, TypeError, ValueError):
        raise _foreign(path) from None


def _foreign(path: str) -> LakeError:
    return LakeError("lake file", path, "it does not say what rows it holds", REMEDY)
