"""Progress of long work: a bar where a person watches, log lines where a machine does."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")
_LOG_EVERY_SECONDS = 10.0


def track(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield the items and show how many are done and how long the rest will take."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as rich_track

        yield from rich_track(items, description=what, console=Console(stderr=True))
        return
    yield from _logged(items, len(items), what)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say when a piece of work begins and how many seconds it took."""
    logger.info("%s ...", what)
    started = time.perf_counter()
    yield
    logger.info("%s: done in %.1f s", what, time.perf_counter() - started)


def _logged(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    started = said = time.perf_counter()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.perf_counter()
        if now - said >= _LOG_EVERY_SECONDS:
            left = (now - started) / done * (total - done)
            logger.info("%s: %d of %d, %.0f s left", what, done, total, left)
            said = now
