"""Remove old files and folders of this machine."""

import logging
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention

logger = logging.getLogger(__name__)


def remove_old_files(what: str, root: Path, files: Iterable[Path], rule: Retention) -> Removal:
    """Remove files that are old, and folders below the root that are empty then.

    A file that vanishes meanwhile was removed by somebody else, which is as well.
    """
    removed = freed = 0
    for path in files:
        with suppress(FileNotFoundError):
            status = path.lstat()
            if not rule.is_old(status.st_mtime):
                continue
            if not rule.dry_run:
                path.unlink()
            removed, freed = removed + 1, freed + status.st_size
    if removed and not rule.dry_run:
        _remove_empty_folders(root)
    return Removal(what, removed, freed)


def remove_old_folders(what: str, folders: Iterable[Path], rule: Retention) -> Removal:
    """Remove folders in which nothing was changed for as long."""
    removed = freed = 0
    for folder in folders:
        with suppress(FileNotFoundError):
            changed_at, size = _newest_and_size(folder)
            if not rule.is_old(changed_at):
                continue
            if not rule.dry_run:
                logger.info("removing %s", folder)
                shutil.rmtree(folder)
            removed, freed = removed + 1, freed + size
    return Removal(what, removed, freed)


def _newest_and_size(folder: Path) -> tuple[float, int]:
    states = [path.lstat() for path in (folder, *folder.rglob("*"))]
    return max(state.st_mtime for state in states), sum(state.st_size for state in states)


def _remove_empty_folders(root: Path) -> None:
    # The deepest first; one that still holds something refuses.
    for folder in sorted(root.rglob("*"), key=lambda path: len(path.parts), reverse=True):
        if folder.is_dir() and not folder.is_symlink():
            with suppress(OSError):
                folder.rmdir()
