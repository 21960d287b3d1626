"""What of a user's files is in the lake already, so that an unchanged file is not parsed again.

This is a shortcut, never the truth: it is one SQLite file under the home, may be deleted at any
time, and forgets everything as soon as the lake lacks a file that it remembers. Bytes are compared
by their SHA-256, not by a file's date.
"""

import datetime as dt
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from models.lake import PRICES
from pipelines.errors import HomeError
from pipelines.ingest.provider import Span
from pipelines.lake import dataset_files
from pipelines.lineage import REPOSITORY, tree_digest
from pipelines.settings import Settings

_TABLES = """
create table if not exists arrival (
    scope text, file text, asked text, size integer, digest text, through text, content text,
    primary key (scope, file, asked)
);
create table if not exists landed (scope text, path text, primary key (scope, path));
create table if not exists seen (
    path text primary key, size integer, changed_ns integer, content text
);
"""
_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Arrival:
    """What was stored of a file, or of some symbols of it.

    ``through`` is the session up to which its rows were stored, ``last_day`` the newest day in it.
    ``last_adjusted`` is the adjusted close of that day, where the file's days ascend; rows added
    behind such a file can be told from its bytes alone.
    """

    file: str
    asked: str
    size: int
    digest: str
    through: dt.date
    last_day: dt.date
    spans: tuple[Span, ...]
    is_ascending: bool = False
    last_adjusted: float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every row of the file was stored."""
        return self.last_day <= self.through


class Arrivals:
    """The arrivals of one folder into one lake."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._path = settings.home / "ingest" / "files.sqlite"
        self._scope = json.dumps(
            [str(folder), settings.lake_url or str(settings.lake), _reader_version()]
        )

    def of(self, file: str, asked: str) -> Arrival | None:
        """Return what was stored of a file, unless the lake has lost some of it since."""
        return self._all.get((file, asked))

    @cached_property
    def _all(self) -> dict[tuple[str, str], Arrival]:
        with self._connected() as connection:
            landed = connection.execute("select path from landed where scope = ?", (self._scope,))
            if {path for (path,) in landed} - set(dataset_files(self._settings, PRICES)):
                for table in ("arrival", "landed"):
                    connection.execute(f"delete from {table} where scope = ?", (self._scope,))
            found = connection.execute(
                "select file, asked, size, digest, through, content from arrival where scope = ?",
                (self._scope,),
            ).fetchall()
        return {(row[0], row[1]): _arrival(*row) for row in found}

    def remember(self, arrivals: Iterable[Arrival], landed: Collection[str]) -> None:
        """Note what was stored, and the lake's files that hold what is new of it."""
        with self._connected() as connection:
            connection.executemany(
                "insert or replace into arrival values (?, ?, ?, ?, ?, ?, ?)",
                [self._row(arrival) for arrival in arrivals],
            )
            connection.executemany(
                "insert or ignore into landed values (?, ?)",
                [(self._scope, path) for path in landed],
            )

    def seen(self, path: Path) -> str | None:
        """Return what a look said of a file that has not changed its size or date since."""
        status = path.stat()
        size, changed_ns, content = self._seen.get(str(path), (0, 0, None))
        return content if (size, changed_ns) == (status.st_size, status.st_mtime_ns) else None

    def remember_seen(self, contents: Mapping[Path, str]) -> None:
        """Note what a look said of some files."""
        rows = []
        for path, content in contents.items():
            status = path.stat()
            rows.append((str(path), status.st_size, status.st_mtime_ns, content))
        with self._connected() as connection:
            connection.executemany("insert or replace into seen values (?, ?, ?, ?)", rows)

    @cached_property
    def _seen(self) -> dict[str, tuple[int, int, str]]:
        with self._connected() as connection:
            rows = connection.execute("select path, size, changed_ns, content from seen")
            return {path: (size, changed_ns, content) for path, size, changed_ns, content in rows}

    def _row(self, arrival: Arrival) -> tuple[object, ...]:
        spans = [
            (span.symbol, span.rows, span.first_day.isoformat(), span.last_day.isoformat())
            for span in arrival.spans
        ]
        content = {
            "last_day": arrival.last_day.isoformat(),
            "spans": spans,
            "is_ascending": arrival.is_ascending,
            "last_adjusted": arrival.last_adjusted,
        }
        return (
            self._scope,
            arrival.file,
            arrival.asked,
            arrival.size,
            arrival.digest,
            arrival.through.isoformat(),
            json.dumps(content),
        )

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_WAIT_SECONDS)
            try:
                with connection:
                    connection.executescript(_TABLES)
                    yield connection
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            raise HomeError(
                "file",
                self._path,
                f"it cannot be used ({error})",
                "Make room or mend its permissions; the file may be deleted.",
            ) from None


def _arrival(file: str, asked: str, size: int, digest: str, through: str, content: str) -> Arrival:
    values = json.loads(content)
    return Arrival(
        file,
        asked,
        size,
        digest,
        dt.date.fromisoformat(through),
        dt.date.fromisoformat(values["last_day"]),
        tuple(
            Span(name, rows, dt.date.fromisoformat(first), dt.date.fromisoformat(last))
            for name, rows, first, last in values["spans"]
        ),
        values["is_ascending"],
        values["last_adjusted"],
    )


@cache
def _reader_version() -> str:
    """Return the digest of the code that reads files: another reader may find other rows."""
    return tree_digest(REPOSITORY, ("pipelines/ingest/files",), {".py"})
