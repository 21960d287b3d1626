"""Turn everything that asks a run to end into one exception, so that ``finally`` cleans up."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_EVERY_S = 0.5


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` on SIGINT, SIGTERM, SIGHUP, or when a calling ``make`` dies.

    SIGHUP stays ignored where the caller has set it so (``nohup``).
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if not (number == signal.SIGHUP and handler is signal.SIG_IGN):
            signal.signal(number, _interrupt)
    over = threading.Event()
    if "MAKELEVEL" in os.environ:
        watch = threading.Thread(target=_watch_parent, args=(os.getppid(), over), daemon=True)
        watch.start()
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterruptible() -> Iterator[None]:
    """Let cleaning up finish, whatever signal comes meanwhile; SIGKILL excepted."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def _watch_parent(parent: int, over: threading.Event) -> None:
    while not over.is_set():
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(_LOOK_EVERY_S)
