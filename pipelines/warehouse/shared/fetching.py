"""Fetch a build from the lake into the home: what is lacking, once, and proved by its digests."""

import datetime as dt
import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from pipelines.errors import LakeError, WarehouseError
from pipelines.lake import storage, write_text
from pipelines.lineage import file_digest
from pipelines.progress import step
from pipelines.settings import Settings
from pipelines.warehouse.publication import (
    finished_builds,
    is_finished,
    is_of_code,
    mark_used,
)
from pipelines.warehouse.record import RECORD, read_build
from pipelines.warehouse.settling import anchor_in
from pipelines.warehouse.shared import root
from pipelines.warehouse.shared.listing import (
    LISTING,
    BuildFile,
    Listing,
    damaged_in_lake,
    file_path,
    kept_digest,
    listing_path,
    read_listing,
)
from pipelines.warehouse.workspace import taking_name, unwritable

logger = logging.getLogger(__name__)

_ASIDE = f".{RECORD}"
_THREADS = 4
"""Downloads at once: they wait for a server more than they compute."""


def fetch(settings: Settings, build: str, listing: str) -> Path | None:
    """Return the folder at home of a build of the lake, fetched unless it is there already.

    Two processes that fetch the same at once fetch it once. A build that is damaged at home, or
    was made anew in the lake since, is fetched again.

    Parameters
    ----------
    build : its name.
    listing : digest of its list.

    Returns
    -------
    The folder; None where the lake has the build no more.

    Raises
    ------
    LakeError
        The lake cannot be read.
    WarehouseError
        A file in the lake is damaged, or the home cannot be written.
    """
    path = settings.warehouse / "builds" / build
    if _is_here(path, listing):
        return path
    try:
        with _sole_fetcher(settings):
            if not _is_here(path, listing):
                place = storage(settings)
                found = read_listing(place, listing_path(settings, build, listing))
                with step(f"fetch {build} from the lake"):
                    _fetch(settings, found, path)
                mark_used(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unwritable(settings.warehouse, error) from None
    return path


def fetch_named(settings: Settings, build: str) -> Path | None:
    """Return the folder at home of the newest build of a name; None where the lake has none.

    Raises
    ------
    LakeError, WarehouseError
        As :func:`fetch`.
    """
    lists = storage(settings).stored(f"{root(settings)}/builds/{build}")
    if not lists:
        return None
    newest = max(lists, key=lambda file: (file.written_ns, file.path))
    return fetch(settings, build, PurePosixPath(newest.path).stem)


def fetch_base(
    settings: Settings, code_digest: str, session: dt.date, known_at_cut: dt.datetime
) -> None:
    """Fetch the build that one of a session can best go on from, where other machines made it.

    It is of the same code, of no later session, and knew nothing later. Without it the build is
    the same, only slower: so one that cannot be fetched is passed over, with a line in the log.
    """
    place = storage(settings)
    try:
        found = [
            listing
            for path in place.files(f"{root(settings)}/builds", ".json")
            if is_of_code(PurePosixPath(path).parent.name, code_digest)
            and (listing := read_listing(place, path)).session_date <= session
            and listing.known_at_cut <= known_at_cut
        ]
        if found:
            best = max(found, key=lambda listing: (listing.session_date, listing.known_at_cut))
            fetch(settings, best.build, best.digest)
    except (LakeError, WarehouseError, FileNotFoundError) as error:
        logger.warning("no build is fetched to go on from: %s", error)


def _is_here(path: Path, listing: str) -> bool:
    if not is_finished(path) or kept_digest(path) != listing:
        return False
    try:
        read_build(path)
    except WarehouseError as error:
        logger.warning("fetching again: %s", error)
        return False
    mark_used(path)
    return True


def _fetch(settings: Settings, listing: Listing, path: Path) -> None:
    folder = settings.warehouse / ".fetching" / listing.build
    shutil.rmtree(folder.parent, ignore_errors=True)  # what a killed fetch left
    try:
        known = _known_files(settings)
        for parent in {(folder / file.path).parent for file in listing.files}:
            parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(lambda file: _bring(settings, file, folder, known), listing.files):
                pass
        write_text(listing.text, folder / LISTING)
        path.parent.mkdir(parents=True, exist_ok=True)
        with taking_name(settings, folder, path):
            # Its views find the panel only where it will stay.
            anchor_in(path)
            (path / _ASIDE).replace(path / RECORD)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def _bring(settings: Settings, file: BuildFile, folder: Path, known: dict[str, Path]) -> None:
    # A build is one once it has its record, so that gets its name last.
    target = folder / (_ASIDE if file.path == RECORD else file.path)
    here = known.get(file.digest)
    if here is not None and _is_whole(here, file):
        os.link(here, target)
        return
    stored = file_path(settings, file)
    if storage(settings).download(stored, target) != file.digest:
        raise damaged_in_lake(stored)


def _is_whole(path: Path, file: BuildFile) -> bool:
    try:
        return path.stat().st_size == file.size_bytes and file_digest(path) == file.digest
    except OSError:  # retention was faster
        return False


def _known_files(settings: Settings) -> dict[str, Path]:
    """Return the files of the builds at home by digest; a database is another one in each home."""
    if not (settings.warehouse / "builds").is_dir():
        return {}
    known: dict[str, Path] = {}
    for path in finished_builds(settings):
        try:
            files = read_build(path).feature_files
        except WarehouseError as error:
            logger.info("nothing is taken from %s: %s", path.name, error)
            continue
        known |= {file.digest: path / name for name, file in files.items()}
    return known


@contextmanager
def _sole_fetcher(settings: Settings) -> Iterator[None]:
    settings.warehouse.mkdir(parents=True, exist_ok=True)
    with (settings.warehouse / ".fetching.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
