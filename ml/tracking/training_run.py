"""A training under way: a parent run, a run for each model below it, and for the search."""

import datetime as dt
import tempfile
import time
from pathlib import Path

from mlflow.entities import Dataset, DatasetInput
from mlflow.exceptions import MlflowException

from ml.records import (
    FinishedTraining,
    FoldPeriods,
    RegisteredModel,
    ServingVersion,
    SymbolScores,
    TrainingIdentity,
)
from ml.results import TrainingResult
from ml.splits import Split
from ml.tracking.connection import Connection
from ml.tracking.metrics import log_metrics, log_parameters
from ml.tracking.model_run import MODEL_FOLDER, PreparedModel, log_model, prepare, score_metrics
from ml.tracking.plain_settings import plain_settings
from ml.tracking.tags import DESCRIPTION, registered_name
from ml.tracking.trial_runs import TrialRuns
from ml.training.report import Report, draw, make_report
from ml.work import TrainingProgress, Trial

RECORD_FILE = "records/training.json"
SYMBOL_SCORES_FILE = "records/symbol_scores.json"

_PROGRESS_SECONDS = 5.0


class TrainingRun:
    """The parent run of a training under way; made by :meth:`Registry.training`."""

    def __init__(
        self,
        connection: Connection,
        run_id: str,
        identity: TrainingIdentity,
        incumbent: FinishedTraining | None,
    ) -> None:
        self.run_id = run_id
        self._connection = connection
        self._identity = identity
        self._incumbent = incumbent
        self._trials = TrialRuns(connection, run_id)
        self._told_at = float("-inf")

    def on_progress(self, progress: TrainingProgress) -> None:
        """Log how far the training has come, every few seconds; as ``TrainingWork.listener``.

        Raises
        ------
        TrackingError
            MLflow cannot be written: what was trained so far is not lost, but it could not be
            registered either.
        """
        now = time.monotonic()
        if now - self._told_at < _PROGRESS_SECONDS:
            return
        self._told_at = now
        step = int(1000 * progress.share)
        values: list[tuple[str, float | None, int]] = [
            ("progress/percent", 100 * progress.share, step),
            ("progress/seconds_left", progress.seconds_left, step),
        ]
        with self._connection.use() as client:
            log_metrics(client, self.run_id, values)

    def on_trial(self, trial: Trial) -> None:
        """Log a trial of the search that has ended; as ``TrainingWork.trial_listener``.

        Raises
        ------
        TrackingError
            MLflow cannot be written.
        """
        self._trials.log(trial)

    def finish(self, result: TrainingResult) -> FinishedTraining:
        """Log and register all models, then declare the training finished.

        Returns
        -------
        The record by which later stages find the models, with their version numbers.

        Raises
        ------
        TrackingError
            MLflow cannot be written.
        """
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            prepared = [prepare(model, result, folder / model.name) for model in result.models]
            draw(result, folder / "report")
            trial_states = self._trials.finish(result.trials)
            runs = [log_model(self._connection, self.run_id, model) for model in prepared]
            models = tuple(
                self._register(model, run_id, result)
                for model, run_id in zip(prepared, runs, strict=True)
            )
            record = self._record(result, models, trial_states)
            report = make_report(record, result, folder / "report")
            self._log_parent(record, result, report)
        with self._connection.use() as client:
            client.set_terminated(self.run_id, "FINISHED")
        return record

    def _register(
        self, prepared: PreparedModel, run_id: str, result: TrainingResult
    ) -> RegisteredModel:
        model = prepared.model
        name = registered_name(model.name)
        with self._connection.use() as client:
            try:
                client.create_registered_model(name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            version = client.create_model_version(
                name,
                source=f"{client.get_run(run_id).info.artifact_uri}/{MODEL_FOLDER}",
                run_id=run_id,
                tags={
                    "training_run_id": self.run_id,
                    "fitted_through": str(result.fitted_through),
                    "trained_through": str(result.trained_through),
                },
            )
        return RegisteredModel(
            forecaster=model.name,
            name=name,
            version=int(version.version),
            run_id=run_id,
            trials=model.trials,
            settings=prepared.settings,
            confidence=tuple(model.calibration.confidence),
            scores=model.scores,
        )

    def _record(
        self,
        result: TrainingResult,
        models: tuple[RegisteredModel, ...],
        trial_states: dict[str, int],
    ) -> FinishedTraining:
        return FinishedTraining(
            run_id=self.run_id,
            identity=self._identity,
            finished_at=dt.datetime.now(dt.UTC),
            fitted_through=result.fitted_through,
            trained_through=result.trained_through,
            horizons=result.plan.horizons,
            symbols=len(result.symbols),
            trial_states=trial_states,
            folds=tuple(_periods(split, result) for split in result.walk.splits),
            models=models,
            choice=result.choice,
            serving=self._serving(result, models),
            served_folds=result.served.folds,
            served_scores=result.served.scores,
        )

    def _serving(
        self, result: TrainingResult, models: tuple[RegisteredModel, ...]
    ) -> ServingVersion:
        choice = result.choice
        if choice.kept:
            if self._incumbent is None:
                raise ValueError("a choice that keeps the champion needs the champion's training")
            return self._incumbent.serving
        chosen = next(model for model in models if model.forecaster == choice.model_name)
        return ServingVersion(
            training_run_id=self.run_id,
            forecaster=chosen.forecaster,
            name=chosen.name,
            version=chosen.version,
            run_id=chosen.run_id,
            role=choice.role,
            fitted_through=result.fitted_through,
            trained_through=result.trained_through,
            horizons=result.plan.horizons,
            confidence=chosen.confidence,
        )

    def _log_parent(self, record: FinishedTraining, result: TrainingResult, report: Report) -> None:
        symbols = SymbolScores(
            {model.name: model.symbol_scores for model in result.models}
            | {"served": result.served.symbol_scores}
        )
        dataset = Dataset(
            name=f"features_{self._identity.source}",
            digest=self._identity.feature_hash[:36],
            source_type="local",
            source=f"data snapshot {self._identity.data_snapshot}",
        )
        plan = {**result.plan.parameters(), "features": len(result.plan.features)}
        serving = record.serving
        tags = {
            DESCRIPTION: report.description,
            "smartinvest.fitted_through": str(record.fitted_through),
            "smartinvest.trained_through": str(record.trained_through),
            "smartinvest.serves": f"{serving.name} version {serving.version}",
            "smartinvest.role": serving.role.value,
        }
        run_id = self.run_id
        with self._connection.use() as client:
            log_parameters(client, run_id, plain_settings(plan, record.horizons))
            log_metrics(client, run_id, score_metrics(record.served_scores))
            done = [("progress/percent", 100.0, 1000), ("progress/seconds_left", 0.0, 1000)]
            log_metrics(client, run_id, done)
            client.log_inputs(run_id, [DatasetInput(dataset)])
            client.log_artifacts(run_id, str(report.folder))
            for name, table in report.tables.items():
                client.log_table(run_id, table, f"tables/{name}.json")
            client.log_text(run_id, symbols.to_json(), SYMBOL_SCORES_FILE)
            client.log_text(run_id, record.to_json(), RECORD_FILE)
            for name, value in tags.items():
                client.set_tag(run_id, name, value)
            identity = self._identity
            client.update_run(
                run_id,
                name=f"training {identity.source} {identity.profile} {record.trained_through}: "
                f"{serving.forecaster} serves",
            )


def _periods(split: Split, result: TrainingResult) -> FoldPeriods:
    def ends(positions: range) -> tuple[dt.date, dt.date]:
        return result.session(positions[0]), result.session(positions[-1])

    train, validation = ends(split.train), ends(split.validation)
    test = ends(split.test) if len(split.test) else (None, None)
    return FoldPeriods(*train, *validation, *test)
