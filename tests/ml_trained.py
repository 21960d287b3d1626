"""Trainings for tests: of panels made up in ``ml_examples``, by models that fit at once."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from ml_examples import panel_of, random_walk

from ml.choice.champion import choose
from ml.forecasters import BASELINES, LSTM, Forecaster, forecaster_class
from ml.forecasters.lstm.settings import LstmSettings
from ml.panel import Panel
from ml.plans import TrainingPlan
from ml.records import TrainingIdentity
from ml.results import FitLoss, TrainingResult
from ml.splits import FoldPlan, walk_forward
from ml.training.fold_fits import fit_in_fold
from ml.training.out_of_sample import Record
from ml.training.policy_record import serve_folds
from ml.training.train import trained_model
from ml.work import Trial, Work
from models.vocabulary import TrainingProfile

IDENTITY = TrainingIdentity("sample", "quick", "method", "feature-hash", "snapshot", "code")
FITTED = (*BASELINES, "ridge")

TRIALS = (
    Trial(0, "complete", {"units": 16, "learning_rate": 1e-3}, 0.4, {1: 0.6, 2: 0.4}, 2.0),
    Trial(1, "pruned", {"units": 64, "learning_rate": 3e-3}, 0.9, {1: 0.9}, 1.0),
    Trial(2, "fail", {"units": 32, "learning_rate": 1e-2}, None, {}, 0.5),
)

LOSSES = tuple(
    FitLoss(LSTM, fold, f"lstm, seed {seed} of 2", epoch, 1.0 / epoch, 1.1 / epoch + 0.01 * seed)
    for fold in (1, 2, 0)
    for seed in (1, 2)
    for epoch in (1, 2, 3)
)


@cache
def small_training() -> TrainingResult:
    """What a training of the baselines and ridge gives; enough to fill a registry.

    A search and a network's losses are told of, though there is none.
    """
    kinds = {name: forecaster_class(name) for name in FITTED}
    return replace(
        training_of(panel_of(random_walk(1200, 4)), kinds, FoldPlan(folds=2, test_share=0.2)),
        trials=TRIALS,
        losses=LOSSES,
    )


def training_of(
    panel: Panel, kinds: Mapping[str, Callable[[], Forecaster]], folds: FoldPlan
) -> TrainingResult:
    """What a training of models that are made so gives."""
    plan = TrainingPlan(TrainingProfile.QUICK, 7, folds, LstmSettings())
    walk = walk_forward(len(panel), plan.folds)
    fits = tuple(
        {
            name: fit_in_fold(make(), panel, split, number, Work(plan.seed))
            for name, make in kinds.items()
        }
        for number, split in enumerate(walk.splits)
    )
    record = Record(panel, plan.horizons, walk, fits)
    return TrainingResult(
        plan=plan,
        models=tuple(trained_model(record, name, 3) for name in kinds),
        served=serve_folds(record),
        choice=choose(record.candidates()),
        trials=(),
        losses=(),
        sessions=panel.sessions,
        symbols=panel.symbols,
        test_outcomes=record.test.log_return,
        walk=walk,
    )


@cache
def brief_training() -> TrainingResult:
    """The same with three of the models and without a search, for what is done several times."""
    whole = small_training()
    names = {"expanding_mean", "ridge", whole.choice.model_name}
    models = tuple(model for model in whole.models if model.name in names)
    return replace(whole, models=models, trials=())


def of_model(result: TrainingResult, name: str, **changes: object) -> TrainingResult:
    """The training with one model changed."""
    models = [
        replace(model, **changes) if model.name == name else model  # type: ignore[arg-type]
        for model in result.models
    ]
    return replace(result, models=tuple(models))
