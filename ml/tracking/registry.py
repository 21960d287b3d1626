"""The registry: begins trainings, finds those that finished, loads models by number."""

from contextlib import AbstractContextManager
from pathlib import Path

import mlflow.artifacts
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from ml.choice.validation_record import RECORD_FILE as FORECASTS_FILE
from ml.choice.validation_record import Incumbent, ValidationRecord
from ml.errors import ModelNotFoundError
from ml.records import FinishedTraining, SymbolScores, TrainingIdentity
from ml.serving import ServingModel
from ml.tracking.connection import Connection
from ml.tracking.packing import FORECASTER_FOLDER
from ml.tracking.searching import trainings
from ml.tracking.tags import KIND
from ml.tracking.training_run import MODEL_FOLDER, RECORD_FILE, SYMBOL_SCORES_FILE, TrainingRun
from ml.tracking.under_way import training_under_way
from models.vocabulary import ModelRole


class Registry:
    """Trainings and model versions in MLflow.

    Parameters
    ----------
    folder : of the database file and of artifacts.
    url : of a tracking server, or of another database; empty for the file in the folder.

    Raises
    ------
    TrackingError
        MLflow cannot be opened.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self._connection = Connection(folder, url)

    def training(
        self,
        identity: TrainingIdentity,
        incumbent: FinishedTraining | None = None,
        *,
        is_alone: bool = False,
    ) -> AbstractContextManager[TrainingRun]:
        """Return a context of a parent run; it counts once :meth:`TrainingRun.finish` has returned.

        What killed trainings left behind is removed first. If the block fails, its runs are marked
        so and its model versions are removed; where MLflow cannot be reached to do so, the next
        training does.

        Parameters
        ----------
        incumbent : the training whose version is in service; it stays so if the choice keeps it.
        is_alone : the caller knows that no machine at all trains on the source meanwhile. What
            killed trainings of other machines left behind is then removed too; else only what
            those of this machine did, whose processes it can look for.

        Raises
        ------
        TrackingError
            MLflow cannot be written.
        """
        return training_under_way(self._connection, identity, incumbent, is_alone=is_alone)

    def finished(
        self, source: str, profile: str | None = None, method: str | None = None
    ) -> list[FinishedTraining]:
        """Return complete trainings of a source, those that saw the most data first.

        Of those that saw the same, the one that was finished last is first. ``profile`` and
        ``method`` narrow the search.

        Raises
        ------
        TrackingError
            MLflow cannot be read.
        """
        wanted = {"source": source, "profile": profile, "method": method}
        tags = {f"smartinvest.{name}": value for name, value in wanted.items() if value is not None}
        found = [self._record(run) for run in trainings(self._connection, "FINISHED", tags)]
        return sorted(
            found, key=lambda each: (each.trained_through, each.finished_at), reverse=True
        )

    def finished_training(self, run_id: str) -> FinishedTraining:
        """Return one complete training.

        Raises
        ------
        ModelNotFoundError
            There is no such run, or it never finished.
        TrackingError
            MLflow cannot be read.
        """
        with self._connection.use() as client:
            try:
                run = client.get_run(run_id)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                raise _not_found("training run", run_id, "the registry does not know it") from None
        if run.data.tags.get(KIND) != "training" or run.info.status != "FINISHED":
            raise _not_found("training run", run_id, f"it is {run.info.status}")
        return self._record(run)

    def symbol_scores(self, training: FinishedTraining) -> SymbolScores:
        """Return the scores of single symbols of a training.

        Raises
        ------
        ModelNotFoundError
            They are missing or damaged.
        TrackingError
            MLflow cannot be read.
        """
        path = self._file(training.run_id, SYMBOL_SCORES_FILE)
        try:
            return SymbolScores.from_json(path.read_text())
        except ValueError as error:
            raise _not_found("symbol scores", path, f"they are damaged ({error})") from error

    def incumbent(self, training: FinishedTraining, method: str) -> Incumbent | None:
        """Return the champion that serves since a training, for comparison; None if none does.

        ``method`` is that of the training which is to be compared with it.

        Raises
        ------
        ModelNotFoundError
            Its validation forecasts are missing or damaged.
        TrackingError
            MLflow cannot be read.
        """
        serving = training.serving
        if serving.role is not ModelRole.CHAMPION:
            return None
        return Incumbent(
            name=serving.forecaster,
            version=serving.version,
            same_method=self._origin(training).identity.method == method,
            record=ValidationRecord.load(self._file(serving.run_id, FORECASTS_FILE)),
        )

    def validation_record(
        self, training: FinishedTraining, forecaster: str
    ) -> ValidationRecord | None:
        """Return what a model of a training forecast out of sample; None if it has no such model.

        Raises
        ------
        ModelNotFoundError
            The forecasts are missing or damaged.
        TrackingError
            MLflow cannot be read.
        """
        for model in training.models:
            if model.forecaster == forecaster:
                return ValidationRecord.load(self._file(model.run_id, FORECASTS_FILE))
        return None

    def load(self, name: str, version: int) -> ServingModel:
        """Return a model by its registered name and version number.

        Raises
        ------
        ModelNotFoundError
            The version is not in the registry, or its files are missing or damaged.
        TrackingError
            MLflow cannot be read.
        """
        with self._connection.use() as client:
            try:
                found = client.get_model_version(name, str(version))
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                raise _not_found(f"model {name}, version", version, "it is not there") from None
        path = f"{MODEL_FOLDER}/data/{FORECASTER_FOLDER}"
        return ServingModel.load(self._file(str(found.run_id), path))

    def _origin(self, training: FinishedTraining) -> FinishedTraining:
        """Return the training that registered what serves since another."""
        serving = training.serving.training_run_id
        return training if serving == training.run_id else self.finished_training(serving)

    def _record(self, run: Run) -> FinishedTraining:
        path = self._file(run.info.run_id, RECORD_FILE)
        try:
            return FinishedTraining.from_json(path.read_text())
        except ValueError as error:
            raise _not_found("record of a training", path, f"it is damaged ({error})") from error

    def _file(self, run_id: str, path: str) -> Path:
        """Return where an artifact of a run lies on this machine, fetched if need be."""
        with self._connection.use() as client:
            uri = client.get_run(run_id).info.artifact_uri
            try:
                return Path(
                    mlflow.artifacts.download_artifacts(
                        artifact_uri=f"{uri}/{path}", tracking_uri=client.tracking_uri
                    )
                )
            except (MlflowException, OSError):
                raise _not_found(f"file {path} of run {run_id} in", uri, "it is missing") from None


def _not_found(thing: str, value: object, problem: str) -> ModelNotFoundError:
    return ModelNotFoundError(thing, value, problem, "Train again: smartinvest train.")
