"""Trainings in the registry: found with all that is known of them, loaded by number."""

from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from ml_examples import feature_table, panel_of, random_walk
from ml_registry import client_of, new_registry, runs_of
from ml_trained import IDENTITY, TRIALS, brief_training, of_model, small_training

from ml.errors import ModelNotFoundError
from ml.forecasters import LSTM
from ml.panel.reading import panel_from_table
from ml.records import FinishedTraining
from ml.results import Choice, TrainingResult
from ml.serving import OUTPUT_KEY, OUTPUTS, ServingModel
from ml.tracking import Registry
from ml.work import TrainingProgress
from models.vocabulary import ModelRole, ScoredPeriod


@pytest.fixture(scope="module")
def result() -> TrainingResult:
    return small_training()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry") / "mlflow"


@pytest.fixture(scope="module")
def registry(folder: Path) -> Registry:
    return new_registry(folder)


@pytest.fixture(scope="module")
def first(registry: Registry, result: TrainingResult) -> FinishedTraining:
    """The first training; its versions are number 1."""
    with registry.training(IDENTITY) as run:
        run.on_trial(TRIALS[0])
        run.on_progress(TrainingProgress("lstm, fold 1 of 2", 1, 12, 0.25, 90.0, None))
        return run.finish(result)


@pytest.fixture(scope="module")
def second(registry: Registry, result: TrainingResult, first: FinishedTraining) -> FinishedTraining:
    """A later training on the same data, by which ridge is another one and becomes champion."""
    calibration = replace(result["ridge"].calibration, confidence=(0.5, 0.25))
    changed = of_model(result, "ridge", calibration=calibration)
    choice = Choice("ridge", ModelRole.CHAMPION, "ridge beats all", result.choice.evidence)
    with registry.training(replace(IDENTITY, code_version="newer"), first) as run:
        return run.finish(replace(changed, choice=choice))


def test_a_finished_training_is_found_with_all_that_is_known_of_it(
    registry: Registry, result: TrainingResult, first: FinishedTraining
) -> None:
    found = registry.finished_training(first.run_id)
    assert found == first
    assert found.identity == IDENTITY
    assert [model.forecaster for model in found.models] == [each.name for each in result.models]
    assert {model.version for model in found.models} == {1}
    for model, trained in zip(found.models, result.models, strict=True):
        assert model.scores == trained.scores
        assert model.confidence == trained.calibration.confidence
    assert found.choice == result.choice
    assert found.served_scores == result.served.scores
    assert found.served_folds == result.served.folds
    assert found.fitted_through == result.fitted_through < result.trained_through
    assert found.trained_through == result.trained_through
    assert [fold.test_start for fold in found.folds] == [
        result.session(fold.test[0]) for fold in result.walk.folds
    ] + [None]
    assert found.trial_states == {"complete": 1, "pruned": 1, "fail": 1}


def test_what_serves_is_a_version_with_its_role_and_the_weight_it_has_earned(
    first: FinishedTraining, second: FinishedTraining
) -> None:
    assert first.serving.role is ModelRole.BASELINE
    assert (first.serving.version, first.serving.training_run_id) == (1, first.run_id)
    assert first.serving.run_id == first[first.serving.forecaster].run_id
    assert (second.serving.forecaster, second.serving.version) == ("ridge", 2)
    assert second.serving.confidence == (0.5, 0.25)


def test_of_two_trainings_on_the_same_data_the_one_finished_last_comes_first(
    registry: Registry, first: FinishedTraining, second: FinishedTraining
) -> None:
    assert registry.finished("sample") == [second, first]
    assert registry.finished("sample", "quick", "method") == [second, first]
    assert registry.finished("sample", "full") == []
    assert registry.finished("files") == []


def test_a_version_is_loaded_by_its_number_even_when_there_is_a_newer_one(
    registry: Registry, result: TrainingResult, second: FinishedTraining
) -> None:
    older, newer = (registry.load("smartinvest-ridge", number) for number in (1, 2))
    assert older.calibration.confidence == result["ridge"].calibration.confidence
    assert newer.calibration.confidence == (0.5, 0.25)
    panel = panel_of(random_walk(1200, 4))
    original = ServingModel(result["ridge"].forecaster, result["ridge"].calibration)
    assert older.forecast_last(panel) == original.forecast_last(panel)


def test_scores_of_single_symbols_are_kept_to_the_bit(
    registry: Registry, result: TrainingResult, first: FinishedTraining
) -> None:
    scores = registry.symbol_scores(first).of_model
    assert scores["ema"] == result["ema"].symbol_scores
    assert scores["served"] == result.served.symbol_scores


def test_a_champion_is_compared_by_the_validation_forecasts_it_made(
    registry: Registry, result: TrainingResult, first: FinishedTraining, second: FinishedTraining
) -> None:
    assert registry.incumbent(first, "method") is None  # a baseline is no champion
    incumbent = registry.incumbent(second, "method")
    assert incumbent is not None
    assert (incumbent.name, incumbent.version, incumbent.same_method) == ("ridge", 2, True)
    validation = result["ridge"].validation
    np.testing.assert_array_equal(incumbent.record.mean, validation.mean)
    np.testing.assert_array_equal(incumbent.record.sessions, result.sessions[validation.positions])
    newer_method = registry.incumbent(second, "another method")
    assert newer_method is not None
    assert not newer_method.same_method


@pytest.mark.long
def test_a_champion_that_is_kept_goes_on_to_serve_as_the_version_that_it_was(
    tmp_path: Path,
) -> None:
    result = brief_training()
    registry = new_registry(tmp_path / "mlflow")
    won = Choice("ridge", ModelRole.CHAMPION, "ridge beats all", result.choice.evidence)
    with registry.training(IDENTITY) as run:
        champion = run.finish(replace(result, choice=won))
    kept = replace(won, reason="ridge stays", kept=True)
    with registry.training(replace(IDENTITY, method="newer"), champion) as run:
        later = run.finish(replace(result, choice=kept))
    assert later.serving == champion.serving
    assert later.serving.training_run_id == champion.run_id != later.run_id
    incumbent = registry.incumbent(later, "newer")
    assert incumbent is not None
    assert (incumbent.version, incumbent.same_method) == (1, False)


def test_a_version_or_training_that_is_not_there_is_a_clear_error(
    registry: Registry, first: FinishedTraining
) -> None:
    with pytest.raises(ModelNotFoundError, match=r"model smartinvest-sma, version = '7'"):
        registry.load("smartinvest-sma", 7)
    with pytest.raises(ModelNotFoundError, match=r"training run = 'feed'.*does not know it"):
        registry.finished_training("feed")
    with pytest.raises(ModelNotFoundError, match="it is FINISHED"):
        registry.finished_training(first["ema"].run_id)


def test_mlflow_itself_loads_and_runs_a_registered_model(
    registry: Registry, folder: Path, first: FinishedTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model("models:/smartinvest-ema/1")
    table = feature_table(random_walk(1200, 4))
    frame = table.to_pandas()
    frame["session_date"] = pd.to_datetime(frame["session_date"])
    forecasts = model.predict(frame)
    assert list(forecasts.columns) == [*OUTPUT_KEY, *OUTPUTS]
    assert [column.name for column in model.metadata.signature.outputs] == [*OUTPUT_KEY, *OUTPUTS]
    expected = registry.load("smartinvest-ema", 1).forecast_last(panel_from_table(table, "test"))
    assert forecasts["expected_log_return"].tolist() == [
        each.expected_log_return for each in expected
    ]
    assert set(forecasts["horizon_sessions"]) == {5, 21}


def test_mlflow_refuses_rows_that_lack_what_every_model_needs(
    folder: Path, first: FinishedTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model("models:/smartinvest-naive/1")
    frame = feature_table(random_walk(300, 2)).to_pandas().drop(columns="log_return_1d")
    frame["session_date"] = pd.to_datetime(frame["session_date"])
    with pytest.raises(mlflow.MlflowException, match="log_return_1d"):
        model.predict(frame)


def test_every_score_is_a_metric_of_the_models_run(
    folder: Path, result: TrainingResult, first: FinishedTraining
) -> None:
    run = client_of(folder).get_run(first["ema"].run_id)
    score = result["ema"].score(ScoredPeriod.TEST, 21)
    assert run.data.metrics["test_21_sessions/rmse_to_naive"] == score.rmse_to_naive
    assert run.data.metrics["test_21_sessions/dm_mean_p_value"] == score.dm_mean_p_value
    assert run.data.metrics["confidence/5_sessions"] == result["ema"].calibration.confidence[0]
    assert run.data.params["trials"] == "3"
    assert run.data.params["lines_21.window"] == first["ema"].settings["lines_21.window"]


def test_each_trial_is_a_run_below_the_search_once(folder: Path, first: FinishedTraining) -> None:
    runs = {run.info.run_id: run for run in runs_of(folder)}
    trials = sorted(
        (
            run
            for run in runs.values()
            if run.data.tags["smartinvest.kind"] == "trial"
            and run.data.tags["smartinvest.training_run_id"] == first.run_id
        ),
        key=lambda run: run.info.run_name,
    )
    assert [run.data.tags["smartinvest.trial_state"] for run in trials] == [
        "complete",
        "pruned",
        "fail",
    ]
    assert [run.info.status for run in trials] == ["FINISHED", "KILLED", "FAILED"]
    assert trials[1].data.params == {"units": "64", "learning_rate": "0.003"}
    history = client_of(folder).get_metric_history(trials[0].info.run_id, "held_out_loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.6), (2, 0.4)]
    search = runs[trials[0].data.tags["mlflow.parentRunId"]]
    assert search.data.tags["mlflow.parentRunId"] == first.run_id
    assert search.data.params["best_trial"] == "1"


def test_progress_is_seen_while_a_training_is_under_way(
    folder: Path, first: FinishedTraining
) -> None:
    history = client_of(folder).get_metric_history(first.run_id, "progress/percent")
    assert [(metric.step, metric.value) for metric in history] == [(250, 25.0), (1000, 100.0)]
    left = client_of(folder).get_metric_history(first.run_id, "progress/seconds_left")
    assert [metric.value for metric in left] == [90.0, 0.0]


def test_losses_of_a_network_are_told_by_fold_seed_and_epoch(
    tmp_path: Path,
) -> None:
    """The losses are those of an LSTM; here ridge stands in for the network."""
    result = brief_training()
    losses = tuple(replace(loss, model_name="ridge") for loss in result.losses)
    registry = new_registry(tmp_path / "mlflow")
    with registry.training(IDENTITY) as run:
        record = run.finish(replace(result, losses=losses))
    client = client_of(tmp_path / "mlflow")
    history = client.get_metric_history(
        record["ridge"].run_id, "fold_2/held_out_loss_lstm_seed_2_of_2"
    )
    wanted = [
        (loss.step, loss.held_out_loss)
        for loss in losses
        if loss.fold == 2 and loss.what == f"{LSTM}, seed 2 of 2"
    ]
    assert [(metric.step, metric.value) for metric in history] == wanted
