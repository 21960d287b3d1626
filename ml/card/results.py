"""What the scores say, in tables and in words."""

from collections.abc import Iterator, Sequence

from ml.card.honest_table import FULL, WITHOUT_INTERVALS, Row, markdown_table, rows_of
from ml.card.plain_numbers import counted, number, p_value, p_words, percent, span
from ml.card.words import bullets, has, joined
from ml.evaluation.multiple import LEVEL
from ml.records import FinishedTraining
from ml.scores import YearCoverage
from models.vocabulary import INTERVAL_LEVELS, ScoredPeriod

LEAST_R2 = 5e-5
"""What would be printed as more than zero."""


def skill_sentence(training: FinishedTraining, horizon_sessions: int) -> str:
    """Say what the whole procedure would have been worth in the test."""
    score = next(
        each for each in training.served_scores if each.horizon_sessions == horizon_sessions
    )
    r2, chance = score.r2_out_of_sample, score.dm_mean_p_value
    if r2 is None or chance is None or chance == 1.0:
        verdict = "which is the expanding mean, or too little to be judged"
    elif chance >= LEVEL:
        verdict = f"not to be told from chance ({p_words(chance)})"
    else:
        verdict = f"{'better' if r2 > 0 else 'worse'} by more than chance ({p_words(chance)})"
    return (
        f"Choosing like this through {score.period_start} to {score.period_end} would have given "
        f"an out-of-sample R² of {percent(r2, signed=True)} against the expanding mean over "
        f"{horizon_sessions} sessions: {verdict}."
    )


def results(training: FinishedTraining, rows: Sequence[Row], period: ScoredPeriod) -> str:
    """Return the tables of a period, and of the test what they say."""
    columns = FULL if period is ScoredPeriod.TEST else WITHOUT_INTERVALS
    parts = []
    for horizon in training.horizons:
        found = rows_of(rows, period, horizon)
        if not found:
            continue
        first = found[0]
        parts.append(
            f"**{horizon} sessions ahead**, {first['period_start']} to {first['period_end']}: "
            f"{first['forecasts']:,} forecasts of {counted(first['symbols'], 'symbol')} in "
            f"{first['sessions']:,} sessions.\n\n{markdown_table(found, columns)}"
        )
        if period is ScoredPeriod.TEST:
            parts.append(reading(training, horizon))
    return "\n\n".join(parts)


def reading(training: FinishedTraining, horizon_sessions: int) -> str:
    """Say in words what the table of the test says."""
    better, surely, worse = [], [], []
    for model in training.models:
        score = model.score(ScoredPeriod.TEST, horizon_sessions)
        r2 = score.r2_out_of_sample or 0.0
        is_sure = score.dm_mean_p_value is not None and score.dm_mean_p_value < LEVEL
        if r2 > LEAST_R2:
            better.append(model.forecaster)
        if r2 > LEAST_R2 and is_sure:
            surely.append(model.forecaster)
        if r2 < 0 and is_sure:
            worse.append(model.forecaster)
    if not better:
        said = ["No model has a lower squared error than the expanding mean."]
    else:
        lead = f"{joined(better)} {has(better)} a lower squared error than the expanding mean"
        doubt = ", but not by more than chance."
        if surely:
            doubt = (
                f"; for {joined(surely)} p is below {LEVEL}, before allowing for how many were "
                "looked at."
            )
        said = [lead + doubt]
    if worse:
        said.append(f"{joined(worse)} {has(worse)} a higher one, by more than chance.")
    return " ".join([*said, *_seeds(training, horizon_sessions)])


def _seeds(training: FinishedTraining, horizon_sessions: int) -> Iterator[str]:
    for model in training.models:
        score = model.score(ScoredPeriod.TEST, horizon_sessions)
        if model.forecaster == "lstm" and score.rmse_to_naive_seed_lowest is not None:
            low, high = score.rmse_to_naive_seed_lowest, score.rmse_to_naive_seed_highest
            yield (
                f"Single seeds of the network, {counted(score.seeds, 'network')} that differ in "
                f"nothing else, have an RMSE of {span(low, high)} of naive: differences between "
                "models that are smaller than that mean little."
            )


def evidence(training: FinishedTraining) -> str:
    """Return the comparisons that the choice rests on, and what the folds would have served."""
    lines = [
        f"| {each.model_name} | {each.against} | {each.sessions:,} | "
        f"{each.from_session_date} to {each.to_session_date} | {each.loss_difference:+.2e} | "
        f"{number(each.statistic, 2, signed=True)} | {p_value(each.p_value)} | "
        f"{p_value(each.p_value_corrected)} | {'yes' if each.passed else 'no'} |"
        for each in training.choice.evidence
    ]
    head = (
        "| model | against | sessions | of | squared error less the other's | t | p, one-sided | "
        "p, corrected | beaten |\n| --- | --- |" + " ---: |" * 7
    )
    folds = bullets(
        *(
            f"{fold.test_start} to {fold.test_end}: {fold.choice.model_name} as "
            f"{fold.choice.role.value}, weights "
            + ", ".join(number(weight, 2) for weight in fold.confidence)
            for fold in training.served_folds
        )
    )
    return (
        f"{training.choice.reason}.\n\n"
        + "\n".join([head, *lines])
        + f"\n\nIn the folds the same rule would have served:\n\n{folds}"
    )


def intervals(training: FinishedTraining, coverage: Sequence[YearCoverage]) -> str:
    """Return how much of what came lay inside the intervals of what would have served."""
    lines = []
    for horizon in training.horizons:
        for level in INTERVAL_LEVELS:
            found = [
                each for each in coverage if (each.horizon_sessions, each.level) == (horizon, level)
            ]
            whole = next((each for each in found if each.year is None), None)
            if whole is None:
                continue
            years = [each for each in found if each.year is not None and each.lowest is not None]
            outside = [each for each in years if not _is_within(each)]
            named = f" ({', '.join(str(each.year) for each in outside)})" if outside else ""
            lines.append(
                f"{horizon} sessions, {100 * level:.0f} % intervals: "
                f"{percent(whole.coverage, 1)} inside; "
                f"by chance {_band(whole)}. Years outside of their band: {len(outside)} of "
                f"{len(years)}{named}."
            )
    return (
        "Of what the choices would have served, in the test. Ends follow what was realised "
        "(adaptive conformal inference); where they had to be without end, that is counted in the "
        "table above.\n\n" + bullets(*lines)
    )


def _is_within(each: YearCoverage) -> bool:
    if each.lowest is None or each.highest is None:
        return True
    return each.lowest <= each.coverage <= each.highest


def _band(each: YearCoverage) -> str:
    if each.lowest is None or each.highest is None:
        return "cannot be said of so short a period"
    return f"{percent(each.lowest, 1)} to {percent(each.highest, 1)}"
