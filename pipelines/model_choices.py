"""Which model serves which session, as the store has it; imports nothing heavy."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from models.vocabulary import ScoredPeriod
from pipelines.lineage import REPOSITORY, json_digest, tree_digest
from pipelines.settings import Settings
from pipelines.store import connect, tables
from pipelines.warehouse import WarehouseBuild


@dataclass(frozen=True)
class ModelChoice:
    """The model that serves a session, as the table ``model_choice`` has it."""

    source: str
    session_date: dt.date
    decision: str
    role: str
    reason: str
    model_name: str
    model_version: int
    mlflow_run_id: str
    training_run_id: str
    method: str | None
    fitted_through: dt.date
    trained_through: dt.date
    decided_at: dt.datetime


@dataclass(frozen=True)
class Rollback:
    """A person's word that an earlier training serves, as the table ``model_rollback`` has it."""

    source: str
    decided_at: dt.datetime
    from_session_date: dt.date
    training_run_id: str
    left_training_run_id: str
    decided_by: str
    reason: str


def find_choice(settings: Settings, session: dt.date) -> ModelChoice | None:
    """Return the choice that was made for a session, if any."""
    return _newest_choice(settings, tables["model_choice"].c.session_date == session)


def choice_before(settings: Settings, session: dt.date) -> ModelChoice | None:
    """Return the choice of the last session before this one that has any: what is in service."""
    return _newest_choice(settings, tables["model_choice"].c.session_date < session)


def newest_choice(settings: Settings) -> ModelChoice | None:
    """Return the choice of the newest session that has any."""
    return _newest_choice(settings, sa.true())


def trained_before(settings: Settings, session: dt.date) -> dt.date | None:
    """Return the last session before this one that a training was made for.

    Its scores tell, which stay where a person put another training into service since.
    """
    score = tables["model_score"]
    query = sa.select(sa.func.max(score.c.session_date)).where(
        score.c.source == settings.source.value,
        score.c.session_date < session,
        score.c.period != ScoredPeriod.LIVE.value,
    )
    with connect(settings) as connection:
        return connection.execute(query).scalar()


def standing_rollback(settings: Settings, session: dt.date) -> Rollback | None:
    """Return what a person last decided for a session, and no choice has taken up since.

    A choice takes it up, be it of this session or of one since the rollback's first; what is
    chosen later is up to checks and evidence again.
    """
    rollback, choice = tables["model_rollback"], tables["model_choice"]
    source = settings.source.value
    newest = (
        sa.select(rollback)
        .where(rollback.c.source == source, rollback.c.from_session_date <= session)
        .order_by(rollback.c.decided_at.desc())
        .limit(1)
    )
    with connect(settings) as connection:
        row = connection.execute(newest).mappings().one_or_none()
        if row is None:
            return None
        taken_up = sa.select(sa.func.count()).where(
            choice.c.source == source,
            choice.c.session_date.between(row["from_session_date"], session),
            choice.c.decided_at > row["decided_at"],
        )
        return None if connection.execute(taken_up).scalar() else Rollback(**row)


def training_method(settings: Settings, build: WarehouseBuild) -> str:
    """Return the digest of the plan and code by which a training would be made now."""
    from ml.plans import TrainingPlan

    plan = TrainingPlan.of_profile(settings.training_profile, settings.seed)
    code = tree_digest(REPOSITORY, ("ml",), (".py",))
    return json_digest([plan.parameters(), code, build.code_digest])


def _newest_choice(settings: Settings, condition: sa.ColumnElement[bool]) -> ModelChoice | None:
    table = tables["model_choice"]
    query = (
        sa.select(table)
        .where(table.c.source == settings.source.value, condition)
        .order_by(table.c.session_date.desc())
        .limit(1)
    )
    with connect(settings) as connection:
        row = connection.execute(query).mappings().one_or_none()
    return ModelChoice(**row) if row else None
