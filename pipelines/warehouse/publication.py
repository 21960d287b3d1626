"""Published builds: where they are and which pointers name them.

    builds/<session>_<manifest[:12]>_<code[:8]>/        warehouse.duckdb, panel/*.parquet,
                                                        session_features.parquet,
                                                        rejected/*.parquet, build.json,
                                                        run_results.json
    builds/.tmp-build/, .tmp-removed/                   the build being made, the one being removed
    builds/.tmp-replaced-<name>/                        one that is made anew, until it is there
    sessions/<session> -> ../builds/...                 the session's newest build
    current -> builds/...                               moves to a session >= its own only

All are of one source. A build never changes once it has its name. The newest ``KEPT_BUILDS`` and
the one that ``current`` names are kept; of an older one its session's pointer stays, and
``build_for`` makes it again from its manifest. Under the same code that gives the same bytes; under
other code it gives what that code makes of the same inputs, as another build.

Builds share the parts of the panel that are alike in both: one file under several names (hard
links). So removing a build removes no part that another one has.

Where machines share the lake, builds are published there (``pipelines/warehouse/shared``). What is
here is then this machine's scratch: what it built or fetched, for as long as somebody reads it.
"""

import datetime as dt
import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import WarehouseError
from pipelines.settings import Settings
from pipelines.store.one_source import ONE_HOME_EACH
from pipelines.warehouse.record import RECORD, WarehouseBuild

logger = logging.getLogger(__name__)

KEPT_BUILDS = 5
_LAST_USED = ".last_used"
_IN_USE_S = 6 * 3600.0
"""A build that was fetched later ago than this is not being read any more."""
_MANIFEST_DIGITS = 12
_CODE_DIGITS = 8


def build_name(session: dt.date, manifest_digest: str, code_digest: str) -> str:
    """Return the name of the build that these inputs and this code make."""
    return f"{session}_{manifest_digest[:_MANIFEST_DIGITS]}_{code_digest[:_CODE_DIGITS]}"


def manifest_prefix(name: str) -> str:
    """Return the first digits of the manifest's digest that a build's name carries."""
    return name.split("_")[1]


def is_of_code(name: str, code_digest: str) -> bool:
    """Say whether a build of that name was made by some code."""
    return name.endswith(f"_{code_digest[:_CODE_DIGITS]}")


def is_finished(path: Path) -> bool:
    """Say whether a build's folder is whole."""
    return (path / RECORD).is_file()


def finished_builds(settings: Settings) -> list[Path]:
    """Return the folders of all finished builds, the oldest first."""
    return sorted(
        (
            path
            for path in (settings.warehouse / "builds").iterdir()
            if not path.name.startswith(".") and is_finished(path)
        ),
        key=lambda path: ((path / RECORD).stat().st_mtime_ns, path.name),
    )


def mark_used(path: Path) -> None:
    """Note that a fetched build is about to be read, so that it is not removed meanwhile."""
    (path / _LAST_USED).touch()


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
        found = json.loads((real / RECORD).read_text(encoding="utf-8"))["source"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WarehouseError(
            "warehouse build",
            real,
            f"it is damaged: its record cannot be read ({error})",
            "Remove the folder and run `smartinvest transform` again.",
        ) from None
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


def point(settings: Settings, build: WarehouseBuild) -> None:
    """Point this home's session at a build; and ``current``, unless it names a later session."""
    # Else a build of an earlier session, fetched at the same moment, could take `current` back.
    with sole_namer(settings):
        _point(session_pointer(settings, build.session_date), build.path)
        current = settings.warehouse / "current"
        if not current.exists() or _session_of(current) <= build.session_date:
            _point(current, build.path)


def remove_old(settings: Settings) -> None:
    """Remove all but the newest builds and the current one; open readers keep their file."""
    leaving = settings.warehouse / "builds" / ".tmp-removed"
    with sole_namer(settings):
        if leaving.exists():
            shutil.rmtree(leaving)
        current = (settings.warehouse / "current").resolve()
        for path in finished_builds(settings)[:-KEPT_BUILDS]:
            if path != current and not _is_in_use(path):
                logger.info("removing the old build %s", path.name)
                # A kill in the middle must not leave half a build under its name.
                path.replace(leaving)
                shutil.rmtree(leaving)


@contextmanager
def sole_namer(settings: Settings) -> Iterator[None]:
    """Hold the names of builds: who fetches one may not meet who clears up, on the same machine."""
    with (settings.warehouse / ".names.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_in_use(path: Path) -> bool:
    try:
        return time.time() - (path / _LAST_USED).stat().st_mtime < _IN_USE_S
    except FileNotFoundError:
        return False


def _point(pointer: Path, target: Path) -> None:
    relative = os.path.relpath(target, pointer.parent)
    if pointer.is_symlink() and str(pointer.readlink()) == relative:
        return
    pointer.parent.mkdir(parents=True, exist_ok=True)
    temporary = pointer.with_name(f".{pointer.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(relative)
    temporary.replace(pointer)


def _session_of(pointer: Path) -> dt.date:
    return dt.date.fromisoformat(pointer.resolve().name.split("_")[0])
