"""One run at a time on one home: an operating-system lock that dies with its holder."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipelines.errors import HomeError
from pipelines.settings import Settings

PATIENCE_S = 3.0
"""How long a running holder is waited for: it may be about to notice that its caller is gone."""

STOPPING_PATIENCE_S = 40.0
"""How long a holder is waited for that has said it is stopping."""


class HomeLock:
    """The held lock; tells waiters whether the holder works or is on its way out."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def announce(self, state: str) -> None:
        """Write who holds the lock and what it is doing (``running`` or ``stopping``)."""
        self._file.seek(0)
        self._file.truncate()
        json.dump({"pid": os.getpid(), "state": state}, self._file)
        self._file.flush()


@contextmanager
def hold_home(settings: Settings) -> Iterator[HomeLock]:
    """Hold the home folder for one run; the lock is released even by SIGKILL.

    Raises
    ------
    HomeError
        Another run holds it.
    """
    path = settings.home / "run" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        _acquire(file, path, settings)
        lock = HomeLock(file)
        lock.announce("running")
        yield lock


def _acquire(file: IO[str], path: Path, settings: Settings) -> None:
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_holder(path)
            patience = STOPPING_PATIENCE_S if holder["state"] == "stopping" else PATIENCE_S
            if time.monotonic() - began > patience:
                raise HomeError(
                    "home",
                    settings.home,
                    f"another run (pid {holder['pid']}) holds it",
                    "Wait until it ends, or choose another SMARTINVEST_HOME.",
                ) from None
            time.sleep(0.1)
        else:
            return


def _read_holder(path: Path) -> dict[str, object]:
    try:
        holder: dict[str, object] = json.loads(path.read_text())
    except ValueError:  # the holder is writing its note at this very moment
        return {"pid": "unknown", "state": "running"}
    return holder
