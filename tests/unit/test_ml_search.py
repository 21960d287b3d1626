"""The search itself, with objectives that cost nothing."""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ml.errors import TrackingError, TrainingError
from ml.owner import HOST_TAG, owner_tags
from ml.plans import SearchPlan
from ml.search.retention import remove_studies
from ml.search.study import HEARTBEAT, OWNER, Heartbeat, open_study
from ml.search.trials import Report, best, found_trials, run_trials, search
from ml.work import Trial

PLAN = SearchPlan(trials=9, startup_trials=3, batch_trials=2)
EPOCHS = 3


def loss_of(settings: Mapping[str, Any]) -> float:
    """Lowest at a learning rate of 1e-3, more units, two layers."""
    distance = abs(settings["learning_rate"] - 1e-3) / 1e-3
    return float(distance + 16 / settings["units"] + 1 / settings["layers"])


def learn(_place: int, settings: Mapping[str, Any], report: Report) -> None:
    for epoch in range(1, EPOCHS + 1):
        report(epoch, loss_of(settings) + 1 / epoch)


def outcomes(trials: tuple[Trial, ...]) -> list[tuple[str, Mapping[str, Any], float | None]]:
    return [(trial.state, trial.settings, trial.held_out_loss) for trial in trials]


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'search.db'}"


def worker(url: str, place_to_die: int | None, path: Path) -> None:
    def objective(place: int, settings: Mapping[str, Any], report: Report) -> None:
        if place == place_to_die:
            report(1, loss_of(settings) + 1)
            os.kill(os.getpid(), signal.SIGKILL)
        learn(place, settings, report)

    trials = search(PLAN, 7, objective, url)
    path.write_text(str(len(trials)))


def start(url: str, place_to_die: int | None, path: Path) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("spawn").Process(
        target=worker, args=(url, place_to_die, path)
    )
    process.start()
    return process


def test_the_best_trial_is_the_complete_one_of_the_lowest_loss() -> None:
    trials = search(PLAN, 7, learn)
    chosen = best(trials)
    assert chosen.held_out_loss == min(
        trial.held_out_loss or 0.0 for trial in trials if trial.state == "complete"
    )
    assert chosen.held_out_loss == pytest.approx(loss_of(chosen.settings) + 1 / EPOCHS)


def test_of_equal_trials_the_earliest_is_best() -> None:
    trials = search(PLAN, 7, lambda _place, _settings, report: report(1, 0.5))
    assert {trial.held_out_loss for trial in trials} == {0.5}
    assert best(trials).number == 0


def test_pruned_and_failed_trials_are_counted_and_heard_of() -> None:
    heard: list[Trial] = []

    def objective(place: int, settings: Mapping[str, Any], report: Report) -> None:
        if place == 1:
            raise TrainingError("labels", 0, "none", "more")
        report(1, float("nan") if place == 2 else loss_of(settings))
        learn(place, settings, report)

    plan = replace(PLAN, batch_trials=1)
    trials = search(plan, 7, objective, trial_listener=heard.append)
    states = [trial.state for trial in trials]
    assert len(trials) == plan.trials
    assert states[1:3] == ["fail", "fail"] and "pruned" in states
    assert outcomes(tuple(heard)) == outcomes(trials)


def test_the_same_seed_gives_the_same_trials_and_another_seed_others() -> None:
    assert outcomes(search(PLAN, 7, learn)) == outcomes(search(PLAN, 7, learn))
    assert outcomes(search(PLAN, 7, learn)) != outcomes(search(PLAN, 8, learn))


def test_an_interrupted_search_goes_on_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    tried: list[int] = []

    def interrupted(place: int, settings: Mapping[str, Any], report: Report) -> None:
        report(1, loss_of(settings) + 1)
        if place == 3:
            raise KeyboardInterrupt
        learn(place, settings, report)

    def resumed(place: int, settings: Mapping[str, Any], report: Report) -> None:
        tried.append(place)
        learn(place, settings, report)

    with pytest.raises(KeyboardInterrupt):
        search(PLAN, 7, interrupted, url_in(tmp_path))
    trials = search(PLAN, 7, resumed, url_in(tmp_path))
    assert outcomes(trials) == outcomes(search(PLAN, 7, learn))
    assert tried == list(range(3, PLAN.trials))


def test_a_trial_killed_between_its_report_and_the_pruner_is_pruned_as_it_would_have_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    whole = search(PLAN, 7, learn)
    pruned = next(place for place, trial in enumerate(whole) if trial.state == "pruned")
    reported = optuna.Trial.report

    def killed_after(trial: optuna.Trial, value: float, step: int) -> None:
        reported(trial, value, step)
        if trial.number == pruned and step == len(whole[pruned].losses):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(optuna.Trial, "report", killed_after)
        search(PLAN, 7, learn, url_in(tmp_path))
    resumed = search(PLAN, 7, learn, url_in(tmp_path))
    assert outcomes(resumed) == outcomes(whole)
    assert [trial.losses for trial in resumed] == [trial.losses for trial in whole]


def test_a_search_that_is_over_tries_nothing_more(tmp_path: Path) -> None:
    first = search(PLAN, 7, learn, url_in(tmp_path))

    def forbidden(place: int, settings: Mapping[str, Any], report: Report) -> None:
        raise AssertionError("there is nothing left to try")

    assert search(PLAN, 7, forbidden, url_in(tmp_path)) == first


def test_the_trial_of_a_killed_worker_is_tried_again_and_counts_once(tmp_path: Path) -> None:
    killed = start(url_in(tmp_path), 4, tmp_path / "killed")
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    trials = search(PLAN, 7, learn, url_in(tmp_path))
    assert outcomes(trials) == outcomes(search(PLAN, 7, learn))


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_a_trial_of_another_machine_without_a_sign_of_life_is_tried_again(tmp_path: Path) -> None:
    heartbeat = Heartbeat(interval_seconds=1, grace_seconds=2)
    study = open_study(url_in(tmp_path), "search", heartbeat)
    trial = study.ask()
    trial.set_user_attr(OWNER, {**owner_tags(), HOST_TAG: "elsewhere"})
    study._storage.record_heartbeat(trial._trial_id)  # type: ignore[attr-defined]
    trials = search(PLAN, 7, learn, url_in(tmp_path), heartbeat=heartbeat)
    assert outcomes(trials) == outcomes(search(PLAN, 7, learn))


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.long)])
def test_any_number_of_workers_finds_what_one_finds(tmp_path: Path, workers: int) -> None:
    running = [start(url_in(tmp_path), None, tmp_path / str(number)) for number in range(workers)]
    for each in running:
        each.join(120)
        assert each.exitcode == 0
    alone = search(PLAN, 7, learn)
    assert found_trials(PLAN, url_in(tmp_path), "search") == tuple(
        replace(trial, seconds=shared.seconds)
        for trial, shared in zip(alone, found_trials(PLAN, url_in(tmp_path), "search"), strict=True)
    )


def test_shares_of_a_search_run_one_after_the_other_find_what_one_call_finds(
    tmp_path: Path,
) -> None:
    shares = [run_trials(PLAN, 7, learn, url_in(tmp_path), "search", 2) for _ in range(6)]
    assert [len(share) for share in shares] == [2, 2, 2, 2, 1, 0]
    assert outcomes(found_trials(PLAN, url_in(tmp_path), "search")) == outcomes(
        search(PLAN, 7, learn)
    )


def test_a_proposal_knows_the_trials_of_earlier_batches_and_no_others() -> None:
    plan = SearchPlan(trials=12, startup_trials=3, batch_trials=4)
    assert [plan.batch_start(place) for place in range(12)] == [0] * 3 + [3] * 4 + [7] * 4 + [11]
    usual = search(plan, 7, learn)

    def otherwise(place: int, settings: Mapping[str, Any], report: Report) -> None:
        report(1, 5.0) if place == 4 else learn(place, settings, report)

    changed = search(plan, 7, otherwise)
    same = [one.settings == other.settings for one, other in zip(usual, changed, strict=True)]
    assert same[:7] == [True] * 7
    assert not all(same[7:])


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_a_trial_that_was_given_up_and_never_queued_again_is_found_later(tmp_path: Path) -> None:
    import optuna

    heartbeat = Heartbeat(interval_seconds=1, grace_seconds=1)
    study = open_study(url_in(tmp_path), "search", heartbeat)
    trial = study.ask()
    study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    trials = search(PLAN, 7, learn, url_in(tmp_path), heartbeat=heartbeat)
    assert outcomes(trials) == outcomes(search(PLAN, 7, learn))


def test_a_search_in_which_nothing_can_be_learned_is_refused() -> None:
    def hopeless(place: int, settings: Mapping[str, Any], report: Report) -> None:
        raise TrainingError("labels", 0, "none", "more")

    with pytest.raises(TrainingError, match="none came to an end"):
        search(PLAN, 7, hopeless)


def test_a_database_that_cannot_be_used_is_named_without_its_password() -> None:
    with pytest.raises(TrackingError, match=r"\*\*\*@nowhere.*SMARTINVEST_SEARCH_URL"):
        search(PLAN, 7, learn, "postgresql+psycopg://user:secret@nowhere.invalid/search")


def test_a_database_url_that_is_none_is_refused_without_showing_it() -> None:
    with pytest.raises(TrackingError, match=r"database of the search = '\*\*\*'"):
        search(PLAN, 7, learn, "anna:secret@host")


def test_only_searches_in_which_nothing_happened_for_long_are_removed(tmp_path: Path) -> None:
    import optuna

    url, now = url_in(tmp_path), datetime.now(UTC)
    assert remove_studies(url, now, dry_run=False) == 0  # there is no database, and none is made
    assert not (tmp_path / "search.db").exists()
    tried, begun_now, foreign = "0123456789abcdef", "00000000000000aa", "of-somebody-else"
    for name in (tried, begun_now, foreign):
        study = open_study(url, name, HEARTBEAT)
        if name != begun_now:
            study.optimize(lambda _trial: 1.0, n_trials=1)

    def names() -> set[str]:
        return set(optuna.get_all_study_names(url))

    assert remove_studies(url, now - timedelta(days=1), dry_run=False) == 0
    after = datetime.now(UTC) + timedelta(seconds=1)
    assert remove_studies(url, after, dry_run=True) == 1
    assert names() == {tried, begun_now, foreign}
    assert remove_studies(url, after, dry_run=False) == 1
    assert names() == {begun_now, foreign}
