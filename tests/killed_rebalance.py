"""Rebalance in processes that are killed, as the machine or its memory guard would.

``python killed_rebalance.py SETTINGS_JSON SESSION WHICH SHARDS FOLDER`` rebalances until
``SHARDS`` shards are written, and kills ``worker`` or ``parent`` inside the transaction of the
next. ``FOLDER`` gets a file per worker, named by its process id, and one once the kill happened.
"""

import datetime as dt
import json
import os
import signal
import sys
from pathlib import Path

from pipelines.rebalance import rebalance, workers
from pipelines.rebalance.output import shards
from pipelines.rebalance.shard_work import Work
from pipelines.settings import load_settings

_KILLED = "killed"
_begin, _insert = workers._begin, shards.insert_arrow


class Kill:
    """Kills a process at the first table that it writes, once enough shards are written."""

    def __init__(self, work: Work | None, process: int, count: int, folder: Path) -> None:
        self.work, self.process, self.count, self.folder = work, process, count, folder

    def begin(self, work: Work) -> None:
        """Begin a worker that kills."""
        (self.folder / str(os.getpid())).touch()
        _begin(work)
        shards.insert_arrow = Kill(
            work, self.process or os.getpid(), self.count, self.folder
        ).insert

    def insert(self, connection, table, rows):  # type: ignore[no-untyped-def]
        """Write a table, then perhaps kill, before anything is committed."""
        inserted = _insert(connection, table, rows)
        written = connection.exec_driver_sql(
            "SELECT count(*) FROM advice_shard WHERE status = 'written'"
        ).scalar()
        if written >= self.count:
            try:
                (self.folder / _KILLED).touch(exist_ok=False)
            except FileExistsError:
                return inserted
            os.kill(self.process, signal.SIGKILL)
            if self.process != os.getpid():
                signal.pause()
        return inserted


def main() -> None:
    """Read the arguments and rebalance."""
    values, session, which, count, folder = sys.argv[1:]
    settings = load_settings({}, **json.loads(values))
    process = os.getpid() if which == "parent" else 0
    kill = Kill(None, process, int(count), Path(folder))
    workers._begin = kill.begin
    if process:
        shards.insert_arrow = kill.insert
    rebalance(settings, dt.date.fromisoformat(session))


if __name__ == "__main__":
    main()
