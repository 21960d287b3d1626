"""Where the lake's bytes are: a folder of this machine, or a bucket behind an S3-compatible URL.

Paths inside the lake are text with forward slashes, relative to the lake, so that a lake may be
moved or copied. A file is never seen half-written: a local one is renamed into place, an S3 object
exists once its upload is complete. A file that exists under its content's name is not rewritten.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as pafs

from pipelines.errors import LakeError
from pipelines.lake.conditional import create_object
from pipelines.lake.place import explained, opened
from pipelines.local_files import (
    create_local,
    local_files,
    remove_leftovers,
    stage,
    write_local,
)
from pipelines.settings import Settings

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class StoredFile:
    """A file of the lake: path, size, and when it came to be by the storage's own clock."""

    path: str
    size_bytes: int
    written_ns: int


@dataclass(frozen=True)
class Storage:
    """The files of one lake.

    ``local_root`` is the folder of a local lake and None of a remote one. ``url`` stands for the
    place; it may hold credentials, so it is shown to nobody.
    """

    filesystem: pafs.FileSystem = field(compare=False, repr=False)
    url: str = field(repr=False)
    root: str
    local_root: Path | None

    def files(self, folder: str, suffix: str) -> list[str]:
        """Return the finished files anywhere under a folder, in path order."""
        if self.local_root is not None:
            return sorted(local_files(self.local_root / folder, folder, suffix))
        return [file.path for file in self.stored(folder) if file.path.endswith(suffix)]

    def stored(self, folder: str) -> list[StoredFile]:
        """Return the finished files anywhere under a folder with size and age, in path order."""
        selector = pafs.FileSelector(self._at(folder), allow_not_found=True, recursive=True)
        with self._explained(folder, "read"):
            found = self.filesystem.get_file_info(selector)
        start = len(self.root) + 1
        return sorted(
            (
                StoredFile(info.path[start:], info.size, info.mtime_ns)
                for info in found
                if info.type == pafs.FileType.File and not info.base_name.startswith(".")
            ),
            key=lambda file: file.path,
        )

    def exists(self, path: str) -> bool:
        """Say whether a file exists."""
        with self._explained(path, "read"):
            if self.local_root is not None:
                return (self.local_root / path).is_file()
            return bool(self.filesystem.get_file_info(self._at(path)).type == pafs.FileType.File)

    def read(self, path: str) -> pa.Buffer:
        """Return a file's bytes.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        LakeError
            It cannot be read.
        """
        with self._explained(path, "read"):
            if self.local_root is not None:
                return pa.py_buffer((self.local_root / path).read_bytes())
            with self.filesystem.open_input_stream(self._at(path)) as stream:
                return stream.read_buffer()

    def read_bytes(self, path: str) -> bytes:
        """Return a file's bytes; raises as :meth:`read`."""
        content: bytes = self.read(path).to_pybytes()
        return content

    def open(self, path: str) -> pa.NativeFile:
        """Open a file for reading anywhere in it; the caller handles its errors."""
        if self.local_root is not None:
            return pa.memory_map(str(self.local_root / path))
        return self.filesystem.open_input_file(self._at(path))

    def write(self, path: str, content: pa.Buffer | bytes) -> None:
        """Write a file, whole or not at all, in place of one of that name.

        Raises
        ------
        LakeError
            The lake cannot be written or its disk is full; nothing was changed.
        """
        with self._explained(path, "written"):
            if self.local_root is not None:
                write_local(self.local_root / path, content)
                return
            with self.filesystem.open_output_stream(self._at(path)) as stream:
                stream.write(content)

    def create(self, path: str, content: bytes) -> bool:
        """Write a file where there is none; return whether it was ours that came to be.

        Of several that create the same file at once, on whatever machines, one succeeds.

        Raises
        ------
        LakeError
            The lake cannot be written, or its server knows no conditional writes.
        """
        with self._explained(path, "written"):
            if self.local_root is not None:
                return create_local(self.local_root / path, content)
            region = getattr(self.filesystem, "region", "")
            return create_object(self.url, region, self._at(path), content)

    def upload(self, file: Path, path: str) -> None:
        """Write a file of this machine, in place of one of that name.

        In a bucket, one whose reading fails in the middle leaves what was read: who names a file by
        its content has to prove it.

        Raises
        ------
        LakeError
            The lake cannot be written or its disk is full; nothing was changed.
        """
        with self._explained(path, "written"):
            if self.local_root is not None:
                write_local(self.local_root / path, file)
                return
            target = self.filesystem.open_output_stream(self._at(path))
            with file.open("rb") as source, target as stream:
                while chunk := source.read(_CHUNK_BYTES):
                    stream.write(chunk)

    def download(self, path: str, file: Path) -> str:
        """Write a file's bytes into one of this machine; return their SHA-256 in hex.

        Raises
        ------
        FileNotFoundError
            The lake has no such file.
        LakeError
            It cannot be read.
        OSError
            This machine's file cannot be written.
        """
        digest = hashlib.sha256()
        with file.open("wb") as target:
            with self._explained(path, "read"):
                source = self.filesystem.open_input_stream(self._at(path))
            with source:
                while chunk := self._chunk(source, path):
                    digest.update(chunk)
                    target.write(chunk)
        return digest.hexdigest()

    def write_all(self, files: Iterable[tuple[str, pa.Buffer]]) -> None:
        """Write files that belong together: in the given order, and none if one fails.

        Local ones get their names once the bytes of all are on the disk, so that a killed process
        or a full disk leaves none. In a bucket, a killed process leaves the first of them.

        Raises
        ------
        LakeError
            The lake cannot be written or its disk is full; nothing was changed.
        """
        if self.local_root is None:
            self._upload_all(files)
            return
        staged: dict[str, Path] = {}
        try:
            for path, content in files:
                with self._explained(path, "written"):
                    staged[path] = stage(self.local_root / path, content)
            for path, part in staged.items():
                with self._explained(path, "written"):
                    part.replace(self.local_root / path)
        finally:
            for part in staged.values():
                part.unlink(missing_ok=True)

    def _upload_all(self, files: Iterable[tuple[str, pa.Buffer]]) -> None:
        done: list[str] = []
        try:
            for path, content in files:
                self.write(path, content)
                done.append(path)
        except LakeError:
            with suppress(LakeError):
                for path in done:
                    self.delete(path)
            raise

    def delete(self, path: str) -> None:
        """Remove a file; one that is gone is no error."""
        with self._explained(path, "written"):
            if self.local_root is not None:
                (self.local_root / path).unlink(missing_ok=True)
            else:
                self.filesystem.delete_file(self._at(path))

    def clean_leftovers(self) -> int:
        """Remove temporary files of processes that are gone; return how many there were."""
        return 0 if self.local_root is None else remove_leftovers(self.local_root)

    def _chunk(self, source: pa.NativeFile, path: str) -> bytes:
        with self._explained(path, "read"):
            chunk: bytes = source.read(_CHUNK_BYTES)
            return chunk

    def _at(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _explained(self, path: str, verb: str) -> AbstractContextManager[None]:
        bucket_url = self.url if self.local_root is None else None
        return explained(f"{self.local_root or self.root}/{path}", verb, bucket_url)


def storage(settings: Settings) -> Storage:
    """Return the storage of the settings' lake.

    Raises
    ------
    SettingError
        The URL is of no kind that we know, or not well-formed.
    """
    return _storage(settings.lake_url, settings.home, os.getpid())


def clean_leftovers(settings: Settings) -> int:
    """Remove temporary files of processes that are gone; return how many there were."""
    return storage(settings).clean_leftovers()


@lru_cache(maxsize=8)
def _storage(url: str, home: Path, _process: int) -> Storage:
    """Open a lake once per process: S3 clients do not survive a fork."""
    return Storage(*opened(url, home / "lake"))
