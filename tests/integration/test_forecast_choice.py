"""Which training serves: kept, made anew or put back; and what is written of it.

A training takes a minute, and what it gives is tested elsewhere; here it gives the small one of
``ml_trained``, as of the panel's last session. Homes in which one or two have served are made once;
each test has a copy.
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa
from advice_examples import publish_run
from ml_examples import LAST_SESSION, dates_of, feature_table, random_walk
from ml_published import publish_features
from ml_registry import new_registry, runs_of, statuses
from ml_trained import brief_training
from new_stores import make_store
from stored import rows
from typer.testing import CliRunner

import ml.training.train
from ml.choice.validation_record import Incumbent
from ml.forecasters import BASELINES
from ml.panel import Panel
from ml.plans import TrainingPlan
from ml.results import Choice, TrainingResult
from ml.tracking import Registry
from ml.work import TrainingWork
from models.store_scores import MODEL_CHECK
from models.vocabulary import ModelRole, ScoredPeriod
from pipelines.cli.main import app
from pipelines.errors import HomeError, ModelError
from pipelines.forecast import ModelChoice, train
from pipelines.forecast.rollback import roll_back
from pipelines.monitor import find_check, monitor
from pipelines.operate.summary import print_summary
from pipelines.sessions import session_after
from pipelines.settings import Settings, load_settings
from pipelines.store import tables, transaction, upsert

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


@pytest.fixture(autouse=True, scope="module")
def trainings_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ml.training.train, "train_models", train_at_once)
        yield


@pytest.fixture(autouse=True)
def nothing_given() -> None:
    given.clear()


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


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return prepared(tmp_path_factory.mktemp("untrained") / "home")


@pytest.fixture
def settings(untrained: Settings, tmp_path: Path) -> Settings:
    return copied(untrained, tmp_path)


@pytest.fixture(scope="module")
def trained_early(
    untrained: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, ModelChoice]:
    settings = copied(untrained, tmp_path_factory.mktemp("early"))
    return settings, train(settings, EARLIER)


@pytest.fixture(scope="module")
def trained_last(
    untrained: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, ModelChoice]:
    settings = copied(untrained, tmp_path_factory.mktemp("last"))
    return settings, train(settings, LAST_SESSION)


@pytest.fixture(scope="module")
def served_twice(
    trained_early: tuple[Settings, ModelChoice], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, ModelChoice, ModelChoice]:
    made, first = trained_early
    settings = copied(made, tmp_path_factory.mktemp("twice"))
    second = train(settings, LAST_SESSION)
    assert given[-1][0] is None, "a baseline defends nothing"
    return settings, first, second


@pytest.fixture
def early(
    trained_early: tuple[Settings, ModelChoice], tmp_path: Path
) -> tuple[Settings, ModelChoice]:
    """A home of its own in which a training serves from ``EARLIER`` on."""
    made, choice = trained_early
    return copied(made, tmp_path), choice


@pytest.fixture
def last(
    trained_last: tuple[Settings, ModelChoice], tmp_path: Path
) -> tuple[Settings, ModelChoice]:
    """A home of its own in which a training serves ``LAST_SESSION``."""
    made, choice = trained_last
    return copied(made, tmp_path), choice


@pytest.fixture
def twice(
    served_twice: tuple[Settings, ModelChoice, ModelChoice], tmp_path: Path
) -> tuple[Settings, ModelChoice, ModelChoice]:
    """A home of its own in which one training served, and then another."""
    made, first, second = served_twice
    return copied(made, tmp_path), first, second


def chosen(settings: Settings) -> list[tuple[dt.date, str]]:
    return sorted((row["session_date"], row["decision"]) for row in rows(settings, "model_choice"))


def test_a_first_training_writes_choice_scores_and_evidence_and_leaves_no_work_behind(
    settings: Settings,
) -> None:
    choice = train(settings, LAST_SESSION)
    [check] = rows(settings, "model_check")
    assert (check["retraining_due"], check["reason"]) == (True, "no model was in service before")
    assert (choice.decision, choice.role) == ("retrained", "baseline")
    assert choice.reason.startswith("no model was in service before; ")
    assert f"fitted on outcomes through {choice.fitted_through}, judged" in choice.reason
    result = brief_training()
    scores = rows(settings, "model_score")
    models = {f"smartinvest-{model.name}" for model in result.models}
    assert {(row["model_name"], row["horizon_sessions"], row["period"]) for row in scores} == {
        (name, horizon, period)
        for name in models
        for horizon in (5, 21)
        for period in ("validation", "test")
    } | {("served", 5, "test"), ("served", 21, "test")}
    assert {row["session_date"] for row in scores} == {LAST_SESSION}
    assert {row["model_name"] for row in scores if row["serves"]} == {choice.model_name}
    ridge = result["ridge"]
    [shown] = [
        row
        for row in scores
        if (row["model_name"], row["period"]) == ("smartinvest-ridge", "test")
        and row["horizon_sessions"] == 21
    ]
    assert shown["rmse"] == ridge.scores[-1].rmse
    assert (shown["trials"], shown["confidence"]) == (ridge.trials, ridge.calibration.confidence[1])
    evidence = rows(settings, "model_evidence")
    assert [row["model_name"] for row in evidence] == ["smartinvest-ridge"] * len(evidence)
    assert {row["against"] for row in evidence} == {f"smartinvest-{name}" for name in BASELINES}
    symbols = rows(settings, "model_symbol_score")
    assert {row["symbol"] for row in symbols} == set(result.symbols)
    assert {row["model_name"] for row in symbols} == models | {"served"}
    [(_, work)] = given
    assert work.folder is not None
    assert work.folder.parent == settings.home / "training"
    assert not work.folder.exists()


def test_a_choice_stands_and_training_again_writes_nothing(
    last: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = last
    before = [rows(settings, name) for name in ("model_choice", "model_score", "model_check")]
    assert train(settings, LAST_SESSION) == choice
    assert before == [
        rows(settings, name) for name in ("model_choice", "model_score", "model_check")
    ]
    assert given == []


def test_a_training_is_kept_for_a_quarter_and_serves_no_session_before_its_own(
    last: tuple[Settings, ModelChoice],
) -> None:
    settings, later = last
    earlier = train(settings, EARLIER)
    assert earlier.training_run_id != later.training_run_id
    assert earlier.trained_through == EARLIER
    kept = train(settings, BETWEEN)
    assert (kept.decision, kept.training_run_id) == ("kept", earlier.training_run_id)
    assert "24 of 63 sessions old" in kept.reason
    assert train(settings, LAST_SESSION) == later
    assert len(given) == 1


def test_an_old_training_is_followed_by_another(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    _, first, second = twice
    assert first.role == "baseline"
    assert second.decision == "retrained"
    assert second.reason.startswith("the last training is 64 sessions old")
    assert second.training_run_id != first.training_run_id


def champion_training(
    panel: Panel, plan: TrainingPlan, work: Any, incumbent: Any
) -> TrainingResult:
    result = train_at_once(panel, plan, work, incumbent)
    if incumbent is None:
        return replace(result, choice=Choice("ridge", ModelRole.CHAMPION, "it is better", ()))
    stays = Choice("ridge", ModelRole.CHAMPION, "the champion in service stays", (), kept=True)
    return replace(result, choice=stays)


def test_a_champion_that_a_new_training_leaves_in_service_is_kept_by_its_version(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ml.training.train, "train_models", champion_training)
    first = train(settings, EARLIER)
    second = train(settings, LAST_SESSION)
    [_, (incumbent, _)] = given
    assert incumbent is not None
    assert (incumbent.name, incumbent.version, incumbent.same_method) == ("ridge", 1, True)
    assert (second.decision, second.role) == ("retrained", "champion")
    assert (second.model_name, second.model_version) == (first.model_name, first.model_version)
    assert second.mlflow_run_id == first.mlflow_run_id
    assert second.trained_through == EARLIER
    assert second.training_run_id != first.training_run_id


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


def test_code_that_changed_makes_a_training_due(early: tuple[Settings, ModelChoice]) -> None:
    settings, first = early
    publish_features(settings, features_through(BETWEEN), code_digest="1" * 64)
    second = train(settings, BETWEEN)
    assert second.decision == "retrained"
    assert "the plan or the code that models are trained by has changed" in second.reason
    assert second.training_run_id != first.training_run_id


def test_a_training_that_is_gone_from_the_registry_is_replaced(
    early: tuple[Settings, ModelChoice],
) -> None:
    settings, first = early
    shutil.rmtree(settings.mlflow)
    new_registry(settings.mlflow)
    second = train(settings, BETWEEN)
    assert second.decision == "retrained"
    assert f"{first.training_run_id}, is gone from the registry" in second.reason


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


def test_a_rollback_puts_the_training_before_back_from_the_newest_session_on(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    settings, first, second = twice
    checked = find_check(settings, LAST_SESSION)
    report = roll_back(settings, reason="it forecasts nonsense", decided_by="ada")
    assert report.from_session_date == LAST_SESSION
    assert (report.training_run_id, report.left_training_run_id) == (
        first.training_run_id,
        second.training_run_id,
    )
    back = train(settings, LAST_SESSION)
    assert (back.decision, back.training_run_id) == ("rolled_back", first.training_run_id)
    assert (back.model_name, back.model_version) == (first.model_name, first.model_version)
    assert f"ada put the training of {EARLIER} back" in back.reason
    assert "it forecasts nonsense" in back.reason
    assert train(settings, LAST_SESSION) == back  # taken up once
    assert chosen(settings) == [(EARLIER, "retrained"), (LAST_SESSION, "rolled_back")]
    assert monitor(settings, LAST_SESSION) == checked  # what is checked is known before
    assert given == []


def test_what_was_put_back_serves_on_until_a_training_is_due_by_the_age_of_the_last_one(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    settings, first, _ = twice
    roll_back(settings, reason="worse", decided_by="ada")
    train(settings, LAST_SESSION)
    longer = feature_table(random_walk(sessions=402, symbols=3))
    shift = session_after(LAST_SESSION, 2)
    dates = [session_after(date, 2) for date in dates_of(402)]
    moved = pa.array(np.repeat(np.array(dates, "datetime64[D]"), 3)).cast(pa.date32())
    longer = longer.set_column(longer.column_names.index("session_date"), "session_date", moved)
    publish_features(settings, longer)
    kept = train(settings, shift)
    assert (kept.decision, kept.training_run_id) == ("kept", first.training_run_id)
    assert "2 of 63 sessions old" in kept.reason


def test_a_rollback_waits_for_the_next_choice_and_leaves_earlier_sessions_alone(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    settings, first, second = twice
    roll_back(settings, to=first.training_run_id, reason="worse", decided_by="ada")
    between = train(settings, BETWEEN)
    assert (between.decision, between.training_run_id) == ("kept", first.training_run_id)
    assert train(settings, LAST_SESSION).decision == "rolled_back"
    roll_back(settings, to=second.training_run_id, reason="it was not", decided_by="ben")
    again = train(settings, LAST_SESSION)
    assert (again.training_run_id, again.mlflow_run_id) == (
        second.training_run_id,
        second.mlflow_run_id,
    )


def test_a_rollback_that_cannot_be_is_refused_and_nothing_is_written(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    settings, first, second = twice

    def refused(problem: str, to: str | None) -> None:
        with pytest.raises(ModelError, match=problem):
            roll_back(settings, to=to, reason="a test", decided_by="ada")
        assert rows(settings, "model_rollback") == []

    refused("the registry does not know it", "0" * 32)
    refused("it is in service already", second.training_run_id)
    client = Registry(settings.mlflow)._connection
    with client.use() as mlflow:
        mlflow.delete_model_version(first.model_name, str(first.model_version))
    refused(f"model {first.model_name}, version = '1': it is not there", first.training_run_id)
    with transaction(settings) as connection:
        choice = tables["model_choice"]
        connection.execute(sa.delete(choice).where(choice.c.session_date == LAST_SESSION))
    refused("there was none before it", None)
    refused("which .* must not know", second.training_run_id)


def test_a_rollback_without_any_choice_says_what_to_run(settings: Settings) -> None:
    with pytest.raises(ModelError, match=r"none was chosen yet. Run `smartinvest train`"):
        roll_back(settings, reason="a test", decided_by="ada")


def test_the_command_lists_trainings_with_role_scores_and_evidence_and_rolls_back(
    twice: tuple[Settings, ModelChoice, ModelChoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, first, second = twice
    monkeypatch.setenv("SMARTINVEST_HOME", str(settings.home))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("pipelines.cli.models.out.width", 200, raising=False)
    listed = CliRunner().invoke(app, ["models", "list"], catch_exceptions=False).output
    assert first.training_run_id in listed
    assert f"training {second.training_run_id}" in listed
    assert "baseline" in listed
    assert "Evidence: " in listed
    assert f"{EARLIER}, 1 session " in listed
    command = ["models", "rollback", "--reason", "a test", "--by", "ada"]
    said = CliRunner().invoke(app, command, catch_exceptions=False).output
    assert f"{first.model_name} version {first.model_version}, as baseline" in said
    [kept] = rows(settings, "model_rollback")
    assert (kept["decided_by"], kept["reason"]) == ("ada", "a test")


def test_the_summary_says_how_the_model_came_to_serve_and_how_good_all_of_them_are(
    last: tuple[Settings, ModelChoice], capsys: pytest.CaptureFixture[str]
) -> None:
    settings, choice = last
    run_id = publish_run(settings, LAST_SESSION)
    run = tables["advice_run"]
    with transaction(settings) as connection:
        model = {"model_name": choice.model_name, "mlflow_run_id": choice.mlflow_run_id}
        connection.execute(sa.update(run).where(run.c.run_id == run_id).values(**model))
    print_summary(settings, LAST_SESSION)
    shown = " ".join(capsys.readouterr().out.split())
    assert f"fitted on outcomes through {choice.fitted_through}, judged through" in shown
    assert "serves as baseline" in shown
    assert "choice retrained: no model was in service before" in shown
    for model in brief_training().models:
        score = model.score(ScoredPeriod.TEST, 21)
        assert f"smartinvest-{model.name} {score.rmse_to_naive:.4f}" in shown
    assert "served" in shown


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


def test_a_check_that_says_so_starts_a_training_before_a_quarter_is_over(
    early: tuple[Settings, ModelChoice],
) -> None:
    settings, _ = early
    found = monitor(settings, BETWEEN)
    assert not found.retraining_due
    lost = {"retraining_due": True, "reason": "skill is lost"}
    with transaction(settings) as connection:
        upsert(connection, MODEL_CHECK, [rows(settings, "model_check")[-1] | lost])
    again = train(settings, BETWEEN)
    assert (again.decision, again.trained_through) == ("retrained", BETWEEN)
    assert again.reason.startswith("skill is lost; ")
    assert len(runs_of(settings.mlflow)) > 1
