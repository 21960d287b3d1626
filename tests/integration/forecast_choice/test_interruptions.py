"""Trainings that failed, were killed or got lost, and two at once."""

import shutil
from typing import Any

import pytest
import sqlalchemy as sa
from choice_examples import BETWEEN, given
from ml_examples import LAST_SESSION
from ml_registry import new_registry, statuses
from stored import rows

import ml.training.train
from ml.panel import Panel
from ml.plans import TrainingPlan
from ml.results import TrainingResult
from ml.work import TrainingWork
from pipelines.errors import HomeError, ModelError
from pipelines.forecast import ModelChoice, train
from pipelines.settings import Settings
from pipelines.store import tables, transaction


def test_a_training_that_was_killed_before_the_store_knew_is_taken_up(
    last: tuple[Settings, ModelChoice],
) -> None:
    settings, first = last
    with transaction(settings) as connection:
        for name in ("model_choice", "model_score", "model_evidence", "model_symbol_score"):
            connection.execute(sa.delete(tables[name]))
    again = train(settings, LAST_SESSION)
    assert (again.decision, again.training_run_id) == ("retrained", first.training_run_id)
    assert given == []
    assert rows(settings, "model_score")


def test_a_store_that_was_lost_finds_its_trainings_in_the_registry(
    early: tuple[Settings, ModelChoice],
) -> None:
    settings, first = early
    with transaction(settings) as connection:
        for name in ("model_choice", "model_score", "model_evidence", "model_symbol_score"):
            connection.execute(sa.delete(tables[name]))
    again = train(settings, BETWEEN)
    assert (again.decision, again.training_run_id) == ("kept", first.training_run_id)
    assert given == []


def test_a_training_that_fails_registers_and_writes_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml.errors import TrainingError

    def fail(*_: Any) -> TrainingResult:
        raise TrainingError("labels", 0, "there is none", "Load more history.")

    monkeypatch.setattr(ml.training.train, "train_models", fail)
    with pytest.raises(ModelError, match=r"labels = '0': there is none. Load more history"):
        train(settings, LAST_SESSION)
    assert statuses(settings.mlflow) == ["training FAILED"]
    assert rows(settings, "model_choice") == rows(settings, "model_score") == []


def test_two_trainings_at_once_would_write_into_one_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_in_the_middle_of_another(*_: Any) -> TrainingResult:
        train(settings, LAST_SESSION)
        raise AssertionError("the second one was let through")

    monkeypatch.setattr(ml.training.train, "train_models", train_in_the_middle_of_another)
    with pytest.raises(HomeError, match="another training is under way on it"):
        train(settings, LAST_SESSION)


def test_a_failed_training_leaves_its_work_to_the_next_and_old_work_goes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    abandoned = settings.home / "training" / "of-other-data"
    abandoned.mkdir(parents=True)
    seen: list[list[str]] = []

    def killed(_panel: Panel, _plan: TrainingPlan, work: TrainingWork, _: Any) -> TrainingResult:
        assert work.folder is not None
        seen.append(sorted(path.name for path in work.folder.iterdir()))
        (work.folder / "fold_1").mkdir(exist_ok=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(ml.training.train, "train_models", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(settings, LAST_SESSION)
    assert seen == [[], ["fold_1"]]
    assert not abandoned.exists()


def test_a_training_that_is_gone_from_the_registry_is_replaced(
    early: tuple[Settings, ModelChoice],
) -> None:
    settings, first = early
    shutil.rmtree(settings.mlflow)
    new_registry(settings.mlflow)
    second = train(settings, BETWEEN)
    assert second.decision == "retrained"
    assert f"{first.training_run_id}, is gone from the registry" in second.reason
