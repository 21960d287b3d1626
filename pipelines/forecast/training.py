"""Train all models anew for a session: work that survives a kill, and progress that is seen."""

import fcntl
import logging
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ml.records import FinishedTraining, TrainingIdentity
from ml.work import TrainingProgress, TrainingWork
from pipelines.errors import HomeError, ModelError
from pipelines.forecast.training_progress import shown_progress
from pipelines.lineage import code_version, json_digest
from pipelines.settings import Settings
from pipelines.store import held_among_machines
from pipelines.warehouse import WarehouseBuild, verify

if TYPE_CHECKING:
    from ml.panel import Panel
    from ml.tracking import Registry

logger = logging.getLogger(__name__)

_PATIENCE_S = 120.0


def identify_training(settings: Settings, build: WarehouseBuild, method: str) -> TrainingIdentity:
    """Return what a training on the build would be made of."""
    return TrainingIdentity(
        source=settings.source.value,
        profile=settings.training_profile.value,
        method=method,
        feature_hash=build.feature_hash,
        data_snapshot=build.data_snapshot,
        code_version=code_version(),
    )


def train_anew(
    settings: Settings,
    registry: "Registry",
    build: WarehouseBuild,
    identity: TrainingIdentity,
    in_service: FinishedTraining | None,
) -> FinishedTraining:
    """Train and register all models; the champion in service is compared with the best of them.

    What is done is kept under the home until it is registered, so that a training that was killed
    goes on where it was, and one that MLflow failed need not be made again. On another machine it
    begins anew, except for what the database of searches has of it, and ends with the same weights.

    Raises
    ------
    HomeError
        Another training is under way on this home.
    StoreError
        One is on another machine that shares the lake; or their store is unreachable.
    ModelError
        The build's features do not reach its session.
    ForecastingError
        The features do not suffice, or MLflow cannot be used.
    """
    from ml.plans import TrainingPlan
    from ml.training.train import train_models

    plan = TrainingPlan.of_profile(settings.training_profile, settings.seed)
    study = study_name(build, identity.method)
    with _work_folder(settings, study) as folder:
        panel = training_panel(build)
        incumbent = registry.incumbent(in_service, identity.method) if in_service else None
        with registry.training(identity, in_service) as run, shown_progress() as show:

            def listen(progress: TrainingProgress) -> None:
                run.on_progress(progress)
                show(progress)

            work = TrainingWork(
                folder=folder,
                search_url=settings.search_url,
                study=study,
                listener=listen,
                trial_listener=run.on_trial,
            )
            training = run.finish(train_models(panel, plan, work, incumbent))
        shutil.rmtree(folder, ignore_errors=True)
    return training


def study_name(build: WarehouseBuild, method: str) -> str:
    """Return the name of a training's search: of its data and of all that decides on its trials."""
    return json_digest([method, build.feature_hash, str(build.session_date)])[:16]


def training_panel(build: WarehouseBuild) -> "Panel":
    """Read the features that a build's training learns from.

    Raises
    ------
    ModelError
        They do not reach its session.
    """
    from ml.panel.reading import read_panel

    verify(build)
    panel = read_panel(build.panel_path, build.session_features_path, through=build.session_date)
    last = panel.session(len(panel) - 1)
    if last != build.session_date:
        raise ModelError(
            "features of the session",
            build.session_date,
            f"they end with {last}",
            "Ingest the session's prices, then rebuild the warehouse.",
        )
    return panel


def _sole_training(settings: Settings) -> AbstractContextManager[bool]:
    """Hold the source's training among the machines that share the lake; says whether it does.

    A machine that died is noticed within a minute.
    """
    name = f"training-{settings.source.value}"
    return held_among_machines(settings, name, patience_s=_PATIENCE_S)


@contextmanager
def _work_folder(settings: Settings, study: str) -> Iterator[Path]:
    """Hold the folder of a training's work; those of others, which nobody goes on with, go.

    The lock dies with the process, also by SIGKILL.
    """
    root = settings.home / "training"
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeError(
                "home",
                settings.home,
                "another training is under way on it",
                "Wait until it ends; the session is then given a model by it, or by another try.",
            ) from None
        folder = root / study
        for other in root.iterdir():
            if other.is_dir() and other != folder:
                logger.info("removing the work of a training that nobody goes on with: %s", other)
                shutil.rmtree(other, ignore_errors=True)
        if folder.exists():
            logger.info("going on with the training that was begun in %s", folder)
        folder.mkdir(exist_ok=True)
        yield folder
