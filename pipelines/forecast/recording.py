"""Write a choice with what it rests on: scores, scores of symbols, evidence; all or nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from ml.records import FinishedTraining, SymbolScores
from ml.scores import Score
from models.store_forecasts import MODEL_CHOICE, MODEL_EVIDENCE
from models.store_scores import MODEL_SCORE, MODEL_SYMBOL_SCORE
from models.vocabulary import ScoredPeriod
from pipelines.model_choices import ModelChoice
from pipelines.settings import Settings
from pipelines.store import insert, tables, transaction, upsert

SERVED = "served"
"""The model of the scores of what a training's choices would have served."""


def record_choice(settings: Settings, choice: ModelChoice) -> None:
    """Write a choice whose training is on record already."""
    with transaction(settings) as connection:
        upsert(connection, MODEL_CHOICE, [asdict(choice)])


def record_training(
    settings: Settings, choice: ModelChoice, training: FinishedTraining, symbols: SymbolScores
) -> None:
    """Write a training with its choice, in place of another training of the same session."""
    with transaction(settings) as connection:
        for name in ("model_score", "model_symbol_score", "model_evidence"):
            _remove(connection, tables[name], training)
        insert(connection, MODEL_SCORE, _scores(training))
        insert(connection, MODEL_SYMBOL_SCORE, _symbol_scores(training, symbols))
        insert(connection, MODEL_EVIDENCE, _evidence(training))
        upsert(connection, MODEL_CHOICE, [asdict(choice)])


def _remove(connection: sa.Connection, table: sa.Table, training: FinishedTraining) -> None:
    of_session = [
        table.c.source == training.identity.source,
        table.c.session_date == training.trained_through,
    ]
    if "period" in table.c:
        of_session.append(table.c.period != ScoredPeriod.LIVE.value)
    connection.execute(sa.delete(table).where(*of_session))


def _made_by(training: FinishedTraining) -> dict[str, Any]:
    return {
        "source": training.identity.source,
        "session_date": training.trained_through,
        "training_run_id": training.run_id,
    }


def _scores(training: FinishedTraining) -> Iterator[dict[str, Any]]:
    serving = training.serving
    for model in training.models:
        confidence = dict(zip(training.horizons, model.confidence, strict=True))
        shared = {
            "model_name": model.name,
            "model_version": model.version,
            "mlflow_run_id": model.run_id,
            "trials": model.trials,
            "serves": (model.name, model.version) == (serving.name, serving.version),
        }
        for score in model.scores:
            yield (
                _score(training, score)
                | shared
                | {"confidence": confidence[score.horizon_sessions]}
            )
    for score in training.served_scores:
        yield _score(training, score) | {"model_name": SERVED, "serves": False}


def _score(training: FinishedTraining, score: Score) -> dict[str, Any]:
    return _made_by(training) | asdict(score)


def _symbol_scores(training: FinishedTraining, symbols: SymbolScores) -> Iterator[dict[str, Any]]:
    names = {model.forecaster: model.name for model in training.models}
    for forecaster, scores in symbols.of_model.items():
        name = names.get(forecaster, forecaster)
        for score in scores:
            yield _made_by(training) | {"model_name": name} | asdict(score)


def _evidence(training: FinishedTraining) -> Iterable[dict[str, Any]]:
    for found in training.choice.evidence:
        yield (
            _made_by(training)
            | asdict(found)
            | {
                "model_name": _registered(found.model_name),
                "against": _registered(found.against),
            }
        )


def _registered(title: str) -> str:
    """Return the registered name of a forecaster, of ``<forecaster> version <n>`` with the number.

    Scores and choices call it so; the training knows forecasters alone.
    """
    from ml.tracking import registered_name

    forecaster, _, version = title.partition(" ")
    return f"{registered_name(forecaster)} {version}".rstrip()
