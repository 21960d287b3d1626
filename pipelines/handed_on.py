"""Files that one task leaves for another, or for who looks: in the home, or where machines share.

A home of its own is read without the libraries of the lake: Airflow's API server does, and lives
long.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.errors import LakeError
from pipelines.local_files import local_files, write_local
from pipelines.settings import Settings


class Files(Protocol):
    """Files by paths with forward slashes; each is seen whole or not at all.

    Its methods raise ``LakeError`` where the place cannot be read or written.
    """

    def files(self, folder: str, suffix: str) -> list[str]:
        """Return the files anywhere under a folder, in path order."""
        ...

    def read_bytes(self, path: str) -> bytes:
        """Return a file's bytes; raises ``FileNotFoundError`` where there is none."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Write a file, in place of one of that name."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; one that is gone is no error."""
        ...


def handed_on(settings: Settings) -> Files:
    """Return where tasks leave files for others: the lake if machines share it, else the home.

    Raises
    ------
    SettingError
        The lake's URL is of no kind that we know, or not well-formed.
    """
    if settings.shares_lake:
        from pipelines.lake.storage import storage

        return storage(settings)
    return HomeFiles(settings.home)


@dataclass(frozen=True)
class HomeFiles:
    """The files of a home that no other machine shares."""

    home: Path

    def files(self, folder: str, suffix: str) -> list[str]:
        """Return the files anywhere under a folder, in path order."""
        return sorted(local_files(self.home / folder, folder, suffix))

    def read_bytes(self, path: str) -> bytes:
        """Return a file's bytes; raises ``FileNotFoundError`` where there is none."""
        with self._explained(path, "read"):
            return (self.home / path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Write a file, in place of one of that name."""
        with self._explained(path, "written"):
            write_local(self.home / path, content)

    def delete(self, path: str) -> None:
        """Remove a file; one that is gone is no error."""
        with self._explained(path, "removed"):
            (self.home / path).unlink(missing_ok=True)

    @contextmanager
    def _explained(self, path: str, verb: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LakeError(
                "file of the home",
                self.home / path,
                f"it cannot be {verb} ({error.strerror or error})",
                "Mend its permissions or make room on the disk; nothing was changed.",
            ) from None
