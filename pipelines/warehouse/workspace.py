"""The folder of the build being made: held by one builder, until it takes the name of a build."""

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import WarehouseError
from pipelines.settings import Settings
from pipelines.store import held_among_machines
from pipelines.warehouse.publication import is_finished, sole_namer

logger = logging.getLogger(__name__)

_REPLACED = ".tmp-replaced-"


@contextmanager
def sole_builder(settings: Settings, *, is_private: bool = False) -> Iterator[int]:
    """Hold the warehouse for one build at a time; yields the lock's descriptor.

    Where machines share the lake, theirs wait too.

    Parameters
    ----------
    is_private : the build is for this home alone, so other machines need not wait.

    Raises
    ------
    WarehouseError
        The folder cannot be written.
    StoreError
        The store that machines share is unreachable.
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
        if is_private:
            yield descriptor
            return
        with held_among_machines(settings, f"warehouse-{settings.source.value}"):
            yield descriptor
    finally:
        os.close(descriptor)


def workspace_path(settings: Settings) -> Path:
    """Return the folder of the build being made: always the same, or dbt would parse all anew."""
    return settings.warehouse / "builds" / ".tmp-build"


def fresh_workspace(settings: Settings) -> Path:
    """Return an empty folder for the build being made; what a killed one left is removed.

    Raises
    ------
    WarehouseError
        The folder cannot be written.
    """
    workspace = workspace_path(settings)
    builds = workspace.parent
    try:
        builds.mkdir(exist_ok=True)
        with sole_namer(settings):
            _settle_replaced(settings)
            for path in builds.iterdir():
                if path.is_dir() and not is_finished(path):
                    logger.info("removing what an unfinished build left behind")
                    shutil.rmtree(path)
        workspace.mkdir()
    except OSError as error:
        raise unwritable(workspace, error) from None
    return workspace


@contextmanager
def taking_name(settings: Settings, workspace: Path, path: Path) -> Iterator[None]:
    """Give a workspace the name of its build; within, it gets its record and so becomes one.

    A build of that name that is there already steps aside until then, and comes back where the new
    one got no record, also after a kill.
    """
    with sole_namer(settings):
        if path.exists():
            path.replace(path.with_name(_REPLACED + path.name))
        workspace.replace(path)
        try:
            yield
        finally:
            _settle_replaced(settings)


def _settle_replaced(settings: Settings) -> None:
    for aside in (settings.warehouse / "builds").glob(f"{_REPLACED}*"):
        path = aside.with_name(aside.name.removeprefix(_REPLACED))
        if is_finished(path):
            shutil.rmtree(aside)
        else:
            shutil.rmtree(path, ignore_errors=True)
            aside.replace(path)


def unwritable(path: Path, error: OSError) -> WarehouseError:
    """Return the error that says a folder of the warehouse cannot be written, and why."""
    return WarehouseError(
        "warehouse folder",
        path,
        f"it cannot be written ({error.strerror or error})",
        "Mend its permissions or make room on the disk; nothing was changed.",
    )
