"""Published builds: where they are, what they say of themselves, which pointers name them.

    builds/<session>_<data_snapshot[:12]>_<code[:8]>/   warehouse.duckdb, features.parquet,
                                                        build.json, run_results.json
    builds/.tmp-build/, .tmp-removed/                   the build being made, the one being removed
    sessions/<session> -> ../builds/...                 the session's newest build
    current -> builds/...                               moves to a session >= its own only

All are of one source. A build never changes once it has its name. The newest ``KEPT_BUILDS`` and
the one that ``current`` names are kept; of an older one its session's pointer stays, and
``build_for`` makes it again from its manifest. Under the same code that gives the same bytes; under
other code it gives what that code makes of the same inputs, as another build.
"""

import dataclasses
import datetime as dt
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import WarehouseError
from pipelines.lake.parquet import write_text
from pipelines.lineage import canonical_json, file_digest
from pipelines.settings import Settings
from pipelines.store.one_source import ONE_HOME_EACH

logger = logging.getLogger(__name__)

KEPT_BUILDS = 5
_RECORD = "build.json"
_SNAPSHOT_DIGITS = 12
_CODE_DIGITS = 8


@dataclass(frozen=True)
class WarehouseBuild:
    """One finished build.

    ``path`` is its own folder, not a pointer. ``feature_hash`` is the SHA-256 of
    ``features.parquet``; ``rows`` counts the rows of each mart.
    """

    path: Path
    source: str
    session_date: dt.date
    known_at_cut: dt.datetime
    data_snapshot: str
    code_digest: str
    feature_hash: str
    rows: Mapping[str, int]

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file; open it with ``pipelines.warehouse.connect``."""
        return self.path / "warehouse.duckdb"

    @property
    def features_path(self) -> Path:
        """The mart ``features`` as Parquet, ordered by symbol and session."""
        return self.path / "features.parquet"


def build_name(session: dt.date, data_snapshot: str, code_digest: str) -> str:
    """Return the name of the build that these inputs and this code make."""
    return f"{session}_{data_snapshot[:_SNAPSHOT_DIGITS]}_{code_digest[:_CODE_DIGITS]}"


def snapshot_prefix(name: str) -> str:
    """Return the first digits of the data snapshot that a build's name carries."""
    return name.split("_")[1]


@contextmanager
def sole_builder(settings: Settings) -> Iterator[int]:
    """Hold the warehouse for one build at a time; yields the lock's descriptor.

    Raises
    ------
    WarehouseError
        The folder cannot be written.
    """
    try:
        settings.warehouse.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(settings.warehouse / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise unwritable(settings.warehouse, error) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("another build is under way; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def fresh_workspace(settings: Settings) -> Path:
    """Return an empty folder for the build being made; what a killed one left there is removed.

    Its path is always the same, so that dbt need not parse the project anew.

    Raises
    ------
    WarehouseError
        The folder cannot be written.
    """
    workspace = settings.warehouse / "builds" / ".tmp-build"
    try:
        if workspace.exists():
            logger.info("removing what an unfinished build left behind")
            shutil.rmtree(workspace)
        workspace.mkdir(parents=True)
    except OSError as error:
        raise unwritable(workspace, error) from None
    return workspace


def finish(workspace: Path, build: WarehouseBuild) -> None:
    """Complete a workspace with its record and give it the build's name."""
    content = {
        field.name: getattr(build, field.name)
        for field in dataclasses.fields(build)
        if field.name != "path"
    }
    write_text(canonical_json(content), workspace / _RECORD)
    workspace.replace(build.path)


def read_build(path: Path) -> WarehouseBuild:
    """Read the record of a finished build and check its feature file against it.

    Raises
    ------
    WarehouseError
        The record is missing or damaged, or the feature file is not what it says.
    """
    real = path.resolve()
    try:
        content = json.loads((real / _RECORD).read_text(encoding="utf-8"))
        content["session_date"] = dt.date.fromisoformat(content["session_date"])
        content["known_at_cut"] = dt.datetime.fromisoformat(content["known_at_cut"])
        build = WarehouseBuild(path=real, **content)
        whole = file_digest(build.features_path) == build.feature_hash
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(real, str(error)) from None
    if not whole or not build.warehouse_path.is_file():
        raise _damaged(real, "its files are not those that its record names")
    return build


def require_home_of(settings: Settings) -> None:
    """Check that the current build, if there is one, is of the settings' source.

    Raises
    ------
    WarehouseError
        It is of another source, or its record is damaged.
    """
    current = settings.warehouse / "current"
    if not current.exists():
        return
    real = current.resolve()
    try:
        found = json.loads((real / _RECORD).read_text(encoding="utf-8"))["source"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(real, str(error)) from None
    if found != settings.source.value:
        raise WarehouseError(
            "source",
            settings.source.value,
            f"this home's current warehouse was built from {found}, and its pointers cannot tell "
            "sources apart",
            ONE_HOME_EACH,
        )


def session_pointer(settings: Settings, session: dt.date) -> Path:
    """Return the path of a session's pointer."""
    return settings.warehouse / "sessions" / session.isoformat()


def publish(settings: Settings, build: WarehouseBuild) -> None:
    """Point the session, and ``current`` unless it names a later session, at a finished build."""
    _point(session_pointer(settings, build.session_date), build.path)
    current = settings.warehouse / "current"
    if not current.exists() or _session_of(current) <= build.session_date:
        _point(current, build.path)


def remove_old(settings: Settings) -> None:
    """Remove all but the newest builds and the current one; open readers keep their file."""
    builds = settings.warehouse / "builds"
    leaving = builds / ".tmp-removed"
    if leaving.exists():
        shutil.rmtree(leaving)
    finished = sorted(
        (path for path in builds.iterdir() if (path / _RECORD).is_file()),
        key=lambda path: ((path / _RECORD).stat().st_mtime_ns, path.name),
    )
    current = (settings.warehouse / "current").resolve()
    for path in finished[:-KEPT_BUILDS]:
        if path != current:
            logger.info("removing the old build %s", path.name)
            # A kill in the middle must not leave half a build under its name.
            path.replace(leaving)
            shutil.rmtree(leaving)


def _point(pointer: Path, target: Path) -> None:
    relative = os.path.relpath(target, pointer.parent)
    if pointer.is_symlink() and str(pointer.readlink()) == relative:
        return
    pointer.parent.mkdir(parents=True, exist_ok=True)
    temporary = pointer.with_name(f".{pointer.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(relative)
    temporary.replace(pointer)


def _session_of(pointer: Path) -> dt.date:
    return dt.date.fromisoformat(pointer.resolve().name.split("_")[0])


def _damaged(path: Path, problem: str) -> WarehouseError:
    return WarehouseError(
        "warehouse build",
        path,
        f"it is damaged ({problem})",
        "Remove the folder and run `smartinvest transform` again.",
    )


def unwritable(path: Path, error: OSError) -> WarehouseError:
    """Return the error that says a folder of the warehouse cannot be written, and why."""
    return WarehouseError(
        "warehouse folder",
        path,
        f"it cannot be written ({error.strerror or error})",
        "Mend its permissions or make room on the disk; nothing was changed.",
    )
