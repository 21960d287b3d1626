"""Progress of long work: a bar where a person watches, log lines where a machine does."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from ml.work import TrainingListener, TrainingProgress

logger = logging.getLogger(__name__)

T = TypeVar("T")
_LOG_EVERY_SECONDS = 10.0


def track(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Yield the items and show how many are done and how long the rest will take.

    Parameters
    ----------
    total : how many there are; needed where the items have no length.
    """
    if total is None:
        total = len(cast(Sized, items))
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as rich_track

        console = Console(stderr=True)
        yield from rich_track(items, description=what, total=total, console=console)
        return
    yield from _logged(items, total, what)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say when a piece of work begins and how many seconds it took."""
    logger.info("%s ...", what)
    started = time.perf_counter()
    yield
    logger.info("%s: done in %.1f s", what, time.perf_counter() - started)


@contextmanager
def training_progress() -> "Iterator[TrainingListener]":
    """Yield a listener that shows how far a training is: what is fitted, its losses, time left."""
    if not sys.stderr.isatty():
        yield _TrainingLog()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.table import Column

    words = TextColumn("{task.description}", table_column=Column(no_wrap=False, ratio=1))
    columns = (BarColumn(bar_width=20), TaskProgressColumn(), words)
    with Progress(*columns, console=Console(stderr=True), expand=True) as bar:
        task = bar.add_task("training", total=1.0)

        def show(progress: "TrainingProgress") -> None:
            bar.update(task, completed=progress.share, description=_in_words(progress))

        yield show


class _TrainingLog:
    """Logs each part as it begins, and what its fit says now and then."""

    def __init__(self) -> None:
        self._part = ""
        self._said = 0.0

    def __call__(self, progress: "TrainingProgress") -> None:
        now = time.perf_counter()
        news = progress.part != self._part
        if news or (progress.step and now - self._said >= _LOG_EVERY_SECONDS):
            logger.info("training %.0f %%: %s", 100 * progress.share, _in_words(progress))
            self._part, self._said = progress.part, now


def _in_words(progress: "TrainingProgress") -> str:
    words = f"{progress.done} of {progress.total} parts done, now {progress.part}"
    step = progress.step
    if step:
        words += (
            f" ({step.what}, step {step.done} of at most {step.total}: loss {step.loss:.4f}, on "
            f"validation {step.validation_loss:.4f})"
        )
    if progress.seconds_left is not None:
        words += f"; at most {_duration(progress.seconds_left)} left"
    return words


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _logged(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    started = said = time.perf_counter()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.perf_counter()
        if now - said >= _LOG_EVERY_SECONDS:
            left = (now - started) / done * (total - done)
            logger.info("%s: %d of %d, %.0f s left", what, done, total, left)
            said = now
