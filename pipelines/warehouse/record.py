"""What a finished build says of itself (``build.json``), and whether its files are still there."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import WarehouseError
from pipelines.lake.parquet import write_text
from pipelines.lineage import canonical_json, file_digest, json_digest

if TYPE_CHECKING:
    from rich.console import RenderableType

RECORD = "build.json"
PANEL_FOLDER = "panel"
PARTS_FILE = "panel.json"
"""In which the panel's builder lists the parts of a workspace."""
LAST_BARS_FILE = "last_bars.parquet"
"""Where the panel ends per symbol, for the build that goes on from this one."""
WAREHOUSE_FILE = "warehouse.duckdb"
SESSION_FEATURES_FILE = "session_features.parquet"
"""The rows of the mart of that name, for readers that do without a database."""

_THREADS = 2
"""Digests at once; hashing is bound by the processor and lets others run meanwhile."""


@dataclass(frozen=True)
class FeatureFile:
    """One file of features: its name in its folder, its SHA-256 in hex, its rows and bytes."""

    name: str
    digest: str
    rows: int
    size_bytes: int


@dataclass(frozen=True)
class WarehouseBuild:
    """One finished build.

    Attributes
    ----------
    path : its own folder, not a pointer.
    feature_hash : SHA-256 of the canonical list of all files of features: name, digest and rows.
    panel : the parts, by name. Those that the build before had too are the same files.
    session_features : what all symbols of a session share, one row per session.
    rows : how many rows each mart has.
    base : name of the build that this one went on from; None where everything was computed.
        Which it was changes nothing else, so builds are equal without it.
    """

    path: Path
    source: str
    session_date: dt.date
    known_at_cut: dt.datetime
    data_snapshot: str
    code_digest: str
    feature_hash: str
    panel: tuple[FeatureFile, ...]
    session_features: FeatureFile
    rows: Mapping[str, int]
    base: str | None = dataclasses.field(default=None, compare=False)

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file; open it with ``pipelines.warehouse.connect``."""
        return self.path / WAREHOUSE_FILE

    @property
    def panel_path(self) -> Path:
        """The folder of the panel's parts, Parquet files, each ordered by symbol and session."""
        return self.path / PANEL_FOLDER

    @property
    def session_features_path(self) -> Path:
        """The Parquet file of what all symbols of a session share, ordered by session."""
        return self.path / SESSION_FEATURES_FILE

    @property
    def feature_files(self) -> dict[str, FeatureFile]:
        """All files of features, by their paths in the build's folder."""
        parts = {f"{PANEL_FOLDER}/{part.name}": part for part in self.panel}
        return parts | {SESSION_FEATURES_FILE: self.session_features}

    def __rich__(self) -> "RenderableType":
        """Return it as a terminal shows it: the panel's parts as sums, not one by one."""
        from pipelines.terminal import text_table

        parts, rows = len(self.panel), sum(part.rows for part in self.panel)
        size_mb = sum(part.size_bytes for part in self.panel) / 1e6
        fields = {
            field.name.replace("_", " "): getattr(self, field.name)
            for field in dataclasses.fields(self)
        }
        fields["panel"] = f"{rows:,} rows in {parts} parts, {size_mb:,.1f} MB"
        fields["session features"] = f"{self.session_features.rows:,} rows"
        fields["base"] = self.base or "none: all was computed from the lake"
        return text_table(["field", "value"], fields.items(), title=type(self).__name__)


_FIELDS = {field.name for field in dataclasses.fields(WarehouseBuild)} - {"path"}


def features_digest(files: Iterable[FeatureFile]) -> str:
    """Return the digest of features: of their files' names, digests and rows, in any order."""
    return json_digest(sorted((file.name, file.digest, file.rows) for file in files))


def read_parts(panel_json: Path, panel_folder: Path) -> tuple[FeatureFile, ...]:
    """Return the parts that the panel's builder listed, with their sizes, by name.

    Raises
    ------
    WarehouseError
        The list is missing, or it does not name exactly the files that are there.
    """
    try:
        listed = json.loads(panel_json.read_text("utf-8"))
        parts = [
            FeatureFile(
                part["name"],
                part["digest"],
                part["rows"],
                (panel_folder / part["name"]).stat().st_size,
            )
            for part in sorted(listed, key=lambda part: str(part["name"]))
        ]
        there = sorted(file.name for file in panel_folder.iterdir())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unlisted(panel_folder, str(error)) from None
    if there != [part.name for part in parts]:
        raise _unlisted(panel_folder, f"it holds {there}, the list says otherwise")
    return tuple(parts)


def write_record(build: WarehouseBuild, folder: Path) -> None:
    """Write a build's record into the folder that becomes the build's."""
    content = dataclasses.asdict(build)
    del content["path"]
    write_text(canonical_json(content), folder / RECORD)


def read_record(path: Path) -> WarehouseBuild:
    """Return what a build's folder says of itself, without looking at its other files.

    Raises
    ------
    WarehouseError
        The record is missing or damaged, or of a release that kept other records.
    """
    real = path.resolve()
    try:
        content: dict[str, Any] = dict(json.loads((real / RECORD).read_text(encoding="utf-8")))
        if unlike := sorted(content.keys() ^ _FIELDS):
            raise _of_another_release(real, unlike)
        content["session_date"] = dt.date.fromisoformat(content["session_date"])
        content["known_at_cut"] = dt.datetime.fromisoformat(content["known_at_cut"])
        content["panel"] = tuple(FeatureFile(**part) for part in content["panel"])
        content["session_features"] = FeatureFile(**content["session_features"])
        return WarehouseBuild(path=real, **content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(real, str(error)) from None


def read_build(path: Path) -> WarehouseBuild:
    """Read the record of a finished build and check that its files are there, in their sizes.

    Bytes are proved by :func:`verify`: at 31 million rows that takes seconds, this microseconds.

    Raises
    ------
    WarehouseError
        As :func:`read_record`; or a file is not there or of another size.
    """
    build = read_record(path)
    for name, file in build.feature_files.items():
        if _size(build.path / name) != file.size_bytes:
            raise damaged(build.path, f"{name} does not have the size it was written in")
    if not build.warehouse_path.is_file():
        raise damaged(build.path, f"it has no {WAREHOUSE_FILE}")
    return build


def verify(build: WarehouseBuild) -> None:
    """Prove that the features' bytes are those that the build wrote; for readers that learn.

    Raises
    ------
    WarehouseError
        A file is missing or its bytes changed.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        files = build.feature_files.items()
        for problem in pool.map(lambda named: _problem(build.path, *named), files):
            if problem:
                raise damaged(build.path, problem)


def damaged(path: Path, problem: str) -> WarehouseError:
    """Return the error that says a build is not what it was."""
    return WarehouseError(
        "warehouse build",
        path,
        f"it is damaged ({problem})",
        "Run `smartinvest transform --full` for its session: it is made again from the lake.",
    )


def _of_another_release(path: Path, unlike: Sequence[str]) -> WarehouseError:
    return WarehouseError(
        "warehouse build",
        path,
        f"another release of this program made it: their records differ in {', '.join(unlike)}",
        "Run `smartinvest transform` for its session: it is made from the lake by this release.",
    )


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None


def _unlisted(panel_folder: Path, problem: str) -> WarehouseError:
    return WarehouseError(
        "panel",
        panel_folder,
        f"its parts are not as its builder listed them ({problem})",
        "Run `smartinvest transform` again; if it comes back, the panel's code is wrong.",
    )


def _problem(build: Path, name: str, file: FeatureFile) -> str | None:
    try:
        changed = file_digest(build / name) != file.digest
    except OSError as error:
        return str(error)
    return f"the bytes of {name} changed" if changed else None
