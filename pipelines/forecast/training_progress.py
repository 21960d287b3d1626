"""How far a training has come: a bar where a person watches, log lines where a machine does."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ml.work import TrainingListener, TrainingProgress

logger = logging.getLogger(__name__)

_LOG_EVERY_SECONDS = 10.0


@contextmanager
def shown_progress() -> Iterator[TrainingListener]:
    """Yield a listener that shows part, epoch, loss and the time that is left."""
    if not sys.stderr.isatty():
        yield _Logged()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    columns = (
        TextColumn("{task.percentage:>3.0f} %"),
        BarColumn(bar_width=20),
        TextColumn("{task.description}", table_column=Column(ratio=1)),  # wrapped, never cut
    )
    with Progress(*columns, console=Console(stderr=True), expand=True) as bar:
        task = bar.add_task("training", total=1.0)

        def show(progress: TrainingProgress) -> None:
            bar.update(task, completed=progress.share, description=describe(progress))

        yield show


def describe(progress: TrainingProgress) -> str:
    """Return part, epoch, losses and time left in words."""
    said = [f"part {min(progress.done + 1, progress.total)} of {progress.total}: {progress.part}"]
    step = progress.step
    if step is not None:
        said.append(
            f"{step.what}, {step.done} of at most {step.total}, loss {step.loss:.4f}, "
            f"held out {step.held_out_loss:.4f}"
        )
    if progress.seconds_left is not None:
        said.append(f"{_duration(progress.seconds_left)} left")
    return "; ".join(said)


class _Logged:
    """Logs each part as it begins, and what it says every few seconds."""

    def __init__(self) -> None:
        self._part = ""
        self._said = 0.0

    def __call__(self, progress: TrainingProgress) -> None:
        now = time.monotonic()
        if progress.part == self._part and now - self._said < _LOG_EVERY_SECONDS:
            return
        self._part, self._said = progress.part, now
        logger.info("%.0f %%, %s", 100 * progress.share, describe(progress))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
