"""Hand a finished build over to other machines: its files, then its list, then the pointer."""

import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipelines.errors import LakeError
from pipelines.lake import storage, write_text
from pipelines.progress import step
from pipelines.settings import Settings
from pipelines.warehouse.record import WarehouseBuild
from pipelines.warehouse.shared.listing import (
    LISTING,
    BuildFile,
    Listing,
    file_path,
    kept_digest,
    listing_of,
    listing_path,
)
from pipelines.warehouse.shared.pointers import Pointer, advance, newest_pointer

logger = logging.getLogger(__name__)

_THREADS = 4
"""Uploads at once: they wait for a server more than they compute."""


@dataclass(frozen=True)
class Handing:
    """A build for other machines, from before its inputs are read until it is published.

    Attributes
    ----------
    seen : the session's pointer from before; it is moved only where it still is that one.
    """

    settings: Settings
    session: dt.date
    seen: Pointer | None

    def hand_over(self, build: WarehouseBuild, *, anew: bool = False) -> None:
        """Write a build into the lake, except for bytes that it has; point its session at it.

        Parameters
        ----------
        anew : write all files, also those that are there: they may be damaged.

        Raises
        ------
        LakeError
            The lake cannot be written; the session's pointer is as it was.
        WarehouseError
            Another builder has moved the pointer since; so it is not moved, and the build stays
            without one.
        """
        name, listing = build.path.name, None if anew else self._known_listing(build)
        if listing is None:
            listing = self._write(build, anew=anew)
        advance(self.settings, self.session, self.seen, name, listing, anew=anew)

    def _known_listing(self, build: WarehouseBuild) -> str | None:
        """Return the digest of the list by which the lake has the build already; None if not."""
        kept = kept_digest(build.path)
        if kept is None:
            return None
        path = listing_path(self.settings, build.path.name, kept)
        return kept if storage(self.settings).exists(path) else None

    def _write(self, build: WarehouseBuild, *, anew: bool) -> str:
        listing = listing_of(build)
        _upload(self.settings, build, listing, anew=anew)
        path = listing_path(self.settings, listing.build, listing.digest)
        storage(self.settings).write(path, listing.text.encode())
        write_text(listing.text, build.path / LISTING)
        return listing.digest


def begin_handing(settings: Settings, session: dt.date) -> Handing | None:
    """Look at a session's pointer before a build for it is begun; None in a home of its own.

    Raises
    ------
    LakeError
        The lake cannot be read.
    """
    if not settings.shares_lake:
        return None
    return Handing(settings, session, newest_pointer(settings, session))


def _upload(settings: Settings, build: WarehouseBuild, listing: Listing, *, anew: bool) -> None:
    place = storage(settings)
    files = list({file.stored_name: file for file in listing.files}.values())
    lacking = files if anew else _lacking(settings, files)
    size_mb = sum(file.size_bytes for file in lacking) / 1e6
    logger.info("writing %d of %d files to the lake, %.1f MB", len(lacking), len(files), size_mb)
    with step(f"hand over {build.path.name}"), ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(
            lambda file: place.upload(build.path / file.path, file_path(settings, file)), lacking
        ):
            pass
    if lost := _lacking(settings, files):
        raise LakeError(
            "lake",
            file_path(settings, lost[0]),
            f"it is not there, or not whole, although it was written ({len(lost)} such files)",
            "Run `smartinvest transform` again; the session's pointer was not moved.",
        )


def _lacking(settings: Settings, files: list[BuildFile]) -> list[BuildFile]:
    """Return the files that the lake does not have in their size; readers prove their bytes."""
    folder = file_path(settings, files[0]).rpartition("/")[0]
    there = {file.path: file.size_bytes for file in storage(settings).stored(folder)}
    return [file for file in files if there.get(file_path(settings, file)) != file.size_bytes]
