"""Where the lake's bytes are: a folder of this machine, or a bucket behind an S3-compatible URL.

Paths inside the lake are text with forward slashes, relative to the lake, so that a lake may be
moved or copied. A file is never seen half-written: a local one is renamed into place, an S3 object
exists once its upload is complete. A file that exists under its content's name is not rewritten.
"""

import os
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pyarrow as pa
import pyarrow.fs as pafs

from pipelines.errors import LakeError, SettingError
from pipelines.settings import Settings, without_credentials

_LEFTOVER = re.compile(r"^\.(?P<pid>\d+)-[0-9a-f]{32}\.part$")
_SETTING = "setting SMARTINVEST_LAKE_URL"


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
            return sorted(_local_files(self.local_root / folder, folder, suffix))
        selector = pafs.FileSelector(self._at(folder), allow_not_found=True, recursive=True)
        with self._explained(folder, "read"):
            found = self.filesystem.get_file_info(selector)
        start = len(self.root) + 1
        return sorted(
            info.path[start:]
            for info in found
            if info.type == pafs.FileType.File and info.path.endswith(suffix)
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
                    staged[path] = _stage(self.local_root / path, content)
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
        if self.local_root is None:
            return 0
        removed = 0
        for part in self.local_root.rglob(".*.part"):
            found = _LEFTOVER.match(part.name)
            if found and not psutil.pid_exists(int(found["pid"])):
                part.unlink(missing_ok=True)
                removed += 1
        return removed

    def _at(self, path: str) -> str:
        return f"{self.root}/{path}"

    @contextmanager
    def _explained(self, path: str, verb: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            cause = error.strerror or str(error).splitlines()[0].rstrip(".")
            raise LakeError(
                "lake",
                f"{self.local_root or self.root}/{path}",
                f"it cannot be {verb} ({cause})",
                "Mend its permissions or make room on the disk; nothing was changed."
                if self.local_root is not None
                else "Check SMARTINVEST_LAKE_URL, the AWS_* variables and the network.",
            ) from None


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
    if "://" not in url:
        folder = Path(url).expanduser().absolute() if url else home / "lake"
        return Storage(pafs.LocalFileSystem(), str(folder), str(folder), folder)
    scheme = urlsplit(url).scheme
    if scheme not in ("s3", "file"):
        raise SettingError(
            _SETTING,
            without_credentials(url),
            f"{scheme}:// is no place for a lake",
            "Give a folder or s3://bucket/prefix.",
        )
    try:
        filesystem, root = pafs.FileSystem.from_uri(url)
    except (pa.ArrowInvalid, OSError) as error:
        raise SettingError(
            _SETTING,
            without_credentials(url),
            f"it cannot be opened ({str(error).splitlines()[0].rstrip('.')})",
            "Give a folder or s3://bucket/prefix?region=...&endpoint_override=...",
        ) from None
    if scheme == "file":
        return Storage(filesystem, root, root, Path(root))
    return Storage(filesystem, url, root.rstrip("/"), None)


def _local_files(folder: Path, prefix: str, suffix: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir():
            yield from _local_files(folder / entry.name, f"{prefix}/{entry.name}", suffix)
        elif entry.name.endswith(suffix) and not entry.name.startswith("."):
            yield f"{prefix}/{entry.name}"


def write_local(path: Path, content: pa.Buffer | bytes) -> None:
    """Write a file of this machine under a temporary name and rename it; raises ``OSError``."""
    part = _stage(path, content)
    try:
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _stage(path: Path, content: pa.Buffer | bytes) -> Path:
    """Write the bytes of a file beside it, under a temporary name, which is returned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{os.getpid()}-{uuid.uuid4().hex}.part"
    try:
        with part.open("wb") as stream:
            stream.write(content)
            # Else a power cut could leave the name without its bytes.
            os.fsync(stream.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part
