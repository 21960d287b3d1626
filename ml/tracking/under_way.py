"""A training while it is under way: it begins, and is removed if it fails or was killed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ml.errors import TrackingError
from ml.owner import HOST_TAG, host, owner_lives, owner_tags
from ml.records import FinishedTraining, TrainingIdentity
from ml.tracking.connection import Connection
from ml.tracking.searching import runs_below, trainings
from ml.tracking.tags import DESCRIPTION, KIND, training_tags
from ml.tracking.training_run import TrainingRun

logger = logging.getLogger(__name__)

_UNDER_WAY: set[str] = set()
"""Trainings of this process; one that failed while MLflow was out of reach is not among them."""


@contextmanager
def training_under_way(
    connection: Connection,
    identity: TrainingIdentity,
    incumbent: FinishedTraining | None,
    *,
    is_alone: bool,
) -> Iterator[TrainingRun]:
    """Yield a training's parent run, as ``Registry.training`` says."""
    _remove_dead(connection)
    if is_alone:
        _remove_all(connection, identity)
    with connection.use() as client:
        run = client.create_run(
            connection.experiment_id,
            run_name=f"training {identity.source} {identity.profile}",
            tags={
                **training_tags(identity),
                **owner_tags(),
                DESCRIPTION: "This training is under way: nothing of it is registered yet.",
            },
        )
    run_id = run.info.run_id
    _UNDER_WAY.add(run_id)
    try:
        yield TrainingRun(connection, run_id, identity, incumbent)
    except BaseException:
        _abandon_if_possible(connection, run_id)
        raise
    finally:
        _UNDER_WAY.discard(run_id)


def _remove_dead(connection: Connection) -> None:
    """End the runs of trainings whose process on this machine is gone, or has given them up."""
    for run in trainings(connection, "RUNNING", {HOST_TAG: host()}):
        is_ours = owner_tags().items() <= run.data.tags.items()
        if run.info.run_id in _UNDER_WAY or (not is_ours and owner_lives(run.data.tags)):
            continue
        logger.warning("removing training %s, which was killed", run.info.run_id)
        _abandon(connection, run.info.run_id, "KILLED")


def _remove_all(connection: Connection, identity: TrainingIdentity) -> None:
    """End the runs of trainings on a source, on whatever machine: none of them can be alive."""
    name = "smartinvest.source"
    of_source = {name: training_tags(identity)[name]}
    for run in trainings(connection, "RUNNING", of_source):
        logger.warning("removing training %s, which another machine left", run.info.run_id)
        _abandon(connection, run.info.run_id, "KILLED")


def _abandon_if_possible(connection: Connection, run_id: str) -> None:
    try:
        _abandon(connection, run_id, "FAILED")
    except TrackingError as error:
        logger.warning(
            "training %s is left half-done, never to be found: the next one removes it (%s)",
            run_id, error,
        )  # fmt: skip


def _abandon(connection: Connection, run_id: str, status: str) -> None:
    """Remove versions of a training and mark its runs, its own last."""
    below = runs_below(connection, run_id)
    with connection.use() as client:
        for each in below:
            for version in client.search_model_versions(f"run_id = '{each.info.run_id}'"):
                client.delete_model_version(version.name, version.version)
            if each.data.tags[KIND] != "trial" or each.info.status == "RUNNING":
                client.set_terminated(each.info.run_id, status)
        client.set_tag(run_id, DESCRIPTION, "This training did not come to its end.")
        client.set_terminated(run_id, status)
