"""What the models are, what they are for, and how they were made and judged."""

from collections.abc import Sequence

from ml.card.plain_numbers import counted
from ml.card.words import bullets, joined
from ml.plans import TrainingPlan
from ml.records import FinishedTraining, FoldPeriods
from ml.results import TrainingResult
from models.vocabulary import Source

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
    "Validation flatters the model that was chosen by it, if by little: no setting was. Read the "
    "test; it was scored once and decided nothing.",
    "Models that serve were fitted through {fitted_through}. What changed since then they have "
    "not learned, though their inputs show it.",
    "Tests of {horizon} sessions overlap: {sessions} sessions hold about {independent} outcomes "
    "that do not. p values allow for that; small ones still come by chance when many are read.",
    "Intervals adapt to what was realised, so they widen after a shock, not before it.",
    "Symbols that training did not know are forecast, too, by what they have in common with "
    "others; no score here is about such symbols.",
)


def details(training: FinishedTraining, result: TrainingResult) -> str:
    """Say what was made, when and of what."""
    identity = training.identity
    models = ", ".join(f"{model.forecaster} {model.version}" for model in training.models)
    horizons = joined([str(each) for each in training.horizons])
    return bullets(
        f"Models and their versions: {models}.",
        f"Each forecasts mean and spread of log returns over {horizons} sessions.",
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
        f"after {lstm.patience_epochs} without a better loss on the last part of training, held out"
    )


def _search(training: FinishedTraining) -> str:
    states = training.trial_states
    if not states:
        return "none; the network's settings are those of the profile"
    parts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return (
        f"{counted(sum(states.values()), 'trial')} of the network's settings on the first fold's "
        f"training ({parts})"
    )


def use() -> str:
    """Say what forecasts are for, and what they are not for."""
    return (
        "Forecasts feed the allocation of portfolios once a session, shrunk towards what is "
        "expected without them by the weight that validation proves; they are stored with their "
        f"intervals and their reasons.\n\n{_NOT_FOR}"
    )


def data(training: FinishedTraining, result: TrainingResult) -> str:
    """Say where the data came from and what is wrong with them."""
    source = Source(training.identity.source)
    return (
        f"{UNIVERSES[source]}\n\n"
        f"Source `{source.value}`: {counted(training.symbols, 'symbol')}, "
        f"{len(result.sessions):,} sessions from {result.session(0)} to "
        f"{training.trained_through}; {counted(len(result.plan.features), 'feature')} at most, "
        "each as it was known at the session. What a source does not have is missing, never made "
        "up."
    )


def method(training: FinishedTraining, result: TrainingResult) -> str:
    """Say how models were judged."""
    gap = result.plan.folds.gap_sessions
    return (
        "Walk-forward: each fold learns from all sessions before its validation, and chooses "
        "settings within them; validation measures, and the model that serves is chosen by it; the "
        f"test is scored once; {gap} sessions are left out between them, "
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


def limits(training: FinishedTraining) -> str:
    """Say what cannot be concluded."""
    horizon = training.horizons[-1]
    score = next(each for each in training.served_scores if each.horizon_sessions == horizon)
    return bullets(
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
