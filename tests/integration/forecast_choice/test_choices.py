"""Which training serves a session: kept or made anew, and what is written of it."""

import pytest
import sqlalchemy as sa
from advice_examples import publish_run
from choice_examples import BETWEEN, EARLIER, champion_training, features_through, given
from ml_examples import LAST_SESSION
from ml_published import publish_features
from ml_registry import runs_of
from ml_trained import brief_training
from stored import rows

import ml.training.train
from ml.forecasters import BASELINES
from models.store_scores import MODEL_CHECK
from models.vocabulary import ScoredPeriod
from pipelines.forecast import ModelChoice, train
from pipelines.monitor import monitor
from pipelines.operate.summary import print_summary
from pipelines.settings import Settings
from pipelines.store import tables, transaction, upsert


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


def test_an_old_training_is_followed_by_another(early: tuple[Settings, ModelChoice]) -> None:
    settings, first = early
    second = train(settings, LAST_SESSION)
    assert first.role == "baseline"
    assert second.decision == "retrained"
    assert second.reason.startswith("the last training is 64 sessions old")
    assert second.training_run_id != first.training_run_id


@pytest.mark.long
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


def test_code_that_changed_makes_a_training_due(early: tuple[Settings, ModelChoice]) -> None:
    settings, first = early
    publish_features(settings, features_through(BETWEEN), code_digest="1" * 64)
    second = train(settings, BETWEEN)
    assert second.decision == "retrained"
    assert "the plan or the code that models are trained by has changed" in second.reason
    assert second.training_run_id != first.training_run_id


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


def test_a_check_from_before_another_model_came_into_service_is_made_anew(
    settings: Settings,
) -> None:
    # As in a backfill: a session is checked while a model is still trained for the one before.
    assert monitor(settings, BETWEEN).reason == "no model was in service before"
    trained = train(settings, EARLIER)
    kept = train(settings, BETWEEN)
    assert (kept.decision, kept.training_run_id) == ("kept", trained.training_run_id)
    due = {row["session_date"]: row["retraining_due"] for row in rows(settings, "model_check")}
    assert due == {EARLIER: True, BETWEEN: False}
