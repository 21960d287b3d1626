"""Homes in which trainings serve: what a training gives is small and tested elsewhere."""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ml_examples import LAST_SESSION, dates_of, feature_table, random_walk
from ml_published import publish_features
from ml_registry import new_registry
from ml_trained import brief_training
from new_stores import make_store

import ml.training.train
from ml.choice.validation_record import Incumbent
from ml.panel import Panel
from ml.plans import TrainingPlan
from ml.results import Choice, TrainingResult
from ml.work import TrainingWork
from models.vocabulary import ModelRole
from pipelines.sessions import session_after
from pipelines.settings import Settings, load_settings

RETURNS = random_walk(sessions=400, symbols=3)
TABLE = feature_table(RETURNS)
EARLIER = session_after(LAST_SESSION, -64)
BETWEEN = session_after(LAST_SESSION, -40)

given: list[tuple[Incumbent | None, TrainingWork]] = []
"""What each training of a test was given."""


def train_at_once(
    panel: Panel, plan: TrainingPlan, work: TrainingWork, incumbent: Incumbent | None
) -> TrainingResult:
    """A training's result as of the panel's last session."""
    given.append((incumbent, work))
    result = brief_training()
    end = int(np.searchsorted(dates_of(2000), panel.session(len(panel) - 1))) + 1
    dates = np.array(dates_of(2000)[end - len(result.sessions) : end], "datetime64[D]")
    return replace(result, plan=plan, sessions=dates)


@contextmanager
def trainings_at_once() -> Iterator[None]:
    """Train like that, which takes a minute otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ml.training.train, "train_models", train_at_once)
        yield


def features_through(session: dt.date) -> pa.Table:
    return TABLE.filter(pc.less_equal(TABLE["session_date"], pa.scalar(session, pa.date32())))


def prepared(home: Path) -> Settings:
    """A home with a store, an empty registry, and builds of three sessions."""
    settings = load_settings({}, home=home)
    settings.home.mkdir(parents=True)
    make_store(settings)
    new_registry(settings.mlflow)
    for session in (EARLIER, BETWEEN, LAST_SESSION):
        publish_features(settings, features_through(session))
    return settings


def copied(made: Settings, folder: Path) -> Settings:
    """A home with what another one holds; what is registered stays where it is."""
    shutil.copytree(made.home, folder / "home", symlinks=True)
    return load_settings({}, home=folder / "home")


def champion_training(
    panel: Panel, plan: TrainingPlan, work: Any, incumbent: Any
) -> TrainingResult:
    result = train_at_once(panel, plan, work, incumbent)
    if incumbent is None:
        return replace(result, choice=Choice("ridge", ModelRole.CHAMPION, "it is better", ()))
    stays = Choice("ridge", ModelRole.CHAMPION, "the champion in service stays", (), kept=True)
    return replace(result, choice=stays)
