"""What lies in a user's folder: price files, reference files, and what is neither."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from models.vocabulary import Source
from pipelines.errors import SourceError

SUFFIXES = (".csv.gz", ".csv", ".tsv", ".parquet")
"""What a file's name must end in to be read."""

REFERENCE_NAMES = ("instruments", "actions", "universe", "macro")
"""Names, without their ending, of files that hold something else than prices."""


@dataclass(frozen=True)
class DataFile:
    """One file of the folder; ``name`` is its name without the ending."""

    path: Path
    name: str
    suffix: str

    @property
    def is_parquet(self) -> bool:
        """Whether it is Parquet, not delimited text."""
        return self.suffix == ".parquet"

    def read(self) -> bytes:
        """Return all its bytes as they lie on the disk."""
        return self.path.read_bytes()


class Folder:
    """A folder of CSV and Parquet files, listed once."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where the folder is, absolute.

        Raises
        ------
        SourceError
            None is set.
        """
        if self._path is None:
            raise SourceError(
                "setting SMARTINVEST_FILES_FOLDER",
                "",
                f"source {Source.FILES.value} does not know which folder to read",
                "Set it, or give --folder.",
            )
        return self._path.expanduser().absolute()

    def reference(self, name: str) -> DataFile | None:
        """Return the reference file of a name, if the folder has one."""
        return next((file for file in self._all if file.name.lower() == name), None)

    @cached_property
    def price_files(self) -> tuple[DataFile, ...]:
        """The files that should hold prices, by name.

        Raises
        ------
        SourceError
            The folder cannot be listed, or there is no such file in it.
        """
        found = tuple(file for file in self._all if file.name.lower() not in REFERENCE_NAMES)
        if not found:
            raise SourceError(
                "setting SMARTINVEST_FILES_FOLDER",
                self.path,
                "there is no price file in it",
                f"Put files there whose names end in {', '.join(SUFFIXES)}: docs/files.md.",
            )
        return found

    @cached_property
    def _all(self) -> tuple[DataFile, ...]:
        try:
            return tuple(sorted(self._listed(), key=lambda file: file.path.name))
        except OSError as error:
            raise SourceError(
                "setting SMARTINVEST_FILES_FOLDER",
                self.path,
                f"the folder cannot be read ({error.strerror})",
                "Name a folder that exists and that you may read.",
            ) from None

    def _listed(self) -> Iterator[DataFile]:
        for path in self.path.iterdir():
            suffix = next((end for end in SUFFIXES if path.name.lower().endswith(end)), None)
            if suffix and not path.name.startswith(".") and path.is_file():
                yield DataFile(path, path.name[: -len(suffix)], suffix)


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()
