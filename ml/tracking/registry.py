"""The registry: finds trainings, loads models by number, removes what was left half-done."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import mlflow.artifacts
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from ml.errors import ModelNotFoundError, TrackingError
from ml.owner import host, owner_lives, owner_tags
from ml.records import FinishedTraining, TrainingIdentity
from ml.serving import ServingModel
from ml.tracking.database import ensure_database
from ml.tracking.packing import FORECASTER_FOLDER
from ml.tracking.training_run import RECORD_FILE, TrainingRun, identity_tags

logger = logging.getLogger(__name__)

EXPERIMENT = "smartinvest"


class Registry:
    """Trainings and model versions in MLflow's database below one folder.

    Raises
    ------
    TrackingError
        The database cannot be opened or created.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._clear_errors():
            logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
            uri = ensure_database(folder)
            self._client = MlflowClient(uri, uri)
            self._experiment_id = self._ensure_experiment()

    @contextmanager
    def training(self, identity: TrainingIdentity) -> Iterator["TrainingRun"]:
        """Yield a parent run that counts only once :meth:`TrainingRun.finish` has returned.

        If the block fails, its runs are marked so and its model versions are removed.

        Raises
        ------
        TrackingError
            MLflow cannot be written.
        """
        with self._clear_errors():
            self._remove_dead_trainings()
            run = self._client.create_run(
                self._experiment_id,
                run_name=f"training {identity.source} {identity.profile}",
                tags={**identity_tags(identity), **owner_tags()},
            )
        started = TrainingRun(self._client, run, identity)
        try:
            with self._clear_errors():
                yield started
        except BaseException:
            self._abandon(run, "FAILED")
            raise

    def finished(self, source: str, profile: str, method: str) -> list[FinishedTraining]:
        """Return complete trainings of a kind, those that saw the most data first.

        Raises
        ------
        TrackingError
            MLflow cannot be read.
        """
        wanted = {"source": source, "profile": profile, "method": method, "kind": "training"}
        with self._clear_errors():
            runs = self._search("FINISHED", wanted)
            trainings = [self._record(run) for run in runs]
        return sorted(trainings, key=lambda each: (each.trained_through, each.run_id), reverse=True)

    def finished_training(self, run_id: str) -> FinishedTraining:
        """Return one complete training.

        Raises
        ------
        ModelNotFoundError
            There is no such run, or it never finished.
        TrackingError
            MLflow cannot be read.
        """
        with self._clear_errors():
            try:
                run = self._client.get_run(run_id)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                raise _not_found("training run", run_id, "the registry does not know it") from None
            if run.info.status != "FINISHED":
                raise _not_found("training run", run_id, f"it is {run.info.status}")
            return self._record(run)

    def load(self, name: str, version: int) -> ServingModel:
        """Return a model by its registered name and version number.

        Raises
        ------
        ModelNotFoundError
            The version is not in the registry, or its files are missing or damaged.
        TrackingError
            MLflow cannot be read.
        """
        with self._clear_errors():
            try:
                source = self._client.get_model_version(name, str(version)).source
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                raise _not_found(f"model {name}, version", version, "it is not there") from None
            uri = f"{source}/data/{FORECASTER_FOLDER}"
            try:
                folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
            except (MlflowException, OSError):
                raise _not_found(f"files of {name} {version}", uri, "they are missing") from None
        return ServingModel.load(folder)

    def _ensure_experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        location = (self._folder / "artifacts").resolve().as_uri()
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=location))

    def _search(self, status: str, tags: Mapping[str, str]) -> list[Run]:
        conditions = [f"attributes.status = '{status}'"]
        conditions += [f"tags.`smartinvest.{name}` = '{value}'" for name, value in tags.items()]
        found: list[Run] = []
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [self._experiment_id], " and ".join(conditions), page_token=token
            )
            found += page
            token = page.token
            if not token:
                return found

    def _record(self, run: Run) -> FinishedTraining:
        path = self._client.download_artifacts(run.info.run_id, RECORD_FILE)
        return FinishedTraining.from_json(Path(path).read_text())

    def _remove_dead_trainings(self) -> None:
        """End the runs of trainings whose process on this machine is gone."""
        for run in self._search("RUNNING", {"kind": "training", "host": host()}):
            if not owner_lives(run.data.tags):
                logger.warning("removing training %s, which was killed", run.info.run_id)
                self._abandon(run, "KILLED")

    def _abandon(self, run: Run, status: str) -> None:
        parent_id = run.info.run_id
        children = self._client.search_runs(
            [self._experiment_id], f"tags.`mlflow.parentRunId` = '{parent_id}'"
        )
        for child in children:
            for version in self._client.search_model_versions(f"run_id = '{child.info.run_id}'"):
                self._client.delete_model_version(version.name, version.version)
            self._client.set_terminated(child.info.run_id, status)
        self._client.set_terminated(parent_id, status)

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise TrackingError(
                "MLflow folder",
                self._folder,
                f"it cannot be used ({' '.join(str(error).split())[:300]})",
                "Check that it can be written and that no other program holds mlflow.db.",
            ) from error


def _not_found(thing: str, value: object, problem: str) -> ModelNotFoundError:
    return ModelNotFoundError(thing, value, problem, "Train again: smartinvest train.")
