"""Which training serves a session: a finished one that is recent enough, or a new one."""

import datetime as dt
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ml.features import FEATURES
from ml.panel_reading import read_panel
from ml.records import FinishedTraining, TrainingIdentity
from ml.training import TrainingPlan, train_models
from models.store_outputs import MODEL_CHOICE, MODEL_SCORE
from models.vocabulary import ChoiceDecision
from pipelines.errors import ModelError
from pipelines.forecast.failures import model_errors
from pipelines.lineage import REPOSITORY, code_version, json_digest, tree_digest
from pipelines.progress import step
from pipelines.sessions import sessions_between
from pipelines.settings import Settings
from pipelines.store import connect, insert, tables, transaction, upsert, utc_now
from pipelines.warehouse import WarehouseBuild, build_for, verify

if TYPE_CHECKING:
    from ml.tracking import Registry

logger = logging.getLogger(__name__)

LARGEST_AGE_SESSIONS = 63
"""A training serves for a quarter of a year."""


@dataclass(frozen=True)
class ModelChoice:
    """The model that serves a session, as the table ``model_choice`` has it."""

    source: str
    session_date: dt.date
    decision: str
    reason: str
    model_name: str
    model_version: int
    mlflow_run_id: str
    training_run_id: str
    fitted_through: dt.date
    trained_through: dt.date
    decided_at: dt.datetime


def train(settings: Settings, session: dt.date) -> ModelChoice:
    """Keep a finished training for the session, or train on data up to the session.

    A training may serve if it is of the same source, profile and method, saw nothing after the
    session, and is at most 63 sessions old. A choice that was made before stands as long as its
    training may serve; then nothing is written.

    Raises
    ------
    ModelError
        The features do not suffice, or MLflow cannot be used.
    WarehouseError
        The session has no warehouse build.
    StoreError
        The store cannot be written.
    """
    from ml.tracking import Registry

    build = build_for(settings, session)
    plan = TrainingPlan.of_profile(settings.training_profile, settings.seed)
    identity = _identity(settings, build, plan)
    with model_errors():
        registry = Registry(settings.mlflow)
        trainings = registry.finished(identity.source, identity.profile, identity.method)
        usable = [each for each in trainings if _may_serve(each, session)]
        standing = find_choice(settings, session)
        if standing and standing.training_run_id in {each.run_id for each in usable}:
            logger.info("the choice for %s stands: %s", session, standing.reason)
            return standing
        if usable:
            return _record(settings, session, usable[0], _kept(usable[0], session))
        reason = _why_retrain(trainings, session)
        with step(f"train all models for {session} ({plan.profile}): {reason}"):
            training = _train_anew(registry, build, identity, plan)
    return _record(settings, session, training, (ChoiceDecision.RETRAINED, reason))


def find_choice(settings: Settings, session: dt.date) -> ModelChoice | None:
    """Return the choice that was made for a session, if any."""
    table = tables["model_choice"]
    query = sa.select(table).where(
        table.c.source == settings.source, table.c.session_date == session
    )
    with connect(settings) as connection:
        row = connection.execute(query).mappings().one_or_none()
    return ModelChoice(**row) if row else None


def _identity(settings: Settings, build: WarehouseBuild, plan: TrainingPlan) -> TrainingIdentity:
    code = tree_digest(REPOSITORY, ("ml",), (".py",))
    return TrainingIdentity(
        source=settings.source.value,
        profile=plan.profile.value,
        method=json_digest([plan.parameters(), code, build.code_digest]),
        feature_hash=build.feature_hash,
        data_snapshot=build.data_snapshot,
        code_version=code_version(),
    )


def _may_serve(training: FinishedTraining, session: dt.date) -> bool:
    return training.trained_through <= session and _age(training, session) <= LARGEST_AGE_SESSIONS


def _age(training: FinishedTraining, session: dt.date) -> int:
    return len(sessions_between(training.trained_through, session)) - 1


def _kept(training: FinishedTraining, session: dt.date) -> tuple[ChoiceDecision, str]:
    return (
        ChoiceDecision.KEPT,
        f"the training is {_age(training, session)} sessions old, the next one due after "
        f"{LARGEST_AGE_SESSIONS}",
    )


def _why_retrain(trainings: list[FinishedTraining], session: dt.date) -> str:
    earlier = [each for each in trainings if each.trained_through <= session]
    if earlier:
        age = _age(earlier[0], session)
        return (
            f"the newest training is {age} sessions old, more than the {LARGEST_AGE_SESSIONS} "
            "allowed"
        )
    if trainings:
        return "all trainings saw data of later sessions, which this session must not know"
    return "there is no training yet for this source, profile and method"


def _honestly(reason: str, training: FinishedTraining) -> str:
    """Add what the model has learned from: validation and test are held out and never fitted."""
    return (
        f"{reason}; the model was fitted on outcomes through {training.fitted_through}, judged "
        f"through {training.trained_through}"
    )


def _train_anew(
    registry: "Registry", build: WarehouseBuild, identity: TrainingIdentity, plan: TrainingPlan
) -> FinishedTraining:
    verify(build)
    panel = read_panel(build.panel_path, FEATURES, through=build.session_date)
    if panel.session(len(panel) - 1) != build.session_date:
        raise ModelError(
            "features of the session",
            build.session_date,
            f"they end with {panel.session(len(panel) - 1)}",
            "Ingest the session's prices, then rebuild the warehouse.",
        )
    with registry.training(identity) as run:

        def on_epoch(seed_index: int, epoch: int, losses: dict[str, float]) -> None:
            run.on_epoch(seed_index, epoch, losses)
            logger.info(
                "network %d of %d, epoch %d of at most %d: loss %.4f, on validation %.4f",
                seed_index + 1,
                plan.lstm.seeds,
                epoch + 1,
                plan.lstm.epochs,
                losses["loss"],
                losses["val_loss"],
            )

        return run.finish(train_models(panel, plan, on_epoch))


def _record(
    settings: Settings,
    session: dt.date,
    training: FinishedTraining,
    decision: tuple[ChoiceDecision, str],
) -> ModelChoice:
    serving = training.serving
    choice = ModelChoice(
        source=settings.source.value,
        session_date=session,
        decision=decision[0].value,
        reason=_honestly(decision[1], training),
        model_name=serving.name,
        model_version=serving.version,
        mlflow_run_id=serving.run_id,
        training_run_id=training.run_id,
        fitted_through=training.fitted_through,
        trained_through=training.trained_through,
        decided_at=utc_now(),
    )
    with transaction(settings) as connection:
        _write_scores(connection, training)
        upsert(connection, MODEL_CHOICE, [asdict(choice)])
    logger.info("%s %s for %s: %s", choice.decision, choice.model_name, session, choice.reason)
    return choice


def _write_scores(connection: sa.Connection, training: FinishedTraining) -> None:
    """Write a training's scores in place of those of another training of its session."""
    score = tables["model_score"]
    of_session = sa.and_(
        score.c.source == training.identity.source,
        score.c.session_date == training.trained_through,
    )
    connection.execute(sa.delete(score).where(of_session))
    insert(connection, MODEL_SCORE, _score_rows(training))


def _score_rows(training: FinishedTraining) -> list[dict[str, Any]]:
    return [
        {
            "source": training.identity.source,
            "session_date": training.trained_through,
            "model_name": model.name,
            "horizon_sessions": training.horizon_sessions,
            "training_run_id": training.run_id,
            "model_version": model.version,
            "mlflow_run_id": model.run_id,
            "test_start": training.test_start,
            "test_end": training.test_end,
            **asdict(model.test),
            "confidence": model.confidence,
            "serves": model.serves,
        }
        for model in training.models
    ]
