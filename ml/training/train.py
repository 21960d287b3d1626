"""One training: all models in all folds, scored out of sample, and the choice that serves."""

import logging
from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Any

from ml.choice.champion import choose
from ml.choice.validation_record import Incumbent
from ml.evaluation import score
from ml.forecasters import AVERAGE, LSTM, MODELS, Forecaster, forecaster_class
from ml.intervals.calibration import Calibration
from ml.panel import Panel
from ml.plans import TrainingPlan
from ml.results import TrainedModel, TrainingResult
from ml.scaling import Standardiser
from ml.splits import WalkForward, walk_forward
from ml.training.costs import fit_cost
from ml.training.fold_fits import FoldFit, average_of, fit_in_fold, is_kept
from ml.training.network_settings import find_settings, trial_parts
from ml.training.out_of_sample import Record, at, calibrate, cut, join
from ml.training.policy_record import serve_folds
from ml.training.progress import Part, TrainingTeller
from ml.work import TrainingWork, Trial, Work
from models.vocabulary import ScoredPeriod

logger = logging.getLogger(__name__)

SUSPICIOUS_R2 = 0.02

FITTED = tuple(name for name in MODELS if name != AVERAGE)
"""Models that are fitted; the average is made of their forecasts."""

ALONE = TrainingWork()


def train_models(
    panel: Panel,
    plan: TrainingPlan,
    work: TrainingWork = ALONE,
    incumbent: Incumbent | None = None,
) -> TrainingResult:
    """Fit all models in each fold and once more to serve, score them, and choose by validation.

    A training that was killed goes on where the work's folder says, and ends with the same result.

    Raises
    ------
    SplitError, TrainingError
        The panel is too short or too empty.
    TrackingError
        The search's database cannot be used.
    """
    walk = walk_forward(len(panel), plan.folds)
    _name_features_left_out(panel, walk)
    teller = TrainingTeller(parts_of(len(panel.symbols), walk, plan), work.listener)
    plan, trials = find_settings(panel, walk.folds[0], plan, work, teller)
    fits = tuple(
        _fit_split(panel, walk, number, plan, work, teller) for number in range(len(walk.splits))
    )
    record = Record(panel, plan.horizons, walk, fits)
    tried = _tried(fits[-1], trials)
    return TrainingResult(
        plan=plan,
        models=tuple(trained_model(record, name, tried[name]) for name in fits[-1]),
        served=serve_folds(record),
        choice=choose(record.candidates(), incumbent),
        trials=trials,
        losses=tuple(chain.from_iterable(fit.losses for each in fits for fit in each.values())),
        sessions=panel.sessions,
        symbols=panel.symbols,
        test_outcomes=record.test.log_return,
        walk=walk,
    )


def _name_features_left_out(panel: Panel, walk: WalkForward) -> None:
    """Say once what models that serve will not look at; each fit finds its own again."""
    left_out = Standardiser.fit(panel, walk.serving.train).left_out_in_words
    if left_out:
        logger.info("features without news: %s", left_out)


def _fit_split(
    panel: Panel,
    walk: WalkForward,
    number: int,
    plan: TrainingPlan,
    work: TrainingWork,
    teller: TrainingTeller,
) -> dict[str, FoldFit]:
    split = walk.splits[number]
    fold = number + 1 if number < len(walk.folds) else 0
    fits = {}
    for name in FITTED:
        part = _part_name(name, number, walk)
        folder = work.folder and work.folder / (f"fold_{fold}" if fold else "serving") / name
        kept = is_kept(folder)
        teller.begin(part)
        fit = Work(plan.seed, folder, partial(teller.step, part))
        fits[name] = fit_in_fold(_unfitted(name, plan), panel, split, fold, fit)
        teller.end(part, worked=not kept)
    fits[AVERAGE] = average_of({name: fits[name] for name in FITTED if name != "naive"})
    return fits


def _unfitted(name: str, plan: TrainingPlan) -> Forecaster:
    options: dict[str, Any] = {
        LSTM: {"settings": plan.lstm},
        "lightgbm": {"seeds": plan.lstm.seeds},
    }
    return forecaster_class(name)(plan.horizons, **options.get(name, {}))


def _tried(fits: Mapping[str, FoldFit], trials: tuple[Trial, ...]) -> dict[str, int]:
    """Return how many settings each model was chosen from; those of the average's members add."""
    tried = {name: fits[name].forecaster.trials for name in FITTED}
    tried[LSTM] = max(tried[LSTM], len(trials))
    tried[AVERAGE] = sum(tried[name] for name in FITTED if name != "naive")
    return tried


def trained_model(record: Record, name: str, tried: int) -> TrainedModel:
    """Score a model on validation and test, and calibrate it to serve; say where it is too good."""
    held = [
        calibrate(record, number, fits[name].forecasts, fits[name].seeds)
        for number, fits in enumerate(record.fits)
    ]
    splits = record.walk.splits
    validation = join(
        [at(part, split.validation) for part, split in zip(held, splits, strict=True)]
    )
    test = join([at(part, fold.test) for part, fold in zip(held, record.walk.folds, strict=False)])
    validated = score(record.validation, validation, ScoredPeriod.VALIDATION)
    tested = score(record.test, test, ScoredPeriod.TEST)
    for each in (*validated.scores, *tested.scores):
        if (each.r2_out_of_sample or 0.0) > SUSPICIOUS_R2:
            logger.warning(
                "%s has an out-of-sample R2 of %.4f on %s, %d sessions ahead: suspect leakage",
                name, each.r2_out_of_sample, each.period.value, each.horizon_sessions,
            )  # fmt: skip
    return TrainedModel(
        forecaster=record.fits[-1][name].forecaster,
        calibration=_to_serve(record, name),
        trials=tried,
        scores=(*validated.scores, *tested.scores),
        symbol_scores=tested.symbol_scores,
        coverage=tested.coverage,
        validation=validation,
        test=test,
    )


def _to_serve(record: Record, name: str) -> Calibration:
    """Calibrate on all validations, then follow what was realised since the last one."""
    split = record.walk.serving
    ranges = [each.validation for each in record.walk.splits]
    calibration = Calibration.fit(record.pooled(name, ranges), record.validation)
    since = range(split.validation.stop, split.test.stop)
    later = cut(record.fits[-1][name].forecasts, split, since)
    return calibration.follow(later, record.outcomes_at(since), record.sessions_at(since))[1]


def parts_of(symbols: int, walk: WalkForward, plan: TrainingPlan) -> list[Part]:
    """Return the parts of a training, with what each costs."""
    return [*trial_parts(plan), *_fits(symbols, walk, plan)]


def _fits(symbols: int, walk: WalkForward, plan: TrainingPlan) -> list[Part]:
    return [
        Part(_part_name(name, number, walk), fit_cost(name, symbols, split, plan))
        for number, split in enumerate(walk.splits)
        for name in FITTED
    ]


def _part_name(name: str, number: int, walk: WalkForward) -> str:
    folds = len(walk.folds)
    return f"{name}, fold {number + 1} of {folds}" if number < folds else f"{name}, to serve"
