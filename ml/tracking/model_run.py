"""The run of one model of a training: its metrics, settings, pictures and files."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ml.choice.validation_record import ValidationRecord
from ml.forecasters import LSTM
from ml.plots import model_pictures
from ml.results import TrainedModel, TrainingResult
from ml.scores import Score
from ml.serving import ServingModel
from ml.tracking.connection import Connection
from ml.tracking.metrics import log_metrics, log_parameters
from ml.tracking.packing import pack
from ml.tracking.plain_settings import plain_settings
from ml.tracking.tags import child_tags

MODEL_FOLDER = "model"

_NO_SETTINGS = ("losses", "standardiser", "symbols", "trees", "weights")
"""Parts of a model's state that say nothing in words."""


@dataclass(frozen=True)
class PreparedModel:
    """What the run of a model is to hold, made before MLflow is asked to take any of it.

    ``artifacts`` lies in ``folder``; ``losses`` are names, values and steps.
    """

    model: TrainedModel
    folder: Path
    settings: dict[str, str]
    losses: tuple[tuple[str, float, int], ...]


def prepare(model: TrainedModel, result: TrainingResult, folder: Path) -> PreparedModel:
    """Write a model's files and pictures into a new folder."""
    artifacts = folder / "artifacts"
    artifacts.mkdir(parents=True)
    packed = pack(ServingModel(model.forecaster, model.calibration), folder)
    packed.rename(artifacts / MODEL_FOLDER)
    ValidationRecord(
        sessions=result.sessions[model.validation.positions],
        symbols=result.symbols,
        horizons=result.plan.horizons,
        mean=model.validation.mean,
    ).save(artifacts)
    for name, figure in model_pictures(model, result):
        figure.savefig(artifacts / f"{name}.png")
    return PreparedModel(
        model=model,
        folder=artifacts,
        settings=_settings(model, result),
        losses=tuple(_losses(model, result)),
    )


def _settings(model: TrainedModel, result: TrainingResult) -> dict[str, str]:
    state = model.forecaster.state()
    chosen = {name: value for name, value in state.items() if name not in _NO_SETTINGS}
    chosen["history_sessions"] = model.forecaster.history_sessions
    steps = Counter((loss.fold, loss.what) for loss in result.losses if loss.model_name == LSTM)
    if model.name == LSTM and steps:
        chosen["epochs_run"] = f"{min(steps.values())} to {max(steps.values())}"
    return plain_settings(chosen, result.plan.horizons)


def log_model(connection: Connection, training_run_id: str, prepared: PreparedModel) -> str:
    """Log a model's run below that of its training and return its id.

    Raises
    ------
    TrackingError
        MLflow cannot be written.
    """
    model = prepared.model
    with connection.use() as client:
        run = client.create_run(
            connection.experiment_id,
            run_name=model.name,
            tags=child_tags(training_run_id, training_run_id, "model"),
        )
        run_id = str(run.info.run_id)
        log_parameters(client, run_id, {"trials": model.trials, **prepared.settings})
        log_metrics(client, run_id, score_metrics(model.scores))
        log_metrics(
            client,
            run_id,
            [
                (f"confidence/{horizon}_sessions", weight, 0)
                for horizon, weight in zip(
                    model.forecaster.horizons, model.calibration.confidence, strict=True
                )
            ],
        )
        log_metrics(client, run_id, prepared.losses)
        client.log_artifacts(run_id, str(prepared.folder))
        client.set_terminated(run_id, "FINISHED")
    return run_id


def score_metrics(scores: tuple[Score, ...]) -> Iterator[tuple[str, float | None, int]]:
    """Yield all numbers of scores, named by period and horizon; MLflow groups them by that."""
    for score in scores:
        group = f"{score.period.value}_{score.horizon_sessions}_sessions"
        for name, value in vars(score).items():
            if isinstance(value, int | float) and name != "horizon_sessions":
                yield f"{group}/{name}", value, 0


def _losses(model: TrainedModel, result: TrainingResult) -> Iterator[tuple[str, float, int]]:
    """Yield what the fits said of their steps, named by fold and seed."""
    for loss in result.losses:
        if loss.model_name == model.name:
            group = f"fold_{loss.fold}" if loss.fold else "serving_fit"
            what = re.sub(r"\W+", "_", loss.what.removeprefix(model.name)).strip("_")
            for name, value in (("training", loss.loss), ("held_out", loss.held_out_loss)):
                yield f"{group}/{name}_loss_{what}".rstrip("_"), value, loss.step
