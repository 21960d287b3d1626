"""The stage itself: from a session to a published build, once per snapshot and code."""

import datetime as dt
import logging
from functools import cache

import duckdb

from pipelines.errors import LakeError, WarehouseError
from pipelines.lake import (
    Manifest,
    build_manifest,
    manifests_starting,
    read_manifest,
    write_manifest,
)
from pipelines.lineage import REPOSITORY, json_digest, tree_digest
from pipelines.progress import step
from pipelines.settings import Settings
from pipelines.store import connect as connect_store
from pipelines.store.one_source import require_runs_of
from pipelines.warehouse import dbt_build
from pipelines.warehouse.duckdb import connect
from pipelines.warehouse.export import count_rows, export_features
from pipelines.warehouse.inputs import lay_out, remove_inputs
from pipelines.warehouse.publication import (
    WarehouseBuild,
    build_name,
    finish,
    fresh_workspace,
    publish,
    read_build,
    remove_old,
    require_home_of,
    session_pointer,
    snapshot_prefix,
    sole_builder,
    unwritable,
)
from pipelines.warehouse.snapshot import snapshot_clients, warn_of_later_inputs

logger = logging.getLogger(__name__)

_CODE = ("dbt", "models", "pipelines/warehouse")
_CODE_SUFFIXES = (".sql", ".yml", ".py")


def transform(settings: Settings, session: dt.date) -> WarehouseBuild:
    """Build and publish the warehouse of a session from the lake and the current client inputs.

    A home and its store are of one source; another one is refused before anything is written.
    Nothing is built when the same snapshot and code were built before. Readers of the pointers
    see the old build until the new one is whole and all its tests passed.

    Raises
    ------
    LakeError, StoreError
        The inputs cannot be read; the session has no prices yet; the store is of another source.
    WarehouseError
        A model or test failed, or the warehouse cannot be written; the last build stays. Or the
        current build is of another source.
    """
    _require_one_source(settings)
    manifest = build_manifest(settings, session, snapshot_clients(settings))
    warn_of_later_inputs(settings, manifest)
    write_manifest(settings, manifest)
    return _published(settings, manifest)


def build_for(settings: Settings, session: dt.date) -> WarehouseBuild:
    """Return a session's newest build; one that retention removed is made again, by today's code.

    Raises
    ------
    WarehouseError
        The session was never built, its build is damaged, or the home is of another source.
    """
    require_home_of(settings)
    pointer = session_pointer(settings, session)
    if not pointer.is_symlink():
        raise WarehouseError(
            "session",
            session,
            "it has no warehouse build",
            f"Run `smartinvest transform --session {session}` first.",
        )
    if not pointer.exists():
        manifest = _manifest_starting(settings, snapshot_prefix(pointer.readlink().name))
        return _published(settings, manifest)
    return read_build(pointer)


@cache
def code_digest() -> str:
    """Return the SHA-256 of the SQL, our code around it and DuckDB's version, in hex."""
    return json_digest([tree_digest(REPOSITORY, _CODE, _CODE_SUFFIXES), duckdb.__version__])


def _require_one_source(settings: Settings) -> None:
    require_home_of(settings)
    with connect_store(settings) as store:
        require_runs_of(store, settings.source)


def _published(settings: Settings, manifest: Manifest) -> WarehouseBuild:
    name = build_name(manifest.session_date, manifest.data_snapshot, code_digest())
    path = settings.warehouse / "builds" / name
    with sole_builder(settings) as lock:
        try:
            if path.exists():
                logger.info("the warehouse of %s is built already", manifest.session_date)
                build = read_build(path)
            else:
                with step(f"build the warehouse of {manifest.session_date}"):
                    build = _built(settings, manifest, name, lock)
            publish(settings, build)
            remove_old(settings)
        except OSError as error:
            raise unwritable(settings.warehouse, error) from None
    return build


def _built(settings: Settings, manifest: Manifest, name: str, lock: int) -> WarehouseBuild:
    workspace = fresh_workspace(settings)
    lay_out(settings, manifest, workspace)
    dbt_build.build(settings, workspace, code_digest(), lock)
    with connect(workspace) as warehouse:
        features = export_features(warehouse, workspace / "features.parquet")
        rows = count_rows(warehouse)
    remove_inputs(workspace)
    build = WarehouseBuild(
        path=settings.warehouse.resolve() / "builds" / name,
        source=manifest.source,
        session_date=manifest.session_date,
        known_at_cut=manifest.known_at_cut,
        data_snapshot=manifest.data_snapshot,
        code_digest=code_digest(),
        feature_hash=features.digest,
        rows=rows,
    )
    finish(workspace, build)
    return build


def _manifest_starting(settings: Settings, prefix: str) -> Manifest:
    found = manifests_starting(settings, prefix)
    if len(found) != 1:
        raise LakeError(
            "data snapshot",
            prefix,
            f"{len(found)} manifests start with it, so its warehouse cannot be made again",
            "Restore the lake's manifests from a backup.",
        )
    return read_manifest(settings, found[0])
