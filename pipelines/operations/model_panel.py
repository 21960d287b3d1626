"""What serves and on which evidence: the choice, what it beat, its scores and the last check."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from models.vocabulary import HORIZON_SESSIONS, ScoredPeriod
from pipelines.operate.model_summary import scores_of_test
from pipelines.operations.panels import Badge, Cell, Grid, Panel, Verdict
from pipelines.operations.words import age, number
from pipelines.settings import Settings
from pipelines.store import connect, tables


def model_panel(settings: Settings, now: dt.datetime) -> Panel:
    """Show the model of the newest session that has a choice.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    choice = tables["model_choice"]
    with connect(settings) as connection:
        chosen = connection.execute(
            sa.select(choice)
            .where(choice.c.source == settings.source)
            .order_by(choice.c.session_date.desc())
            .limit(1)
        ).one_or_none()
        if chosen is None:
            return Panel("model", "Model in service", Verdict.UNKNOWN, "none was chosen yet")
        scores = scores_of_test(connection, settings, chosen.session_date)
        evidence = _evidence(connection, chosen.training_run_id)
        check = _newest(connection, settings, "model_check")
        live = _live(connection, settings)
    grids = [_facts(chosen, now)]
    if evidence:
        grids.append(_beaten(evidence))
    if scores:
        columns = ("test: model", *(f"#{name}" for name in list(scores[0])[1:-1]), "serves")
        grids.append(Grid(columns, [list(row.values()) for row in scores]))
    if live is not None:
        grids.append(_lived(live))
    if check is not None:
        grids.append(_checked(check))
    due = check is not None and check.retraining_due and check.session_date > chosen.session_date
    return Panel(
        "model",
        "Model in service",
        Verdict.ATTENTION if due else Verdict.GOOD,
        f"{chosen.model_name}, version {chosen.model_version}, as {chosen.role}"
        + (", retraining is due" if due else ""),
        tuple(grids),
        () if live is not None else ("No live score yet: no forecast's horizon has ended.",),
    )


def _newest(connection: sa.Connection, settings: Settings, name: str) -> Any:
    table = tables[name]
    return connection.execute(
        sa.select(table)
        .where(table.c.source == settings.source)
        .order_by(table.c.session_date.desc())
        .limit(1)
    ).one_or_none()


def _live(connection: sa.Connection, settings: Settings) -> Any:
    score = tables["model_score"]
    return connection.execute(
        sa.select(score)
        .where(
            score.c.source == settings.source,
            score.c.period == ScoredPeriod.LIVE,
            score.c.horizon_sessions == HORIZON_SESSIONS,
            score.c.model_name == "served",
        )
        .order_by(score.c.session_date.desc())
        .limit(1)
    ).one_or_none()


def _evidence(connection: sa.Connection, training_run_id: str) -> Any:
    table = tables["model_evidence"]
    return connection.execute(
        sa.select(table)
        .where(
            table.c.training_run_id == training_run_id,
            table.c.horizon_sessions == HORIZON_SESSIONS,
        )
        .order_by(table.c.model_name, table.c.against)
    ).all()


def _facts(chosen: Any, now: dt.datetime) -> Grid:
    rows: list[list[Cell]] = [
        ["serves", f"{chosen.model_name}, version {chosen.model_version}, as {chosen.role}"],
        ["for session", str(chosen.session_date)],
        ["decision", f"{chosen.decision.replace('_', ' ')}, {age(chosen.decided_at, now)}"],
        ["because", chosen.reason],
        ["fitted through", str(chosen.fitted_through)],
        ["training", chosen.training_run_id],
    ]
    return Grid(("fact", "value"), rows)


def _beaten(evidence: Any) -> Grid:
    rows: list[list[Cell]] = [
        [
            row.model_name,
            row.against,
            f"{row.sessions:,}",
            number(row.statistic, "+.2f"),
            number(row.p_value_corrected, ".3f"),
            Badge("beaten", Verdict.GOOD) if row.passed else "not beaten",
        ]
        for row in evidence
    ]
    columns = ("evidence: model", "against", "#sessions", "#t", "#p, corrected", "verdict")
    return Grid(columns, rows)


def _lived(score: Any) -> Grid:
    row: list[Cell] = [
        f"served, through {score.session_date}",
        f"{score.forecasts:,}",
        number(score.rmse_to_naive, ".4f"),
        number(score.r2_out_of_sample, "+.4f"),
        number(score.coverage_80, ".3f"),
    ]
    return Grid(("live", "#forecasts", "#RMSE / naive", "#R2", "#in 80 %"), [row])


def _checked(check: Any) -> Grid:
    badge = (
        Badge("retraining due", Verdict.ATTENTION)
        if check.retraining_due
        else Badge("no retraining due", Verdict.GOOD)
    )
    drift = (
        f"{check.drifted_features} features drifted, most {check.most_drifted_feature}"
        if check.drifted_features
        else "no feature drifted"
        if check.drifted_features == 0
        else "drift not known"
    )
    row: list[Cell] = [str(check.session_date), badge, check.reason, drift]
    return Grid(("last check", "verdict", "because", "drift"), [row])
