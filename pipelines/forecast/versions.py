"""The trainings in the registry, and what serves, for a person who looks."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from rich.console import Group
from rich.text import Text

from models.vocabulary import HORIZON_SESSIONS, ScoredPeriod
from pipelines.forecast.failures import model_errors
from pipelines.model_choices import ModelChoice, newest_choice
from pipelines.settings import Settings
from pipelines.store import connect, tables
from pipelines.terminal import text_table

if TYPE_CHECKING:
    from ml.records import FinishedTraining, RegisteredModel
    from ml.scores import Evidence

_COLUMNS = (
    *("model", "version", "role", "serves since", "RMSE / naive", "R2", "p against mean"),
    *("coverage 80 %", "confidence"),
)


def versions_view(settings: Settings) -> Group:
    """Return all trainings of the settings' source as tables, the newest first.

    Scores are of the test and of the optimiser's horizon.

    Raises
    ------
    ModelError
        MLflow cannot be read.
    StoreError
        The store cannot be read.
    """
    from ml.tracking import Registry

    with model_errors():
        trainings = Registry(settings.mlflow, settings.mlflow_url).finished(settings.source.value)
    present = newest_choice(settings)
    shown = [_training(training, present, settings) for training in trainings]
    return Group(*shown) if shown else Group(Text("no training is in the registry"))


def _training(
    training: "FinishedTraining", present: ModelChoice | None, settings: Settings
) -> Group:
    is_present = present is not None and present.training_run_id == training.run_id
    title = (
        f"training {training.run_id}, through {training.trained_through}, fitted on outcomes "
        f"through {training.fitted_through}, {training.identity.profile}"
        f"{'; in service' if is_present else ''}"
    )
    since = dict(_served_since(settings, training.run_id))
    rows = [
        _row(model, training, since.get((model.name, model.version), ""))
        for model in training.models
    ]
    return Group(
        text_table(_COLUMNS, rows, title=title),
        Text(f"{training.choice.reason[:1].upper()}{training.choice.reason[1:]}."),
        Text(_in_short(training.choice.evidence)),
        Text(),
    )


def _row(model: "RegisteredModel", training: "FinishedTraining", since: str) -> tuple[object, ...]:
    score = model.score(ScoredPeriod.TEST, HORIZON_SESSIONS)
    serving = training.serving
    serves = (model.name, model.version) == (serving.name, serving.version)
    confidence = model.confidence[training.horizons.index(HORIZON_SESSIONS)]
    return (
        model.name,
        str(model.version),
        serving.role.value if serves else "",
        since,
        _number(score.rmse_to_naive, ".4f"),
        _number(score.r2_out_of_sample, "+.4f"),
        _number(score.dm_mean_p_value, ".3f"),
        _number(score.coverage_80, ".3f"),
        f"{confidence:.2f}",
    )


def _served_since(
    settings: Settings, training_run_id: str
) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield models that a training's choices gave to sessions, with the first and how many."""
    choice = tables["model_choice"]
    query = (
        sa.select(
            choice.c.model_name,
            choice.c.model_version,
            sa.func.min(choice.c.session_date).label("first"),
            sa.func.count().label("sessions"),
        )
        .where(
            choice.c.source == settings.source.value,
            choice.c.training_run_id == training_run_id,
        )
        .group_by(choice.c.model_name, choice.c.model_version)
    )
    with connect(settings) as connection:
        for row in connection.execute(query):
            sessions = "1 session" if row.sessions == 1 else f"{row.sessions:,} sessions"
            yield (row.model_name, row.model_version), f"{row.first}, {sessions}"


def _in_short(evidence: "Sequence[Evidence]") -> str:
    if not evidence:
        return "There is no comparison."
    beaten = sum(each.passed for each in evidence)
    hardest = max(evidence, key=lambda each: each.p_value_corrected)
    return (
        f"Evidence: {beaten} of {len(evidence)} comparisons are passed; the hardest, "
        f"{hardest.model_name} against {hardest.against}, over {hardest.sessions:,} sessions: "
        f"p = {hardest.p_value_corrected:.3f}."
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
