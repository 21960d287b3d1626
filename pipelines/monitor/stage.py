"""Check whether a new training is due, and score what was realised, for one session."""

import datetime as dt
import logging
from dataclasses import asdict

import sqlalchemy as sa

from models.store_scores import MODEL_CHECK, MODEL_SCORE
from models.vocabulary import ScoredPeriod
from pipelines.model_choices import ModelChoice, choice_before, trained_before, training_method
from pipelines.monitor.check import InService, ModelCheck, judge, nothing_in_service
from pipelines.progress import step
from pipelines.sessions import sessions_between
from pipelines.settings import Settings
from pipelines.store import connect, insert, tables, transaction, upsert
from pipelines.warehouse import WarehouseBuild, build_for

logger = logging.getLogger(__name__)


def monitor(settings: Settings, session: dt.date) -> ModelCheck:
    """Score what is realised by a session, and say whether a new training is due before it serves.

    Forecasts whose horizon ends at the session become ``live`` rows of ``model_score``. The check
    looks at the age of the last training, at what became of the forecasts that served, and at
    drifted features, all as known at the session: a rerun gives the same rows.

    Raises
    ------
    WarehouseError
        The session has no warehouse build.
    StoreError
        The store cannot be written.
    """
    # Heavier than the rest of the chain needs.
    from pipelines.monitor.live import live_scores

    build = build_for(settings, session)
    with step(f"monitor {session}"):
        scores = live_scores(build)
        check = _check(settings, build, choice_before(settings, session))
    with transaction(settings) as connection:
        score = tables["model_score"]
        of_session = (
            score.c.source == check.source,
            score.c.session_date == session,
            score.c.period == ScoredPeriod.LIVE.value,
        )
        connection.execute(sa.delete(score).where(*of_session))
        insert(connection, MODEL_SCORE, scores)
        upsert(connection, MODEL_CHECK, [asdict(check)])
    verdict = "due" if check.retraining_due else "not due"
    logger.info("a new training for %s is %s: %s", session, verdict, check.reason)
    return check


def find_check(settings: Settings, session: dt.date) -> ModelCheck | None:
    """Return the check that was made for a session, if any."""
    table = tables["model_check"]
    query = sa.select(table).where(
        table.c.source == settings.source.value, table.c.session_date == session
    )
    with connect(settings) as connection:
        row = connection.execute(query).mappings().one_or_none()
    return ModelCheck(**row) if row else None


def current_check(settings: Settings, session: dt.date) -> ModelCheck:
    """Return the check of a session, of what is in service before it by now.

    In a backfill a session is checked while a model is still being trained for the one before. What
    the check says of an earlier training is then worth nothing, and it is made anew.

    Raises
    ------
    WarehouseError, StoreError
        As :func:`monitor`.
    """
    found, serving = find_check(settings, session), choice_before(settings, session)
    in_service = serving.training_run_id if serving else None
    if found is not None and found.training_run_id == in_service:
        return found
    return monitor(settings, session)


def _check(settings: Settings, build: WarehouseBuild, serving: ModelChoice | None) -> ModelCheck:
    from pipelines.monitor.drift import feature_drift
    from pipelines.monitor.realised import rolling

    session = build.session_date
    if serving is None:
        return nothing_in_service(settings.source.value, session)
    trained = trained_before(settings, session) or serving.trained_through
    in_service = InService(
        training_run_id=serving.training_run_id,
        model_name=serving.model_name,
        age_sessions=len(sessions_between(trained, session)) - 1,
        same_method=serving.method == training_method(settings, build),
    )
    drift = feature_drift(build, serving.fitted_through)
    return judge(settings.source.value, session, in_service, rolling(build), drift)
