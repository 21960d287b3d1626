"""The stage itself: from a session to a published build, once per snapshot and code."""

import dataclasses
import datetime as dt
import logging
from functools import cache
from importlib.metadata import version

from pipelines.build_results import BuildAttempt
from pipelines.errors import LakeError, WarehouseError
from pipelines.lake import (
    Manifest,
    build_manifest,
    manifests_starting,
    read_manifest,
    write_manifest,
)
from pipelines.lineage import REPOSITORY, file_digest, json_digest, tree_digest
from pipelines.progress import step
from pipelines.settings import Settings
from pipelines.store import connect as connect_store
from pipelines.store.one_source import require_runs_of
from pipelines.warehouse import dbt_build
from pipelines.warehouse.base import full_plan, plan, rejections_of
from pipelines.warehouse.changes import Inputs
from pipelines.warehouse.dbt_build import process_for
from pipelines.warehouse.dbt_process import DbtProcess
from pipelines.warehouse.history import snapshot_history
from pipelines.warehouse.inputs import lay_out, remove_inputs
from pipelines.warehouse.publication import (
    build_name,
    is_finished,
    is_of_code,
    manifest_prefix,
    publish,
    remove_old,
    require_home_of,
    session_pointer,
)
from pipelines.warehouse.record import (
    PANEL_FOLDER,
    PARTS_FILE,
    WarehouseBuild,
    features_digest,
    read_build,
    read_parts,
    write_record,
)
from pipelines.warehouse.recording import Recording, recorded
from pipelines.warehouse.session_features import export_session_features
from pipelines.warehouse.settling import anchor_in, settle
from pipelines.warehouse.snapshot import snapshot_clients
from pipelines.warehouse.workspace import (
    fresh_workspace,
    sole_builder,
    taking_name,
    unwritable,
    workspace_path,
)

logger = logging.getLogger(__name__)

_CODE = ("dbt", "models", "pipelines/lake", "pipelines/warehouse")
_CODE_SUFFIXES = (".sql", ".yml", ".py")
_CODE_FILES = ("pipelines/macro_series.csv", "pipelines/macro_series.py", "pipelines/sessions.py")
"""What lies outside of those folders and decides on what a build says."""
_LIBRARIES = ("duckdb", "exchange-calendars", "llvmlite", "numba", "numpy", "pyarrow")
"""What makes bits and bytes besides our own code; another release of one makes another build."""


def transform(
    settings: Settings, session: dt.date, *, full: bool = False, started_by: str = ""
) -> WarehouseBuild:
    """Build and publish the warehouse of a session from the lake, its client inputs and old advice.

    A home and its store are of one source; another one is refused before anything is written.
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
        if full or not _may_be_built(settings, session):
            dbt.start()
        manifest = build_manifest(settings, session, snapshot_clients(settings, session))
        manifest = manifest.with_history(snapshot_history(settings, session))
        write_manifest(settings, manifest)
        return _published(settings, manifest, dbt, full=full, started_by=started_by)


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
        manifest = _manifest_starting(settings, manifest_prefix(pointer.readlink().name))
        with (
            sole_builder(settings) as lock,
            process_for(settings, workspace_path(settings), code_digest(), lock) as dbt,
        ):
            return _published(settings, manifest, dbt)
    return read_build(pointer)


def rebuild(settings: Settings, data_snapshot: str) -> WarehouseBuild:
    """Build the warehouse of a data snapshot again, under the home of the settings.

    It has no history of advice, which is no part of a snapshot.

    Raises
    ------
    LakeError
        The lake has no manifest of it, or a file that it names is missing or damaged.
    WarehouseError
        A model or test failed, or the home cannot be written.
    """
    manifest = read_manifest(settings, data_snapshot)
    with (
        sole_builder(settings) as lock,
        process_for(settings, workspace_path(settings), code_digest(), lock) as dbt,
    ):
        return _published(settings, manifest, dbt)


@cache
def code_digest() -> str:
    """Return the SHA-256 of the SQL, our code around it and the libraries' versions, in hex."""
    libraries = [(name, version(name)) for name in _LIBRARIES]
    files = [(name, file_digest(REPOSITORY / name)) for name in _CODE_FILES]
    return json_digest([tree_digest(REPOSITORY, _CODE, _CODE_SUFFIXES), files, libraries])


def _require_one_source(settings: Settings) -> None:
    require_home_of(settings)
    with connect_store(settings) as store:
        require_runs_of(store, settings.source)


def _may_be_built(settings: Settings, session: dt.date) -> bool:
    """Say whether a session has a build of today's code; it may be of other inputs."""
    pointer = session_pointer(settings, session)
    return pointer.is_symlink() and is_of_code(pointer.readlink().name, code_digest())


def _published(
    settings: Settings,
    manifest: Manifest,
    dbt: DbtProcess,
    *,
    full: bool = False,
    started_by: str = "",
) -> WarehouseBuild:
    name = build_name(manifest.session_date, manifest.digest, code_digest())
    path = settings.warehouse / "builds" / name
    try:
        if is_finished(path) and not full:
            logger.info("the warehouse of %s is built already", manifest.session_date)
            build = read_build(path)
            publish(settings, build)
        else:
            with (
                step(f"build the warehouse of {manifest.session_date}"),
                recorded(settings, _attempt(manifest, name, started_by)) as recording,
            ):
                build = _built(settings, manifest, recording, dbt, full=full)
                publish(settings, build)
        remove_old(settings)
    except OSError as error:
        raise unwritable(settings.warehouse, error) from None
    return build


def _built(
    settings: Settings, manifest: Manifest, recording: Recording, dbt: DbtProcess, *, full: bool
) -> WarehouseBuild:
    dbt.start()
    workspace = fresh_workspace(settings)
    inputs = Inputs(manifest, rejections_of(settings, manifest))
    chosen = full_plan() if full else plan(settings, inputs, code_digest())
    logger.info("%s", chosen)
    recording.attempt = dataclasses.replace(recording.attempt, plan=str(chosen))
    lay_out(settings, inputs, chosen, workspace)
    dbt_build.build(settings, workspace, recording, dbt)
    parts = read_parts(workspace / PARTS_FILE, workspace / PANEL_FOLDER)
    path = settings.warehouse.resolve() / "builds" / recording.attempt.build
    panel_rows = sum(part.rows for part in parts)
    rows = settle(workspace, dbt_build.manifest_of(settings), panel_rows)
    session_features = export_session_features(workspace)
    recording.attempt = recording.attempt.with_rows_of_marts(rows)
    remove_inputs(workspace)
    build = WarehouseBuild(
        path=path,
        source=manifest.source,
        session_date=manifest.session_date,
        known_at_cut=manifest.known_at_cut,
        data_snapshot=manifest.data_snapshot,
        code_digest=code_digest(),
        feature_hash=features_digest([*parts, session_features]),
        panel=parts,
        session_features=session_features,
        rows=rows,
        base=chosen.base.path.name if chosen.base else None,
    )
    with taking_name(settings, workspace, path):
        anchor_in(path)
        write_record(build, path)
    return build


def _attempt(manifest: Manifest, name: str, started_by: str) -> BuildAttempt:
    return BuildAttempt(
        source=manifest.source,
        session_date=manifest.session_date,
        data_snapshot=manifest.data_snapshot,
        build=name,
        code_digest=code_digest(),
        started_by=started_by,
        started_at=dt.datetime.now(dt.UTC),
    )


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
