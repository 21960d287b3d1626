"""Write the panel's parts: Parquet files whose bytes follow from their rows alone."""

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.warehouse.panel.layout import Span, bounds_of, cut
from pipelines.warehouse.panel.rows import SCHEMA, TEXT, Rows, Words

ROWS_PER_GROUP = 1 << 15

_REPEATING = (
    *TEXT,
    "session_date",
    "known_at",
    "cumulative_share_ratio",
    "cumulative_growth",
)
_STATISTICS = ["symbol", *(field.name for field in SCHEMA if field.name not in TEXT)]
"""Readers skip row groups by those of the key, and dbt tests ranges by those of the numbers."""
_COMPRESSION = {
    field.name: "none" if pa.types.is_floating(field.type) else "lz4" for field in SCHEMA
}
"""Measured numbers hardly get smaller, and take a fifth longer to write and to read for it."""
_GROUPS_WAITING = 8
_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Part:
    """A finished part: its file's name, the SHA-256 of its bytes in hex, its rows.

    ``written`` is False where the file is the base's.
    """

    name: str
    digest: str
    rows: int
    written: bool


@dataclass
class _File:
    """A part being written: its file, and the row group that is being filled."""

    path: Path
    writer: pq.ParquetWriter
    group: Rows
    filled: int = 0
    rows: int = 0
    hashed: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)


class PartWriter:
    """Takes the panel symbol by symbol, and writes each part as its rows come.

    Row groups are cut every ``ROWS_PER_GROUP`` rows of a part, whatever portions they came in.
    Threads encode, write and digest; those of one part always in the same thread, in order.
    """

    def __init__(self, folder: Path, spans: Sequence[Span], words: Words, threads: int) -> None:
        self._folder, self._spans, self._words = folder, list(spans), words
        self._bounds = bounds_of(self._spans)
        self._files: dict[int, _File] = {}
        self._threads = [ThreadPoolExecutor(1, "panel-writer") for _ in range(threads)]
        self._room = threading.Semaphore(_GROUPS_WAITING)
        self._pending: list[Future[None]] = []
        self._free: list[Rows] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)
        for file in self._files.values():
            file.writer.close()

    def append(self, rows: Rows) -> None:
        """Append the next symbol's rows, sorted by session.

        Raises
        ------
        OSError
            A part cannot be written.
        """
        for number, begin, end in cut(rows["session_date"], self._bounds):
            self._append(number, rows, begin, end)

    def append_part(self, name: str, rows: Rows) -> None:
        """Append all rows of a part, sorted by symbol and session.

        Raises
        ------
        OSError
            The part cannot be written.
        """
        number = next(number for number, span in enumerate(self._spans) if span.name == name)
        self._append(number, rows, 0, len(rows))

    def _append(self, number: int, rows: Rows, begin: int, end: int) -> None:
        file = self._files.get(number) or self._opened(number)
        while begin < end:
            stop = min(end, begin + ROWS_PER_GROUP - file.filled)
            file.group.put(file.filled, rows, begin, stop)
            file.filled += stop - begin
            begin = stop
            if file.filled == ROWS_PER_GROUP:
                self._flush(number, file)

    def finish(self) -> list[Part]:
        """Write what is left and return the parts, oldest first."""
        for number, file in self._files.items():
            if file.filled:
                self._flush(number, file, is_last=True)
        self._check(wait=True)
        closing = [
            self._thread(number).submit(_close, file) for number, file in self._files.items()
        ]
        parts = [task.result() for task in closing]
        self._files = {}
        return sorted(parts, key=lambda part: part.name)

    def _opened(self, number: int) -> _File:
        path = self._folder / self._spans[number].name
        writer = pq.ParquetWriter(
            path,
            SCHEMA,
            version="2.6",
            compression=_COMPRESSION,
            use_dictionary=list(_REPEATING),
            write_statistics=_STATISTICS,
            store_schema=False,
        )
        self._files[number] = _File(path, writer, self._empty_group())
        return self._files[number]

    def _flush(self, number: int, file: _File, is_last: bool = False) -> None:
        self._check(wait=False)
        self._room.acquire()
        task = self._thread(number).submit(self._write, file, file.group, file.filled)
        self._pending.append(task)
        file.rows += file.filled
        file.filled = 0
        if not is_last:
            file.group = self._empty_group()

    def _empty_group(self) -> Rows:
        """Return room for a row group; memory that was used already costs less than new."""
        return self._free.pop() if self._free else Rows(ROWS_PER_GROUP)

    def _write(self, file: _File, group: Rows, filled: int) -> None:
        try:
            table = group.to_arrow(self._words, 0, filled)
            file.writer.write_table(table, row_group_size=ROWS_PER_GROUP)
            _digest_new_bytes(file)
            self._free.append(group)
        finally:
            self._room.release()

    def _thread(self, number: int) -> ThreadPoolExecutor:
        return self._threads[number % len(self._threads)]

    def _check(self, *, wait: bool) -> None:
        """Raise what a writing thread raised."""
        done = [task for task in self._pending if wait or task.done()]
        self._pending = [task for task in self._pending if task not in done]
        for task in done:
            task.result()


def _close(file: _File) -> Part:
    file.writer.close()
    _digest_new_bytes(file)
    return Part(file.path.name, file.digest.hexdigest(), file.rows, written=True)


def _digest_new_bytes(file: _File) -> None:
    """Go on with the digest while the bytes are still in memory."""
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with file.path.open("rb", buffering=0) as stream:
        stream.seek(file.hashed)
        while count := stream.readinto(buffer):
            file.digest.update(buffer[:count])
            file.hashed += count
