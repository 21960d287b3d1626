"""Progress of long work: a bar where a person watches, log lines where a machine does."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar, cast

logger = logging.getLogger(__name__)

T = TypeVar("T")
_LOG_EVERY_SECONDS = 10.0


def track(
    items: Iterable[T],
    what: str,
    total: int | None = None,
    size: Callable[[T], int] = lambda _item: 1,
) -> Iterator[T]:
    """Yield the items and show how much is done and how long the rest will take.

    Parameters
    ----------
    total : how many there are; needed where the items have no length.
    size : how many an item stands for.
    """
    if total is None:
        total = len(cast(Sized, items))
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task(what, total=total)
            for item in items:
                yield item
                bar.advance(task, size(item))
        return
    yield from _logged(items, total, what, size)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say when a piece of work begins and how many seconds it took."""
    logger.info("%s ...", what)
    started = time.perf_counter()
    yield
    logger.info("%s: done in %.1f s", what, time.perf_counter() - started)


def _logged(items: Iterable[T], total: int, what: str, size: Callable[[T], int]) -> Iterator[T]:
    started = said = time.perf_counter()
    done = 0
    for item in items:
        yield item
        done += size(item)
        now = time.perf_counter()
        if done and now - said >= _LOG_EVERY_SECONDS:
            left = (now - started) / done * (total - done)
            logger.info("%s: %d of %d, %.0f s left", what, done, total, left)
            said = now
