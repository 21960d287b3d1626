"""The registry: finds trainings, loads models by number, removes what was left half-done."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import mlflow.artifacts
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from ml.choice.validation_record import RECORD_FILE as FORECASTS_FILE
from ml.choice.validation_record import Incumbent, ValidationRecord
from ml.errors import ModelNotFoundError, TrackingError
from ml.owner import HOST_TAG, host, owner_lives, owner_tags
from ml.records import FinishedTraining, SymbolScores, TrainingIdentity
from ml.serving import ServingModel
from ml.tracking.connection import Connection
from ml.tracking.packing import FORECASTER_FOLDER
from ml.tracking.tags import DESCRIPTION, KIND, TRAINING, condition, training_tags
from ml.tracking.training_run import MODEL_FOLDER, RECORD_FILE, SYMBOL_SCORES_FILE, TrainingRun
from models.vocabulary import ModelRole

logger = logging.getLogger(__name__)

_UNDER_WAY: set[str] = set()
"""Trainings of this process; one that failed while MLflow was out of reach is not among them."""


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

    @contextmanager
    def training(
        self, identity: TrainingIdentity, incumbent: FinishedTraining | None = None
    ) -> Iterator[TrainingRun]:
        """Yield a parent run that counts only once :meth:`TrainingRun.finish` has returned.

        What killed trainings left behind is removed first. If the block fails, its runs are marked
        so and its model versions are removed; where MLflow cannot be reached to do so, the next
        training does.

        Parameters
        ----------
        incumbent : the training whose version is in service; it stays so if the choice keeps it.

        Raises
        ------
        TrackingError
            MLflow cannot be written.
        """
        self._remove_dead_trainings()
        with self._connection.use() as client:
            run = client.create_run(
                self._connection.experiment_id,
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
            yield TrainingRun(self._connection, run_id, identity, incumbent)
        except BaseException:
            self._abandon_if_possible(run_id)
            raise
        finally:
            _UNDER_WAY.discard(run_id)

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
        trainings = [self._record(run) for run in self._trainings("FINISHED", tags)]
        return sorted(
            trainings, key=lambda each: (each.trained_through, each.finished_at), reverse=True
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

    def _trainings(self, status: str, tags: Mapping[str, str]) -> list[Run]:
        conditions = [f"attributes.status = '{status}'", condition(KIND, "training")]
        conditions += [condition(name, value) for name, value in tags.items()]
        return self._search(" and ".join(conditions))

    def _search(self, conditions: str) -> list[Run]:
        found: list[Run] = []
        token: str | None = None
        with self._connection.use() as client:
            while True:
                page = client.search_runs(
                    [self._connection.experiment_id], conditions, page_token=token
                )
                found += page
                token = page.token
                if not token:
                    return found

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

    def _remove_dead_trainings(self) -> None:
        """End the runs of trainings whose process on this machine is gone, or has given them up."""
        for run in self._trainings("RUNNING", {HOST_TAG: host()}):
            is_ours = owner_tags().items() <= run.data.tags.items()
            if run.info.run_id in _UNDER_WAY or (not is_ours and owner_lives(run.data.tags)):
                continue
            logger.warning("removing training %s, which was killed", run.info.run_id)
            self._abandon(run.info.run_id, "KILLED")

    def _abandon_if_possible(self, run_id: str) -> None:
        try:
            self._abandon(run_id, "FAILED")
        except TrackingError as error:
            logger.warning(
                "training %s is left half-done, never to be found: the next one removes it (%s)",
                run_id, error,
            )  # fmt: skip

    def _abandon(self, run_id: str, status: str) -> None:
        """Remove versions of a training and mark its runs, its own last."""
        below = self._search(condition(TRAINING, run_id))
        with self._connection.use() as client:
            for each in below:
                for version in client.search_model_versions(f"run_id = '{each.info.run_id}'"):
                    client.delete_model_version(version.name, version.version)
                if each.data.tags[KIND] != "trial" or each.info.status == "RUNNING":
                    client.set_terminated(each.info.run_id, status)
            client.set_tag(run_id, DESCRIPTION, "This training did not come to its end.")
            client.set_terminated(run_id, status)


def _not_found(thing: str, value: object, problem: str) -> ModelNotFoundError:
    return ModelNotFoundError(thing, value, problem, "Train again: smartinvest train.")
