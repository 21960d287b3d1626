"""Where a published build is: in the home alone, or in a lake that machines share."""

import datetime as dt
from pathlib import Path

from pipelines.errors import WarehouseError
from pipelines.settings import Settings
from pipelines.warehouse.publication import session_pointer
from pipelines.warehouse.record import WarehouseBuild, read_build
from pipelines.warehouse.shared.fetching import fetch, fetch_named
from pipelines.warehouse.shared.pointers import Pointer, current_pointer, newest_pointer


def pointed_name(settings: Settings, session: dt.date | None = None) -> str | None:
    """Return the name of a session's newest build, or of the current one; None without any.

    Retention may have removed the build itself.

    Raises
    ------
    LakeError
        The lake that has the pointer cannot be read.
    """
    if settings.shares_lake:
        pointer = _pointer(settings, session)
        return pointer.build if pointer else None
    link = _link(settings, session)
    return link.readlink().name if link.is_symlink() else None


def published_folder(settings: Settings, session: dt.date | None = None) -> Path:
    """Return the folder of a session's newest build, or of the current one, to be opened.

    In a home of its own it is the pointer, which may lead nowhere. From a lake that machines share
    the build is fetched first.

    Raises
    ------
    LakeError
        The lake cannot be read.
    WarehouseError
        The lake has no such build, or a damaged one, or the home cannot be written.
    """
    if not settings.shares_lake:
        return _link(settings, session)
    pointer = _pointer(settings, session)
    folder = fetch(settings, pointer.build, pointer.listing) if pointer else None
    if folder is None:
        raise no_build(session)
    return folder


def build_named(settings: Settings, name: str) -> WarehouseBuild:
    """Return the build of a name, fetched unless it is here: the one that another task read.

    Raises
    ------
    LakeError
        The lake cannot be read.
    WarehouseError
        There is no such build any more, it is damaged, or the home cannot be written.
    """
    folder = settings.warehouse / "builds" / name
    if settings.shares_lake:
        fetched = fetch_named(settings, name)
        if fetched is None and not folder.exists():
            raise WarehouseError(
                "warehouse build", name, "the lake has it no more", "Begin the run anew."
            )
    return read_build(folder)


def no_build(session: dt.date | None) -> WarehouseError:
    """Return the error that says that a session has no build."""
    option = f" --session {session}" if session else ""
    return WarehouseError(
        "session",
        session or "newest",
        "it has no warehouse build",
        f"Run `smartinvest transform{option}` first.",
    )


def _pointer(settings: Settings, session: dt.date | None) -> Pointer | None:
    return newest_pointer(settings, session) if session else current_pointer(settings)


def _link(settings: Settings, session: dt.date | None) -> Path:
    return session_pointer(settings, session) if session else settings.warehouse / "current"
