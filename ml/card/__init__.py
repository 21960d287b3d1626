"""What a training's models are for, how they were judged and what they cannot do, in plain words.

Headings follow Mitchell et al. (2019), "Model cards for model reporting".
"""

from ml.card.honest_table import BRIEF, honest_rows, markdown_table, rows_of
from ml.card.plain_numbers import number
from ml.card.results import evidence, intervals, reading, results, skill_sentence
from ml.card.sections import data, details, limits, method, use
from ml.records import FinishedTraining
from ml.results import TrainingResult
from models.vocabulary import ModelRole, ScoredPeriod


def model_card(training: FinishedTraining, result: TrainingResult) -> str:
    """Return the model card, as Markdown."""
    rows = honest_rows(training)
    sections = [
        ("# Model card", summary(training)),
        ("## Model details", details(training, result)),
        ("## Intended use", use()),
        ("## Data", data(training, result)),
        ("## How it was judged", method(training, result)),
        ("## Results of the test", results(training, rows, ScoredPeriod.TEST)),
        ("## Why this model serves", evidence(training)),
        ("## Intervals", intervals(training, result.served.coverage)),
        ("## What validation said", results(training, rows, ScoredPeriod.VALIDATION)),
        ("## Limits", limits(training)),
    ]
    return "\n\n".join(f"{heading}\n\n{text}" for heading, text in sections) + "\n"


def description(training: FinishedTraining) -> str:
    """Return the short form that MLflow shows on the run's page, as Markdown."""
    horizon = training.horizons[-1]
    rows = rows_of(honest_rows(training), ScoredPeriod.TEST, horizon)
    start, end = rows[0]["period_start"], rows[0]["period_end"]
    return "\n\n".join(
        [
            summary(training),
            f"**Test, {horizon} sessions ahead, {start} to {end}** (scored once)",
            markdown_table(rows, BRIEF),
            reading(training, horizon),
            "All of it, with pictures: artifact `model_card.html`. Tables to compute with: "
            "`tables/`. Each model is a run below this one, with its settings, losses, files and "
            "all scores.",
        ]
    )


def summary(training: FinishedTraining) -> str:
    """Return who serves and what that is worth, in a few sentences."""
    serving, horizon = training.serving, training.horizons[-1]
    role = "champion" if serving.role is ModelRole.CHAMPION else "best baseline"
    weights = ", ".join(
        f"{number(weight, 2)} over {horizon_sessions} sessions"
        for horizon_sessions, weight in zip(serving.horizons, serving.confidence, strict=True)
    )
    return (
        f"**{serving.forecaster} serves as {role}** (version {serving.version}): "
        f"{training.choice.reason}.\n\n"
        f"The weight that validation proves for its forecasts: {weights}. At 0 the portfolio "
        f"ignores them.\n\n{skill_sentence(training, horizon)}"
    )
