"""Put an earlier training back into service: one row, which the next choice takes up."""

import datetime as dt
import logging
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from models.store_forecasts import MODEL_ROLLBACK
from pipelines.errors import ModelError
from pipelines.forecast.failures import model_errors
from pipelines.model_choices import ModelChoice, Rollback, newest_choice
from pipelines.settings import Settings
from pipelines.store import connect, insert, tables, transaction, utc_now

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RollbackReport:
    """What a rollback changes: which model serves from which session on, in place of which."""

    from_session_date: dt.date
    serves: str
    training_run_id: str
    trained_through: dt.date
    instead_of: str
    left_training_run_id: str
    until: str
    to_apply: str


def roll_back(
    settings: Settings, *, reason: str, decided_by: str, to: str | None = None
) -> RollbackReport:
    """Let an earlier training serve from the newest session on that has a choice.

    It serves until the next training is due, by the age of the last one that was made, and by what
    becomes of its own forecasts. Choices and advice of earlier sessions stay as they are.

    Parameters
    ----------
    reason, decided_by : why, and who says so; both are kept.
    to : MLflow run of the training; if left out, that which was in service before the present one.

    Raises
    ------
    ModelError
        No model is in service, there is no training before, or the one named is unknown, of
        another source, already in service, or knows later sessions.
    StoreError
        The store cannot be written.
    """
    from ml.tracking import Registry

    present = newest_choice(settings)
    if present is None:
        raise ModelError(
            "model in service", None, "none was chosen yet", "Run `smartinvest train` first."
        )
    target = to or _training_before(settings, present)
    if target == present.training_run_id:
        raise ModelError(
            "training", target, "it is in service already", "See `smartinvest models list`."
        )
    with model_errors():
        registry = Registry(settings.mlflow, settings.mlflow_url)
        training = registry.finished_training(target)
        registry.load(training.serving.name, training.serving.version)  # a version that is gone
    if training.identity.source != settings.source.value:
        raise ModelError(
            "training",
            target,
            f"it learned from {training.identity.source}, not from {settings.source.value}",
            "Name one of `smartinvest models list`.",
        )
    if training.trained_through > present.session_date:
        raise ModelError(
            "training",
            target,
            f"it saw {training.trained_through}, which {present.session_date} must not know",
            "Name one of `smartinvest models list`, or choose a model for a later session first.",
        )
    decided = Rollback(
        source=settings.source.value,
        decided_at=utc_now(),
        from_session_date=present.session_date,
        training_run_id=target,
        left_training_run_id=present.training_run_id,
        decided_by=decided_by,
        reason=reason,
    )
    with transaction(settings) as connection:
        insert(connection, MODEL_ROLLBACK, [asdict(decided)])
    serving = training.serving
    return RollbackReport(
        from_session_date=decided.from_session_date,
        serves=f"{serving.name} version {serving.version}, as {serving.role.value}",
        training_run_id=target,
        trained_through=training.trained_through,
        instead_of=f"{present.model_name} version {present.model_version}, as {present.role}",
        left_training_run_id=present.training_run_id,
        until="the next training is due (smartinvest monitor says when)",
        to_apply=(
            f"smartinvest train, forecast and rebalance --session {present.session_date}, or the "
            "next session's run; the advice published for that session is then superseded"
        ),
    )


def _training_before(settings: Settings, present: ModelChoice) -> str:
    """Return the training that was in service before the present one."""
    choice = tables["model_choice"]
    query = (
        sa.select(choice.c.training_run_id)
        .where(
            choice.c.source == present.source,
            choice.c.session_date < present.session_date,
            choice.c.training_run_id != present.training_run_id,
        )
        .order_by(choice.c.session_date.desc())
        .limit(1)
    )
    with connect(settings) as connection:
        before: str | None = connection.execute(query).scalar()
    if before is None:
        raise ModelError(
            "training in service",
            present.training_run_id,
            "there was none before it",
            "Name another one with --to; `smartinvest models list` shows them.",
        )
    return before
