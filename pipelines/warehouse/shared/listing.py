"""The list of a build's files, by which other machines fetch it and prove what they fetched."""

import dataclasses
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipelines.errors import WarehouseError
from pipelines.lake import Storage
from pipelines.lineage import canonical_json, file_digest
from pipelines.settings import Settings
from pipelines.warehouse.record import WarehouseBuild
from pipelines.warehouse.shared import root

LISTING = "files.json"
"""In a build's folder at home: its list, as the lake has it."""


@dataclass(frozen=True)
class BuildFile:
    """One file of a build: its path in the build's folder, its SHA-256 in hex, its bytes."""

    path: str
    digest: str
    size_bytes: int

    @property
    def stored_name(self) -> str:
        """The name under which the lake has the bytes, whichever builds they belong to."""
        return f"{self.digest}{PurePosixPath(self.path).suffix}"


@dataclass(frozen=True)
class Listing:
    """A finished build as the lake has it: what it was made of, and its files in path order."""

    build: str
    session_date: dt.date
    known_at_cut: dt.datetime
    code_digest: str
    files: tuple[BuildFile, ...]

    @property
    def text(self) -> str:
        """The list as the lake keeps it."""
        return canonical_json(dataclasses.asdict(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def listing_of(build: WarehouseBuild) -> Listing:
    """Hash a build's files, all of them, and list them."""
    panel = {name: file.digest for name, file in build.feature_files.items()}
    files = []
    for path in sorted(build.path.rglob("*")):
        name = path.relative_to(build.path).as_posix()
        if path.is_file() and name != LISTING and not path.name.startswith("."):
            # What models learn from was hashed while it was written.
            digest = panel.get(name) or file_digest(path)
            files.append(BuildFile(name, digest, path.stat().st_size))
    return Listing(
        build=build.path.name,
        session_date=build.session_date,
        known_at_cut=build.known_at_cut,
        code_digest=build.code_digest,
        files=tuple(files),
    )


def listing_path(settings: Settings, build: str, digest: str) -> str:
    """Return where the lake has a build's list."""
    return f"{root(settings)}/builds/{build}/{digest}.json"


def file_path(settings: Settings, file: BuildFile) -> str:
    """Return where the lake has the bytes of a build's file."""
    return f"{root(settings)}/files/{file.stored_name}"


def read_listing(place: Storage, path: str) -> Listing:
    """Return a build's list after comparing it with its name.

    Raises
    ------
    FileNotFoundError
        The lake does not have it, or not any more.
    WarehouseError
        It is not what was written under this name.
    """
    content = place.read(path).to_pybytes()
    if hashlib.sha256(content).hexdigest() != PurePosixPath(path).stem:
        raise damaged_in_lake(path)
    plain = json.loads(content)
    files = tuple(BuildFile(**file) for file in plain.pop("files"))
    plain["session_date"] = dt.date.fromisoformat(plain["session_date"])
    plain["known_at_cut"] = dt.datetime.fromisoformat(plain["known_at_cut"])
    return Listing(files=files, **plain)


def kept_digest(build: Path) -> str | None:
    """Return the digest of the list that a build at home was fetched or handed over by."""
    try:
        return hashlib.sha256((build / LISTING).read_bytes()).hexdigest()
    except OSError:
        return None


def damaged_in_lake(path: str) -> WarehouseError:
    """Return the error that says a file of a build is not what was written to the lake."""
    return WarehouseError(
        "warehouse build in the lake",
        path,
        "its bytes are not those that were written under this name",
        "Run `smartinvest transform --full` for its session: it is written to the lake anew.",
    )
