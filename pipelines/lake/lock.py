"""One writer at a time per source: locks that die with their holder.

Two ingests at once would each find the other's rows missing and file them twice. A lock of the
operating system, under the home, keeps apart what runs on one home; where machines share the lake,
one in the SQL store keeps their homes apart.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from pipelines.errors import HomeError
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

PATIENCE_S = 120.0
"""How long another writer is waited for."""

_SILENCE_S = 2.0
_POLL_S = 0.05


@contextmanager
def sole_writer(settings: Settings, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the settings' source for writing; other processes wait.

    A process that holds it, and every process that it started, goes through: they are one ingest,
    and its parts write rows of different symbols.

    Raises
    ------
    HomeError
        Another process holds it, and still does when patience ends; or the home can't be written.
    StoreError
        Another machine does; or the store that they share is unreachable.
    """
    from pipelines.store.locks import held_among_machines

    path = settings.home / "locks" / f"lake-{settings.source.value}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise HomeError(
            "lock", path, f"it cannot be written ({error.strerror})", "Mend its permissions."
        ) from None
    with file:
        if not _acquire(file, path, patience_s):
            yield
            return
        _sign(file, str(os.getpid()))
        try:
            with held_among_machines(settings, f"lake-{settings.source.value}", patience_s):
                yield
        finally:
            _sign(file, "")


def _acquire(file: IO[str], path: Path, patience_s: float) -> bool:
    """Return True once the lock is ours, False if it is ours through who started us."""
    began, told = time.monotonic(), False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(path)
            if holder in _family():
                return False
            waited = time.monotonic() - began
            if waited > patience_s:
                raise HomeError(
                    "lock",
                    path,
                    f"process {holder} has been writing this source for {waited:.0f} s",
                    "Wait until it ends, or choose another SMARTINVEST_HOME.",
                ) from None
            if waited > _SILENCE_S and not told:
                logger.info("waiting for process %s, which writes the same source", holder)
                told = True
            time.sleep(_POLL_S)
        else:
            return True


def _sign(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _holder(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # the holder is signing at this very moment
        return None


def _family() -> set[int | None]:
    return {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
