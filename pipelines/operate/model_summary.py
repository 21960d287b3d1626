"""What a summary says of models: which serves, why, and how good all of them are."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from models.vocabulary import HORIZON_SESSIONS, ScoredPeriod
from pipelines.settings import Settings
from pipelines.store import tables

SCORES_TITLE = (
    f"models, {HORIZON_SESSIONS} sessions ahead, on sessions that none was fitted to or chosen by\n"
    "(R2 and p: against the expanding mean; served: what the choices would have served)"
)


def choice_facts(connection: sa.Connection, run: Any) -> dict[str, str]:
    """Return how the model of a run came to serve, as what, and what it has learned from."""
    choice = tables["model_choice"]
    # Of the run's own session, unless another model has been chosen for it since: what the choice
    # of another session says of the model is the same.
    query = (
        sa.select(choice)
        .where(choice.c.source == run.source, choice.c.mlflow_run_id == run.mlflow_run_id)
        .order_by(choice.c.session_date != run.session_date, choice.c.session_date.desc())
    )
    found = connection.execute(query.limit(1)).one_or_none()
    if found is None:
        return {"training": "unknown: another model has been chosen for the session since"}
    return {
        "training": (
            f"fitted on outcomes through {found.fitted_through}, judged through "
            f"{found.trained_through}"
        ),
        "serves as": found.role,
        "choice": f"{found.decision.replace('_', ' ')}: {found.reason}",
    }


def scores_of_test(
    connection: sa.Connection, settings: Settings, session: dt.date
) -> list[dict[str, str]]:
    """Return how good the models of a session's training were on its test, the best first."""
    score, choice = tables["model_score"], tables["model_choice"]
    chosen = sa.select(choice.c.training_run_id).where(
        choice.c.source == settings.source, choice.c.session_date == session
    )
    query = (
        sa.select(score)
        .where(
            score.c.training_run_id.in_(chosen),
            score.c.period == ScoredPeriod.TEST.value,
            score.c.horizon_sessions == HORIZON_SESSIONS,
        )
        .order_by(score.c.rmse, score.c.model_name)
    )
    return [
        {
            "model": row.model_name,
            "RMSE / naive": _number(row.rmse_to_naive, ".4f"),
            "MAE / naive": _number(row.mae_to_naive, ".4f"),
            "R2": _number(row.r2_out_of_sample, "+.4f"),
            "p": _number(row.dm_mean_p_value, ".2f"),
            "in 80 %": _number(row.coverage_80, ".3f"),
            "in 95 %": _number(row.coverage_95, ".3f"),
            "confidence": _number(row.confidence, ".2f"),
            "serves": "yes" if row.serves else "",
        }
        for row in connection.execute(query)
    ]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
