"""Which build a session has, for all machines: generations, each created by one builder."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import TypeGuard

from pipelines.errors import WarehouseError
from pipelines.lake import Storage, storage
from pipelines.lineage import canonical_json
from pipelines.settings import Settings
from pipelines.warehouse.shared import root
from pipelines.warehouse.shared.listing import listing_path

_DIGITS = 8


@dataclass(frozen=True)
class Pointer:
    """A session's build, the digest of its list, and which of the session's pointers it is."""

    generation: int
    build: str
    listing: str


def newest_pointer(settings: Settings, session: date) -> Pointer | None:
    """Return a session's pointer; None where it was never built."""
    return _last(storage(settings), _folder(settings, session))


def current_pointer(settings: Settings) -> Pointer | None:
    """Return the pointer of the newest session that was built; None before the first build."""
    return _last(storage(settings), f"{root(settings)}/sessions")


def advance(
    settings: Settings,
    session: date,
    seen: Pointer | None,
    build: str,
    listing: str,
    *,
    anew: bool = False,
) -> None:
    """Point a session at a build, unless somebody else has done so since its pointer was seen.

    Who made the same build, of the same inputs by the same code, has done our work.

    Parameters
    ----------
    anew : only this very list will do: other files of the build may be damaged.

    Raises
    ------
    WarehouseError
        Another builder was faster; its pointer stays.
    """
    place, folder = storage(settings), _folder(settings, session)

    def will_do(pointer: Pointer | None) -> TypeGuard[Pointer]:
        if pointer is None or pointer.build != build:
            return False
        there = listing_path(settings, build, pointer.listing)
        return pointer.listing == listing or (not anew and place.exists(there))

    if will_do(seen):
        return
    number = 1 if seen is None else seen.generation + 1
    content = canonical_json({"build": build, "listing": listing}).encode()
    place.create(f"{folder}/{number:0{_DIGITS}d}.json", content)
    # Ours may be there and not the newest: where two came after it, the first of them is gone.
    newest = _last(place, folder)
    if not will_do(newest):
        raise WarehouseError(
            "session",
            session,
            f"another builder published {newest.build if newest else 'and removed'} while {build} "
            "was made; nothing was overwritten",
            "Run `smartinvest transform` again: it reads the inputs as they are now.",
        )
    for path in place.files(folder, ".json"):
        if _generation(path) < newest.generation:
            place.delete(path)


def _last(place: Storage, folder: str) -> Pointer | None:
    while paths := place.files(folder, ".json"):
        try:
            plain = json.loads(place.read(paths[-1]).to_pybytes())
            return Pointer(_generation(paths[-1]), str(plain["build"]), str(plain["listing"]))
        except FileNotFoundError:
            continue  # the one after it came and this one went, between the two looks
        except (ValueError, KeyError, TypeError):
            raise WarehouseError(
                "pointer to a warehouse build",
                paths[-1],
                "its text is not what was written",
                "Remove it and run `smartinvest transform` for its session.",
            ) from None
    return None


def _generation(path: str) -> int:
    return int(PurePosixPath(path).stem)


def _folder(settings: Settings, session: date) -> str:
    return f"{root(settings)}/sessions/{session.isoformat()}"
