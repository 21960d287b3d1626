"""What a training's models are for, how they were judged and what they cannot do, in plain words.

Headings follow Mitchell et al. (2019), "Model cards for model reporting".
"""

from collections.abc import Iterator, Sequence

from ml.honest_table import (
    BRIEF,
    FULL,
    Row,
    honest_rows,
    markdown_table,
    rows_of,
)
from ml.plain_numbers import counted, number, p_value, percent, span
from ml.plans import TrainingPlan
from ml.records import FinishedTraining, FoldPeriods
from ml.results import TrainingResult
from ml.scores import Evidence, YearCoverage
from models.vocabulary import INTERVAL_LEVELS, ModelRole, ScoredPeriod, Source

LEVEL = 0.05
"""Below this p value something is said to be more than chance."""

UNIVERSES = {
    Source.SAMPLE: (
        "Twenty US stocks since 1990, five factor funds since 2014 and the S&P 500: closes only, "
        "without volumes, highs or lows. The stocks were picked in 2022, because they had lasted: "
        "a universe of hindsight, in which every buy-and-hold looks better than it was."
    ),
    Source.YAHOO: (
        "Daily bars as Yahoo tells them and macro series as FRED does. Whether the universe knows "
        "which symbols were members when is up to the file that lists them."
    ),
    Source.FILES: (
        "A user's own files. Whether the universe knows which symbols were members when, or was "
        "picked in hindsight, is up to those files."
    ),
    Source.SIMULATED: (
        "A simulated market. It was made up: nothing here says anything about real ones."
    ),
}

_NOT_FOR = (
    "Not for orders by themselves, for horizons other than those below, for instruments of other "
    "markets, or as a promise of returns. A forecast is an expectation with a wide interval "
    "around it; most of what happens is not forecast by any model here."
)

_LIMITS = (
    "Returns of single stocks over weeks are close to unpredictable. An out-of-sample R² above one "
    "or two percent would be a reason to look for a leak, not to celebrate.",
    "Validation flatters what was chosen by it. Read the test; it was scored once and decided "
    "nothing.",
    "Models that serve were fitted through {fitted_through}. What changed since then they have "
    "not learned, though their inputs show it.",
    "Tests of {horizon} sessions overlap: {sessions} sessions hold about {independent} outcomes "
    "that do not. p values allow for that; small ones still come by chance when many are read.",
    "Intervals adapt to what was realised, so they widen after a shock, not before it.",
    "Symbols that training did not know get forecasts only from models that need no "
    "acquaintance with a symbol, and their scores say nothing about them.",
)


def model_card(training: FinishedTraining, result: TrainingResult) -> str:
    """Return the model card, as Markdown."""
    rows = honest_rows(training)
    sections = [
        ("# Model card", summary(training)),
        ("## Model details", _details(training, result)),
        ("## Intended use", _use(training)),
        ("## Data", _data(training, result)),
        ("## How it was judged", _method(training, result)),
        ("## Results of the test", _results(training, rows, ScoredPeriod.TEST)),
        ("## Why this model serves", _choice(training)),
        ("## Intervals", _intervals(training, result.served.coverage)),
        ("## What validation said", _results(training, rows, ScoredPeriod.VALIDATION)),
        ("## Limits", _limits(training)),
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
            _reading(training, horizon),
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
        f"The weight its forecasts have earned against doing nothing: {weights}. At 0 the "
        f"portfolio ignores them.\n\n{skill_sentence(training, horizon)}"
    )


def skill_sentence(training: FinishedTraining, horizon_sessions: int) -> str:
    """Say what the whole procedure would have been worth in the test."""
    score = next(
        each for each in training.served_scores if each.horizon_sessions == horizon_sessions
    )
    r2, chance = score.r2_out_of_sample, score.dm_mean_p_value
    if r2 is None or chance is None or chance == 1.0:
        verdict = "which is the expanding mean, or too little to be judged"
    elif chance >= LEVEL:
        verdict = f"not to be told from chance (p = {p_value(chance)})"
    else:
        verdict = f"{'better' if r2 > 0 else 'worse'} than by chance (p = {p_value(chance)})"
    return (
        f"Choosing like this through {score.period_start} to {score.period_end} would have given "
        f"an out-of-sample R² of {percent(r2, signed=True)} against the expanding mean over "
        f"{horizon_sessions} sessions: {verdict}."
    )


def _details(training: FinishedTraining, result: TrainingResult) -> str:
    identity = training.identity
    models = ", ".join(f"{model.forecaster} {model.version}" for model in training.models)
    return _list(
        f"Models and their versions: {models}.",
        f"Each forecasts mean and spread of log returns over {_horizons(training)} sessions.",
        f"Fitted on outcomes through {training.fitted_through}, judged through "
        f"{training.trained_through}; finished {training.finished_at:%Y-%m-%d %H:%M} UTC.",
        f"Profile {identity.profile}: {_work(result.plan)}.",
        f"Search: {_search(training)}.",
        f"Code {identity.code_version}, features {identity.feature_hash[:12]}, data "
        f"{identity.data_snapshot[:12]}, seed {result.plan.seed}. The same of these on the same "
        "machine give the same weights.",
    )


def _work(plan: TrainingPlan) -> str:
    lstm = plan.lstm
    return (
        f"{counted(plan.folds.folds, 'fold')}, {counted(lstm.seeds, 'seed')} of the network and "
        f"of the trees; the network sees {lstm.samples_per_epoch:,} windows of "
        f"{lstm.window_sessions} sessions an epoch, for at most {lstm.epochs} epochs, and stops "
        f"after {lstm.patience_epochs} without a better validation loss"
    )


def _search(training: FinishedTraining) -> str:
    states = training.trial_states
    if not states:
        return "none; the network's settings are those of the profile"
    parts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return (
        f"{counted(sum(states.values()), 'trial')} of the network's settings on the first fold's "
        f"training and validation ({parts})"
    )


def _use(training: FinishedTraining) -> str:
    return (
        "Forecasts feed the allocation of portfolios once a session, shrunk towards what is "
        "expected without them by the weight that validation has earned; they are stored with "
        f"their intervals and their reasons.\n\n{_NOT_FOR}"
    )


def _data(training: FinishedTraining, result: TrainingResult) -> str:
    source = Source(training.identity.source)
    return (
        f"{UNIVERSES[source]}\n\n"
        f"Source `{source.value}`: {counted(training.symbols, 'symbol')}, "
        f"{len(result.sessions):,} sessions from {result.session(0)} to "
        f"{training.trained_through}; {counted(len(result.plan.features), 'feature')} at most, "
        "each as it was known at the session. What a source does not have is missing, never made "
        "up."
    )


def _method(training: FinishedTraining, result: TrainingResult) -> str:
    gap = result.plan.folds.gap_sessions
    return (
        "Walk-forward: each fold learns from all sessions before its validation, chooses by "
        f"validation, and is scored on its test, once; {gap} sessions are left out between them, "
        "because outcomes overlap. What serves was fitted once more, with validation at the end "
        "of the data.\n\n"
        f"{_folds_table(training.folds)}\n\n"
        "All models are scored on the same sessions and symbols, in log returns. R² compares with "
        "the expanding mean, ratios with the naive forecast of zero. p values are of "
        "Diebold-Mariano tests on each session's mean squared error, robust to overlap; beside "
        "them the same of sessions a horizon apart. The row `served` is what these choices would "
        "have served in each fold, by what was known then: the one row that nobody picked "
        "afterwards."
    )


def _folds_table(folds: Sequence[FoldPeriods]) -> str:
    def line(number_of: int, fold: FoldPeriods) -> str:
        name = str(number_of) if fold.test_start else "to serve"
        test = f"{fold.test_start} to {fold.test_end}" if fold.test_start else "none"
        return (
            f"| {name} | {fold.train_start} to {fold.train_end} | "
            f"{fold.validation_start} to {fold.validation_end} | {test} |"
        )

    lines = [line(place, fold) for place, fold in enumerate(folds, start=1)]
    return "\n".join(["| fold | training | validation | test |", "| --- |" * 1 + " --- |" * 3,
                      *lines])  # fmt: skip


def _results(training: FinishedTraining, rows: Sequence[Row], period: ScoredPeriod) -> str:
    parts = []
    for horizon in training.horizons:
        found = rows_of(rows, period, horizon)
        if not found:
            continue
        first = found[0]
        parts.append(
            f"**{horizon} sessions ahead**, {first['period_start']} to {first['period_end']}: "
            f"{first['forecasts']:,} forecasts of {counted(first['symbols'], 'symbol')} in "
            f"{first['sessions']:,} sessions.\n\n{markdown_table(found, FULL)}"
        )
        if period is ScoredPeriod.TEST:
            parts.append(_reading(training, horizon))
    return "\n\n".join(parts)


def _reading(training: FinishedTraining, horizon_sessions: int) -> str:
    """Say in words what the table of the test says."""
    learned = [model for model in training.models if model.trials and model.forecaster != "naive"]
    better, surely = [], []
    for model in learned:
        score = model.score(ScoredPeriod.TEST, horizon_sessions)
        if (score.r2_out_of_sample or 0.0) > 0:
            better.append(model.forecaster)
            if (score.dm_mean_p_value or 1.0) < LEVEL:
                surely.append(model.forecaster)
    if not better:
        first = "No model has a lower squared error than the expanding mean."
    elif not surely:
        first = (
            f"{_and(better)} {_has(better)} a lower squared error than the expanding mean, none of "
            "them by more than chance."
        )
    else:
        first = (
            f"{_and(better)} {_has(better)} a lower squared error than the expanding mean, "
            f"{_and(surely)} with p < {LEVEL}, before allowing for how many were looked at."
        )
    return " ".join([first, *_seeds(training, horizon_sessions)])


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


def _choice(training: FinishedTraining) -> str:
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
    folds = _list(
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


def _intervals(training: FinishedTraining, coverage: Sequence[YearCoverage]) -> str:
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
                f"{horizon} sessions, {level:.0%} intervals: {percent(whole.coverage, 1)} inside; "
                f"by chance {_band(whole)}. Years outside of their band: {len(outside)} of "
                f"{len(years)}{named}."
            )
    return (
        "Of what the choices would have served, in the test. Ends follow what was realised "
        "(adaptive conformal inference); where they had to be without end, that is counted in the "
        "table above.\n\n" + _list(*lines)
    )


def _is_within(each: YearCoverage) -> bool:
    if each.lowest is None or each.highest is None:
        return True
    return each.lowest <= each.coverage <= each.highest


def _band(each: YearCoverage) -> str:
    if each.lowest is None or each.highest is None:
        return "cannot be said of so short a period"
    return f"{percent(each.lowest, 1)} to {percent(each.highest, 1)}"


def _limits(training: FinishedTraining) -> str:
    horizon = training.horizons[-1]
    score = next(each for each in training.served_scores if each.horizon_sessions == horizon)
    return _list(
        *(
            limit.format(
                fitted_through=training.fitted_through,
                horizon=horizon,
                sessions=f"{score.sessions:,}",
                independent=max(score.sessions // horizon, 1),
            )
            for limit in _LIMITS
        )
    )


def evidence_rows(evidence: Sequence[Evidence]) -> list[Row]:
    """Return comparisons as rows of a table."""
    return [
        {
            name: str(value) if name.endswith("_date") else value
            for name, value in vars(each).items()
        }
        for each in evidence
    ]


def _horizons(training: FinishedTraining) -> str:
    return _and([str(horizon) for horizon in training.horizons])


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _list(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)
