"""Keep the newest builds of a lake; what is removed can be made again from its manifest."""

import logging

from pipelines.lake import storage
from pipelines.settings import Settings
from pipelines.warehouse.shared import root
from pipelines.warehouse.shared.listing import file_path, listing_path, read_listing
from pipelines.warehouse.shared.pointers import current_pointer

logger = logging.getLogger(__name__)

KEPT_BUILDS = 30
"""More than a home keeps: in a backfill, other machines still read what this one has built."""
_UNDER_WAY_NS = 24 * 3600 * 10**9
"""Files without a build that are younger may be of an upload under way."""


def remove_old(settings: Settings) -> int:
    """Remove all but the newest builds and the current one from the lake; return how many files.

    A build goes by its list first, so that a kill leaves none that lacks files. Ages are those of
    the storage's own clock.

    Raises
    ------
    LakeError, WarehouseError
        The lake cannot be read or written, or a list in it is damaged: nothing is removed then.
    """
    place = storage(settings)
    lists = sorted(
        place.stored(f"{root(settings)}/builds"), key=lambda file: (file.written_ns, file.path)
    )
    if len(lists) <= KEPT_BUILDS:
        return 0
    kept = {file.path for file in lists[-KEPT_BUILDS:]}
    if current := current_pointer(settings):
        kept.add(listing_path(settings, current.build, current.listing))
    old = [file.path for file in lists if file.path not in kept]
    needed = {
        file_path(settings, file)
        for path in sorted(kept)
        for file in read_listing(place, path).files
    }
    for path in old:
        logger.info("removing the old build %s from the lake", path.split("/")[-2])
        place.delete(path)
    files = place.stored(f"{root(settings)}/files")
    now = max(file.written_ns for file in (*files, *lists))
    dead = [
        file.path
        for file in files
        if file.path not in needed and now - file.written_ns > _UNDER_WAY_NS
    ]
    for path in dead:
        place.delete(path)
    return len(old) + len(dead)
