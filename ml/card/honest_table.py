"""The honest table: every model's scores side by side, for programs and for people."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from ml.card.plain_numbers import number, p_value, span
from ml.forecasters import AVERAGE
from ml.records import FinishedTraining
from ml.scores import Score
from models.vocabulary import ScoredPeriod

SERVED = "served"
"""What the choices would have served, fold by fold: the record of the whole procedure."""

Row = dict[str, Any]

_FIRST = ("r2_out_of_sample", "dm_mean_p_value", "rmse_to_naive", "dm_naive_p_value")
"""Columns that a reader wants before the others."""


def honest_rows(training: FinishedTraining) -> list[Row]:
    """Return a row per horizon, period and model, with every column of the scores.

    The test comes before validation, whose scores flatter the model that was chosen by them.
    """
    models: list[Row] = [
        {
            "model": model.forecaster,
            "serves": model.run_id == training.serving.run_id,
            "trials": model.trials,
            "scores": model.scores,
            "confidence": dict(zip(training.horizons, model.confidence, strict=True)),
            "fit": ", ".join(f"{name} {value}" for name, value in model.settings.items()),
        }
        for model in training.models
    ]
    served: Row = {
        "model": SERVED,
        "serves": False,
        # Those of the average's members are its own.
        "trials": sum(model.trials for model in training.models if model.forecaster != AVERAGE),
        "scores": training.served_scores,
        "confidence": {},
        "fit": "by fold: " + ", ".join(fold.choice.model_name for fold in training.served_folds),
    }
    return [
        _row(model, score)
        for horizon in reversed(training.horizons)
        for period in (ScoredPeriod.TEST, ScoredPeriod.VALIDATION)
        for model in (*models, served)
        for score in model["scores"]
        if (score.horizon_sessions, score.period) == (horizon, period)
    ]


def _row(model: Row, score: Score) -> Row:
    fields = asdict(score)
    key = {name: fields.pop(name) for name in ("horizon_sessions", "period")}
    return {
        "horizon_sessions": key["horizon_sessions"],
        "period": key["period"].value,
        "model": model["model"],
        **{name: fields.pop(name) for name in _FIRST},
        "serves": model["serves"],
        "trials": model["trials"],
        "confidence": model["confidence"].get(score.horizon_sessions),
        **{name: str(value) if name.startswith("period_") else value
           for name, value in fields.items()},
        "fit": model["fit"],
    }  # fmt: skip


Column = tuple[str, Callable[[Row], str]]

BRIEF: tuple[Column, ...] = (
    ("model", lambda row: f"**{row['model']}**" if row["serves"] else row["model"]),
    ("R² vs mean, %", lambda row: _share(row["r2_out_of_sample"], 2, signed=True)),
    ("p vs mean", lambda row: p_value(row["dm_mean_p_value"])),
    ("RMSE / naive", lambda row: number(row["rmse_to_naive"], 4)),
    ("p vs naive", lambda row: p_value(row["dm_naive_p_value"])),
    ("rank IC (t)", lambda row: f"{number(row['rank_ic'], 3, signed=True)} {_t(row['rank_ic_t'])}"),
    ("in 80 %", lambda row: _share(row["coverage_80"])),
    ("in 95 %", lambda row: _share(row["coverage_95"])),
    ("trials", lambda row: str(row["trials"])),
)
"""What a first look needs."""

FULL: tuple[Column, ...] = (
    *BRIEF[:3],
    ("p, sessions apart", lambda row: p_value(row["dm_mean_p_value_apart"])),
    BRIEF[3],
    ("single seeds", lambda row: span(row["rmse_to_naive_seed_lowest"],
                                      row["rmse_to_naive_seed_highest"])),
    ("MAE / naive", lambda row: number(row["mae_to_naive"], 4)),
    BRIEF[4],
    ("symbols better / worse", lambda row: _pair(row["symbols_better"], row["symbols_worse"])),
    BRIEF[5],
    ("signs right, %", lambda row: _share(row["hit_rate"])),
    ("majority's, % (t of difference)", lambda row: _majority(row)),
    BRIEF[6],
    ("width", lambda row: number(row["width_80"], 3)),
    BRIEF[7],
    ("width", lambda row: number(row["width_95"], 3)),
    ("95 % without end, %", lambda row: _share(row["unbounded_95"])),
    ("seeds", lambda row: str(row["seeds"])),
    BRIEF[8],
    ("weight earned", lambda row: number(row["confidence"], 2)),
)  # fmt: skip
"""Everything that a person compares models by."""


WITHOUT_INTERVALS = tuple(
    column for column in FULL if not column[0].startswith(("in ", "width", "95 %"))
)
"""What validation has: its outcomes are those that intervals learn from."""


def markdown_table(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Return rows as a Markdown table; numbers to the right."""
    head = "| " + " | ".join(title for title, _ in columns) + " |"
    rule = "| --- |" + " ---: |" * (len(columns) - 1)
    body = ["| " + " | ".join(text(row) for _, text in columns) + " |" for row in rows]
    return "\n".join([head, rule, *body])


def rows_of(rows: Sequence[Row], period: ScoredPeriod, horizon_sessions: int) -> list[Row]:
    """Return the rows of one period and horizon."""
    return [
        row
        for row in rows
        if (row["period"], row["horizon_sessions"]) == (period.value, horizon_sessions)
    ]


def _share(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """Return a share in percent; the sign of it stands in the column's title."""
    return number(None if value is None else 100 * value, digits, signed=signed)


def _t(value: float | None) -> str:
    return f"({number(value, 1, signed=True)})"


def _pair(better: int | None, worse: int | None) -> str:
    return number(better, 0) + " / " + number(worse, 0)


def _majority(row: Row) -> str:
    return f"{_share(row['majority_rate'])} {_t(row['hit_rate_t'])}"
