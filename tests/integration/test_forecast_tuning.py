"""A search in shares, from the build of a session to the training that finds it done."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from dag_tasks import call_task
from new_stores import make_store
from shared_builds import SESSION, small_build

from ml.plans import TrainingPlan
from ml.search.trials import Report, best, run_trials, search
from models.vocabulary import TrainingProfile
from pipelines.errors import ModelError, SettingError
from pipelines.forecast import begin_tuning, finish_tuning
from pipelines.forecast.training import study_name
from pipelines.model_choices import training_method
from pipelines.settings import Settings, load_settings
from pipelines.warehouse.publication import point

SEED = 3
PLAN = TrainingPlan.of_profile("full", SEED)


def learn(_place: int, settings: Mapping[str, Any], report: Report) -> None:
    """Cost nothing; the loss is lowest for many units and little dropout."""
    report(1, 1 / settings["units"] + settings["dropout"])


def nothing_is_left(_place: int, _settings: Mapping[str, Any], _report: Report) -> None:
    raise AssertionError("a trial was tried again")


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home whose session has a build, and nothing of a search."""
    settings = load_settings({}, home=tmp_path / "home", training_profile="full", seed=SEED)
    point(settings, small_build(settings))
    return settings


def test_shares_that_are_run_apart_are_the_search_that_the_training_finds_done(
    home: Settings,
) -> None:
    assert PLAN.search is not None
    tuning = begin_tuning(home, SESSION)
    assert (tuning.trials, tuning.settled) == (PLAN.search.trials, 0)
    with pytest.raises(ModelError, match="there should be 20"):
        finish_tuning(home, SESSION)
    for most in tuning.shares(3):
        run_trials(PLAN.search, SEED, learn, home.search_url, tuning.study, most)

    report = finish_tuning(home, SESSION)

    build = small_build(home.model_copy(update={"home": home.home / "again"}))
    study = study_name(build, training_method(home, build))
    found = search(PLAN.search, SEED, nothing_is_left, home.search_url, study)
    assert report.settings == best(found).settings
    assert report.held_out_loss == best(found).held_out_loss
    assert sum(report.states.values()) == len(found) == 20
    assert begin_tuning(home, SESSION).shares(3) == []


def test_a_profile_without_a_search_is_refused(home: Settings) -> None:
    with pytest.raises(SettingError, match="nothing to search"):
        begin_tuning(home.model_copy(update={"training_profile": TrainingProfile.QUICK}), SESSION)


@pytest.mark.long
def test_the_dag_cuts_what_is_left_into_the_shares_that_are_asked_for(home: Settings) -> None:
    make_store(home)
    done = call_task(home, "tune", "begin", session=SESSION.isoformat(), shares=3)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["7", "7", "6"]
