"""Show how far the chain is: a live table where a person watches, lines where a machine does."""

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from pipelines.operate.chain import Stage

logger = logging.getLogger(__name__)

_SAY_EVERY_SECONDS = 30.0
_STYLES = {"success": "green", "running": "yellow", "failed": "red", "waiting": "dim"}


class ChainView(Protocol):
    """Something that shows stages."""

    def show(self, stages: Sequence[Stage]) -> None:
        """Show the stages as they stand now."""
        ...


@contextmanager
def chain_view() -> Iterator[ChainView]:
    """Yield the view that suits the terminal, or the lack of one."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
        yield _LiveTable(live)


class _LiveTable:
    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, stages: Sequence[Stage]) -> None:
        table = Table("stage", "state", "seconds", box=None)
        table.columns[2].justify = "right"
        for stage in stages:
            seconds = f"{stage.seconds:.0f}" if stage.state != "waiting" else ""
            table.add_row(stage.dag_id, stage.state, seconds, style=_STYLES.get(stage.state))
        self._live.update(table)


class _Lines:
    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._said = time.monotonic()

    def show(self, stages: Sequence[Stage]) -> None:
        now = time.monotonic()
        overdue = now - self._said > _SAY_EVERY_SECONDS
        for stage in stages:
            changed = self._states.get(stage.dag_id, "waiting") != stage.state
            if changed or (overdue and stage.state == "running"):
                logger.info("%s: %s, %.0f s", stage.dag_id, stage.state, stage.seconds)
                self._states[stage.dag_id] = stage.state
                self._said = now
