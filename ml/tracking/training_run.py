"""A training under way: a parent run, and below it a run for each model."""

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Metric, Param, Run
from mlflow.exceptions import MlflowException

from ml.forecasters import LSTM
from ml.plots import error_ratios, loss_curve
from ml.records import FinishedTraining, RegisteredModel, TrainingIdentity
from ml.serving import ServingModel
from ml.tracking.packing import pack
from ml.training import TrainedModel, TrainingResult

RECORD_FILE = "training.json"
_MODEL_FOLDER = "model"
_NAME_PREFIX = "smartinvest-"
_LONGEST_PARAMETER = 500


class TrainingRun:
    """The parent run of a training under way; made by :meth:`Registry.training`."""

    def __init__(self, client: MlflowClient, run: Run, identity: TrainingIdentity) -> None:
        self._client = client
        self._run = run
        self._identity = identity
        self._children: dict[str, str] = {}

    def on_epoch(self, seed_index: int, epoch: int, losses: dict[str, float]) -> None:
        """Log the network's losses as they come."""
        now = int(time.time() * 1000)
        metrics = [
            Metric(f"{name}_seed_{seed_index}", value, now, epoch) for name, value in losses.items()
        ]
        self._client.log_batch(self._child(LSTM), metrics=metrics)

    def finish(self, result: TrainingResult) -> FinishedTraining:
        """Log and register all models, then declare the training finished.

        Returns
        -------
        The record by which later stages find the models, with their version numbers.
        """
        run_id = self._run.info.run_id
        for model in result.models:
            self._log_model(model, result)
        models = tuple(self._register(model, result) for model in result.models)
        record = FinishedTraining(
            run_id=run_id,
            identity=self._identity,
            fitted_through=result.fitted_through,
            trained_through=result.trained_through,
            horizon_sessions=result.plan.horizon_sessions,
            test_start=result.test_period[0],
            test_end=result.test_period[1],
            models=models,
        )
        self._log_parent(result, record)
        self._client.set_terminated(run_id, "FINISHED")
        return record

    def _child(self, forecaster_name: str) -> str:
        if forecaster_name not in self._children:
            tags = {**identity_tags(self._identity), "smartinvest.kind": "model"}
            child = self._client.create_run(
                self._run.info.experiment_id,
                run_name=forecaster_name,
                tags={**tags, "mlflow.parentRunId": self._run.info.run_id},
            )
            self._children[forecaster_name] = child.info.run_id
        return self._children[forecaster_name]

    def _log_model(self, model: TrainedModel, result: TrainingResult) -> None:
        name = model.forecaster.name
        run_id = self._child(name)
        self._client.log_batch(run_id, metrics=_metrics(model), params=_parameters(model))
        with tempfile.TemporaryDirectory() as temporary:
            packed = pack(ServingModel(model.forecaster, model.calibration), Path(temporary))
            self._client.log_artifacts(run_id, str(packed), _MODEL_FOLDER)
        if name == LSTM:
            self._client.log_figure(run_id, loss_curve(result), "loss.png")
        self._client.set_terminated(run_id, "FINISHED")

    def _register(self, model: TrainedModel, result: TrainingResult) -> RegisteredModel:
        name = registered_name(model.forecaster.name)
        run_id = self._child(model.forecaster.name)
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        version = self._client.create_model_version(
            name,
            source=f"{self._client.get_run(run_id).info.artifact_uri}/{_MODEL_FOLDER}",
            run_id=run_id,
            tags={
                "fitted_through": str(result.fitted_through),
                "trained_through": str(result.trained_through),
            },
        )
        return RegisteredModel(
            name=name,
            version=int(version.version),
            run_id=run_id,
            serves=model.forecaster.name == result.serves,
            confidence=model.calibration.confidence,
            r2_validation=model.calibration.r2_out_of_sample,
            test=model.test,
        )

    def _log_parent(self, result: TrainingResult, record: FinishedTraining) -> None:
        client, run_id = self._client, self._run.info.run_id
        plan = {
            name: str(value)[:_LONGEST_PARAMETER]
            for name, value in result.plan.parameters().items()
        }
        periods = {"validation": result.validation_period, "test": result.test_period}
        for period, (start, end) in periods.items():
            plan[f"{period}_period"] = f"{start} to {end}"
        client.log_batch(run_id, params=[Param(*item) for item in plan.items()])
        client.set_tag(run_id, "smartinvest.fitted_through", str(result.fitted_through))
        client.set_tag(run_id, "smartinvest.trained_through", str(result.trained_through))
        client.set_tag(run_id, "smartinvest.serves", record.serving.name)
        dataset = Dataset(
            name=f"features_{self._identity.source}",
            digest=self._identity.feature_hash[:36],
            source_type="local",
            source=f"data snapshot {self._identity.data_snapshot}",
        )
        client.log_inputs(run_id, [DatasetInput(dataset)])
        client.log_table(run_id, _score_table(result), "scores.json")
        client.log_figure(run_id, error_ratios(result), "error_ratios.png")
        client.log_text(run_id, record.to_json(), RECORD_FILE)


def registered_name(forecaster_name: str) -> str:
    """Return the name under which a model is registered."""
    return f"{_NAME_PREFIX}{forecaster_name}"


def identity_tags(identity: TrainingIdentity) -> dict[str, str]:
    """Return tags by which a training is found."""
    tags = {f"smartinvest.{name}": value for name, value in asdict(identity).items()}
    return {**tags, "smartinvest.kind": "training"}


def _metrics(model: TrainedModel) -> list[Metric]:
    values: dict[str, float] = {
        **{f"validation_{name}": value for name, value in asdict(model.validation).items()},
        **{f"test_{name}": value for name, value in asdict(model.test).items()},
        **{f"calibration_{name}": value for name, value in asdict(model.calibration).items()},
    }
    now = int(time.time() * 1000)
    return [Metric(name, float(value), now, 0) for name, value in values.items()]


def _parameters(model: TrainedModel) -> list[Param]:
    state = model.forecaster.state()
    return [Param(name, str(value)[:_LONGEST_PARAMETER]) for name, value in state.items()]


def _score_table(result: TrainingResult) -> dict[str, list[Any]]:
    rows = []
    for period in ("validation", "test"):
        for model in result.models:
            own = asdict(model.validation if period == "validation" else model.test)
            rows.append({"model": model.forecaster.name, "period": period, **own})
    return {name: [row[name] for row in rows] for name in rows[0]}
