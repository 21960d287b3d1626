"""Whole trainings of a small panel: what they give, how they are resumed, what they tell."""

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from ml_examples import panel_of, random_walk

from ml.errors import SplitError
from ml.forecasters import BASELINES, LSTM, MODELS
from ml.forecasters.lstm.settings import LstmSettings
from ml.panel import Panel
from ml.plans import SearchPlan, TrainingPlan
from ml.results import TrainingResult
from ml.scores import OutOfSample
from ml.splits import FoldPlan
from ml.training.train import train_models
from ml.work import TrainingProgress, TrainingWork, Trial
from models.vocabulary import ScoredPeriod, TrainingProfile

PLAN = TrainingPlan(
    TrainingProfile.FULL,
    seed=3,
    folds=FoldPlan(folds=1, test_share=0.2),
    lstm=LstmSettings(
        window_sessions=5,
        units=(4,),
        batch_size=128,
        samples_per_epoch=512,
        stopping_samples=256,
        epochs=2,
        patience_epochs=2,
        seeds=2,
    ),
    search=SearchPlan(
        trials=2, layers=(1,), units=(4,), windows=(5, 8), batches=(128,), epochs=2,
        startup_trials=2,
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def panel() -> Panel:
    """A panel of which one feature is never there."""
    made = panel_of(random_walk(1500, 4))
    values = np.concatenate([made.values, np.full_like(made.values[..., :1], np.nan)], axis=-1)
    return replace(made, features=(*made.features, "silent"), values=values)


@pytest.fixture(scope="module")
def told() -> tuple[list[TrainingProgress], list[Trial]]:
    return [], []


@pytest.fixture(scope="module")
def result(panel: Panel, told: tuple[list[TrainingProgress], list[Trial]]) -> TrainingResult:
    """A training that nothing interrupts, and that keeps nothing."""
    progress, trials = told
    return train_models(
        panel, PLAN, TrainingWork(listener=progress.append, trial_listener=trials.append)
    )


def arrays(forecasts: OutOfSample) -> list[np.ndarray]:
    return list(asdict(forecasts).values())


def assert_same(one: TrainingResult, other: TrainingResult) -> None:
    """All that was found out is equal to the bit; how long trials took is not compared."""
    for mine, yours in zip(one.models, other.models, strict=True):
        assert mine.name == yours.name
        assert mine.scores == yours.scores
        assert mine.symbol_scores == yours.symbol_scores
        assert mine.trials == yours.trials
        for ours, theirs in (
            (mine.validation, yours.validation),
            (mine.test, yours.test),
        ):
            for left, right in zip(arrays(ours), arrays(theirs), strict=True):
                np.testing.assert_array_equal(left, right)
        assert mine.calibration.confidence == yours.calibration.confidence
    assert one.plan == other.plan
    assert one.choice == other.choice
    assert one.served.scores == other.served.scores
    assert set(one.losses) == set(other.losses)
    assert [each.settings for each in one.trials] == [each.settings for each in other.trials]
    assert [each.losses for each in one.trials] == [each.losses for each in other.trials]


def stop_at(part: str, step: int) -> Callable[[TrainingProgress], None]:
    def listen(progress: TrainingProgress) -> None:
        if progress.part == part and progress.step and progress.step.done == step:
            raise KeyboardInterrupt

    return listen


def test_every_model_is_scored_on_the_same_sessions_of_validation_and_test(
    result: TrainingResult,
) -> None:
    assert tuple(model.name for model in result.models) == MODELS
    validated = [position for split in result.walk.splits for position in split.validation]
    tested = [position for fold in result.walk.folds for position in fold.test]
    for model in result.models:
        np.testing.assert_array_equal(model.validation.positions, validated)
        np.testing.assert_array_equal(model.test.positions, tested)
        for horizon in PLAN.horizons:
            for period in (ScoredPeriod.VALIDATION, ScoredPeriod.TEST):
                assert model.score(period, horizon).forecasts > 0
    assert result.test_outcomes.shape == result.models[0].test.mean.shape


def test_models_were_fitted_before_what_they_are_judged_by(result: TrainingResult) -> None:
    assert result.trained_through == result.session(1499)
    assert result.fitted_through == result.session(result.walk.serving.train[-1] + 21)
    assert result.fitted_through < result.session(result.walk.serving.validation[0])


def test_seeds_and_trials_are_counted(result: TrainingResult) -> None:
    assert result[LSTM].score(ScoredPeriod.TEST, 21).seeds == 2
    assert result[LSTM].trials == len(result.trials) == 2
    members = [model.trials for model in result.models if model.name not in ("naive", "average")]
    assert result["average"].trials == sum(members)


def test_settings_of_the_best_trial_serve_in_all_folds(result: TrainingResult) -> None:
    chosen = min(
        (each for each in result.trials if each.state == "complete"),
        key=lambda each: each.held_out_loss or 0.0,
    )
    assert result.plan.lstm.window_sessions == chosen.settings["window_sessions"]
    assert result.plan.lstm.learning_rate == chosen.settings["learning_rate"]
    assert result.plan.lstm.seeds == 2
    forecaster = result[LSTM].forecaster
    assert forecaster.state()["settings"]["learning_rate"] == chosen.settings["learning_rate"]


def test_what_the_choices_would_have_served_is_scored_like_a_model(result: TrainingResult) -> None:
    served = result.served
    assert [fold.test_start for fold in served.folds] == [
        result.session(result.walk.folds[0].test[0])
    ]
    assert all(0 <= weight <= 1 for fold in served.folds for weight in fold.confidence)
    mean, benchmark = served.test.mean, result["expanding_mean"].test.mean
    if served.folds[0].choice.model_name == "expanding_mean" or not any(served.folds[0].confidence):
        np.testing.assert_array_equal(mean, benchmark)
    assert {each.horizon_sessions for each in served.scores} == set(PLAN.horizons)


def test_on_a_random_walk_a_baseline_serves(result: TrainingResult) -> None:
    assert result.choice.model_name in BASELINES
    assert "does not beat" in result.choice.reason


def test_progress_never_goes_back_and_ends_with_nothing_left(
    result: TrainingResult, told: tuple[list[TrainingProgress], list[Trial]]
) -> None:
    progress, trials = told
    shares = [each.share for each in progress]
    assert shares == sorted(shares)
    assert progress[-1].done == progress[-1].total
    assert progress[-1].share == pytest.approx(1.0)
    assert progress[-1].seconds_left == pytest.approx(0.0, abs=1e-6)
    assert any(each.part == "lstm, fold 1 of 1" and each.step for each in progress)
    assert [each.number for each in trials] == [each.number for each in result.trials]


@pytest.mark.long
def test_a_training_that_was_interrupted_ends_as_if_it_had_not_been(
    panel: Panel, result: TrainingResult, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="ml")
    kept = TrainingWork(folder=tmp_path, search_url=f"sqlite:///{tmp_path / 'search.db'}")
    for stop in (stop_at("trial 2 of the search", 1), stop_at("lstm, to serve", 2)):
        with pytest.raises(KeyboardInterrupt):
            train_models(panel, PLAN, replace(kept, listener=stop))
    assert_same(train_models(panel, PLAN, kept), result)

    forecasts = tmp_path / "fold_1" / "ridge" / "fitted" / "forecasts.npz"
    forecasts.write_bytes(forecasts.read_bytes()[:1000])
    told: list[TrainingProgress] = []
    assert_same(train_models(panel, PLAN, replace(kept, listener=told.append)), result)
    assert forecasts.stat().st_size > 1000, "what is damaged is fitted again"
    assert not any(each.step for each in told), "nothing else is; ridge tells of no step"
    assert not any("search" in each.part for each in told), "no trial is told of that did not run"
    said = [message for message in caplog.messages if "without news" in message]
    assert said == ["features without news: missing throughout training: silent"] * 4, "once each"


def test_too_short_a_history_is_refused_before_anything_is_fitted(panel: Panel) -> None:
    with pytest.raises(SplitError, match="sessions in the feature file = '700'"):
        train_models(panel.until(panel.session(699)), PLAN)
