"""The stage itself: from a session to a published build, once per snapshot and code."""

import datetime as dt
import logging

from pipelines.errors import LakeError
from pipelines.lake import (
    Manifest,
    build_manifest,
    manifests_starting,
    read_manifest,
    write_manifest,
)
from pipelines.settings import Settings
from pipelines.store import connect as connect_store
from pipelines.store.one_source import require_runs_of
from pipelines.warehouse.code import code_digest
from pipelines.warehouse.dbt_build import process_for
from pipelines.warehouse.history import snapshot_history
from pipelines.warehouse.making import made_or_found
from pipelines.warehouse.places import no_build, pointed_name
from pipelines.warehouse.publication import (
    is_of_code,
    manifest_prefix,
    point,
    remove_old,
    require_home_of,
    session_pointer,
)
from pipelines.warehouse.record import (
    WarehouseBuild,
    read_build,
)
from pipelines.warehouse.shared.fetching import fetch
from pipelines.warehouse.shared.handing_over import begin_handing
from pipelines.warehouse.shared.pointers import newest_pointer
from pipelines.warehouse.snapshot import snapshot_clients
from pipelines.warehouse.workspace import (
    sole_builder,
    workspace_path,
)

logger = logging.getLogger(__name__)


def transform(
    settings: Settings, session: dt.date, *, full: bool = False, started_by: str = ""
) -> WarehouseBuild:
    """Build and publish the warehouse of a session from the lake, its client inputs and old advice.

    A home and its store are of one source; another one is refused before anything is written.
    Where machines share the lake, the build is made in this home and published there.
    Nothing is built when the same snapshot and code were built before. Readers of the pointers
    see the old build until the new one is whole and all its tests passed.

    Parameters
    ----------
    full : build in any case, from no earlier build, in place of one that is there already. It
        gives the same panel, unless that was damaged.
    started_by : id of the Airflow run that asks for it; its results are found by it.

    Raises
    ------
    LakeError, StoreError
        The inputs cannot be read; the session has no prices yet; the store is of another source.
    WarehouseError
        A model or test failed, or the warehouse cannot be written; the last build stays. Or the
        current build is of another source.
    """
    _require_one_source(settings)
    with (
        sole_builder(settings) as lock,
        process_for(settings, workspace_path(settings), code_digest(), lock) as dbt,
    ):
        handing = begin_handing(settings, session)
        if full or not _may_be_built(settings, session):
            dbt.start()
        manifest = build_manifest(settings, session, snapshot_clients(settings, session))
        manifest = manifest.with_history(snapshot_history(settings, session))
        write_manifest(settings, manifest)
        return made_or_found(settings, manifest, dbt, handing, full=full, started_by=started_by)


def build_for(settings: Settings, session: dt.date) -> WarehouseBuild:
    """Return a session's newest build; one that retention removed is made again, by today's code.

    From a lake that machines share, it is fetched into the home first, unless it is there.

    Raises
    ------
    LakeError
        The lake that has it cannot be read.
    WarehouseError
        The session was never built, its build is damaged, or the home is of another source.
    """
    require_home_of(settings)
    if build := _kept_build(settings, session):
        return build
    with (
        sole_builder(settings) as lock,
        process_for(settings, workspace_path(settings), code_digest(), lock) as dbt,
    ):
        handing = begin_handing(settings, session)
        name = pointed_name(settings, session)
        if name is None:
            raise no_build(session)
        manifest = _manifest_starting(settings, manifest_prefix(name))
        return made_or_found(settings, manifest, dbt, handing)


def rebuild(settings: Settings, data_snapshot: str) -> WarehouseBuild:
    """Build the warehouse of a data snapshot again, under the home of the settings.

    It has no history of advice, which is no part of a snapshot, and is for this home alone.

    Raises
    ------
    LakeError
        The lake has no manifest of it, or a file that it names is missing or damaged.
    WarehouseError
        A model or test failed, or the home cannot be written.
    """
    manifest = read_manifest(settings, data_snapshot)
    with (
        sole_builder(settings, is_private=True) as lock,
        process_for(settings, workspace_path(settings), code_digest(), lock) as dbt,
    ):
        return made_or_found(settings, manifest, dbt, None)


def _require_one_source(settings: Settings) -> None:
    require_home_of(settings)
    with connect_store(settings) as store:
        require_runs_of(store, settings.source)


def _may_be_built(settings: Settings, session: dt.date) -> bool:
    """Say whether a session has a build of today's code; it may be of other inputs."""
    name = pointed_name(settings, session)
    return name is not None and is_of_code(name, code_digest())


def _kept_build(settings: Settings, session: dt.date) -> WarehouseBuild | None:
    """Return a session's newest build, fetched if need be; None where retention removed it."""
    if settings.shares_lake:
        shared = newest_pointer(settings, session)
        if shared is None:
            raise no_build(session)
        folder = fetch(settings, shared.build, shared.listing)
        if folder is None:
            return None
        build = read_build(folder)
        point(settings, build)
        remove_old(settings)
        return build
    pointer = session_pointer(settings, session)
    if not pointer.is_symlink():
        raise no_build(session)
    return read_build(pointer) if pointer.exists() else None


def _manifest_starting(settings: Settings, prefix: str) -> Manifest:
    found = manifests_starting(settings, prefix)
    if len(found) != 1:
        raise LakeError(
            "manifest",
            prefix,
            f"{len(found)} manifests start with it, so its warehouse cannot be made again",
            "Restore the lake's manifests from a backup.",
        )
    return read_manifest(settings, found[0])
