"""One build: made in this home or found where it was made before, then published."""

import dataclasses
import datetime as dt
import logging

from pipelines.build_results import BuildAttempt
from pipelines.errors import LakeError, WarehouseError
from pipelines.lake import Manifest
from pipelines.progress import step
from pipelines.settings import Settings
from pipelines.warehouse import dbt_build
from pipelines.warehouse.base import full_plan, plan, rejections_of
from pipelines.warehouse.changes import Inputs
from pipelines.warehouse.code import code_digest
from pipelines.warehouse.dbt_process import DbtProcess
from pipelines.warehouse.inputs import lay_out, remove_inputs
from pipelines.warehouse.publication import build_name, is_finished, point, remove_old
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
from pipelines.warehouse.shared import retention
from pipelines.warehouse.shared.fetching import fetch_base, fetch_named
from pipelines.warehouse.shared.handing_over import Handing
from pipelines.warehouse.workspace import fresh_workspace, taking_name, unwritable

logger = logging.getLogger(__name__)


def made_or_found(
    settings: Settings,
    manifest: Manifest,
    dbt: DbtProcess,
    handing: Handing | None,
    *,
    full: bool = False,
    started_by: str = "",
) -> WarehouseBuild:
    """Build the warehouse of a manifest, unless this machine or another has it, and publish it.

    Parameters
    ----------
    dbt : the process to build it in; the caller holds the home's warehouse.
    handing : the way to other machines; None for a build that is this home's alone.
    full, started_by : as in ``transform``.

    Raises
    ------
    LakeError
        An input cannot be read, or the lake that machines share cannot be written.
    WarehouseError
        A model or test failed, the home cannot be written, or another builder was faster.
    """
    name = build_name(manifest.session_date, manifest.digest, code_digest())
    path = settings.warehouse / "builds" / name
    try:
        is_sound = full or handing is None or _is_sound_in_lake(settings, name)
        if is_finished(path) and not full:
            logger.info("the warehouse of %s is built already", manifest.session_date)
            build = read_build(path)
            _publish(settings, build, handing, anew=not is_sound)
        else:
            with (
                step(f"build the warehouse of {manifest.session_date}"),
                recorded(
                    settings,
                    _attempt(manifest, name, started_by),
                    is_kept=handing is not None or not settings.shares_lake,
                ) as recording,
            ):
                if handing is not None and not full:
                    fetch_base(
                        settings, code_digest(), manifest.session_date, manifest.known_at_cut
                    )
                build = _built(settings, manifest, recording, dbt, full=full)
                _publish(settings, build, handing, anew=full or not is_sound)
        remove_old(settings)
        if handing is not None:
            _tidy_lake(settings)
    except OSError as error:
        raise unwritable(settings.warehouse, error) from None
    return build


def _publish(
    settings: Settings, build: WarehouseBuild, handing: Handing | None, *, anew: bool = False
) -> None:
    if handing is not None:
        handing.hand_over(build, anew=anew)
    point(settings, build)


def _is_sound_in_lake(settings: Settings, name: str) -> bool:
    """Fetch a build that another machine has made; say whether it is sound, where it is there."""
    try:
        fetch_named(settings, name)
    except WarehouseError as error:
        logger.warning("making it anew: %s", error)
        return False
    return True


def _tidy_lake(settings: Settings) -> None:
    try:
        retention.remove_old(settings)
    except (LakeError, WarehouseError) as error:
        logger.warning("old builds stay in the lake: %s", error)


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
