import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa
from ml_examples import LAST_SESSION, feature_table, random_walk
from ml_published import publish_features
from mlflow import MlflowClient

from ml.forecasters.lstm_settings import LstmSettings
from ml.training import PROFILES
from models.vocabulary import RunStatus, TrainingProfile
from pipelines.errors import ModelError, StoreError, WarehouseError
from pipelines.forecast import ModelChoice, forecast, train
from pipelines.forecast.run import begin, identify
from pipelines.operate.summary import print_summary
from pipelines.sessions import session_after
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, migrate, tables, transaction, utc_now

TINY = LstmSettings(window_sessions=5, units=(4,), epochs=1, seeds=1, batch_size=256)
RETURNS = random_walk(sessions=1000, symbols=6)
EARLIER = session_after(LAST_SESSION, -64)
MODELS = {"naive", "expanding_mean", "sma", "ema", "crossover", "lstm"}


@pytest.fixture(scope="module", autouse=True)
def tiny_profile() -> Iterator[None]:
    """Everything as it is, but for the size of the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROFILES, TrainingProfile.QUICK, TINY)  # type: ignore[arg-type]
        yield


def features_through(session: dt.date, returns: np.ndarray = RETURNS) -> pa.Table:
    table = feature_table(returns)
    return table.filter(pc.less_equal(table["session_date"], pa.scalar(session, pa.date32())))


def prepared(home: Path) -> Settings:
    settings = load_settings({}, home=home)
    settings.home.mkdir(parents=True)
    migrate(settings)
    publish_features(settings, features_through(LAST_SESSION))
    return settings


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, ModelChoice]:
    settings = prepared(tmp_path_factory.mktemp("trained") / "home")
    return settings, train(settings, LAST_SESSION)


def rows(settings: Settings, table: str) -> list[dict[str, Any]]:
    with connect(settings) as connection:
        found = connection.execute(sa.select(tables[table])).mappings().all()
    return [dict(row) for row in found]


def runs(settings: Settings) -> int:
    return len(MlflowClient(f"sqlite:///{settings.mlflow / 'mlflow.db'}").search_runs(["1"]))


def test_training_records_its_choice_and_the_score_of_every_model(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = trained
    assert choice.decision == "retrained"
    assert choice.trained_through == LAST_SESSION
    held_out = 1000 - round(1000 * 0.7)
    assert choice.fitted_through == session_after(LAST_SESSION, -held_out)
    assert (
        f"fitted on outcomes through {choice.fitted_through}, judged through {LAST_SESSION}"
        in choice.reason
    )
    scores = [
        row
        for row in rows(settings, "model_score")
        if row["training_run_id"] == choice.training_run_id
    ]
    assert {row["model_name"].removeprefix("smartinvest-") for row in scores} == MODELS
    assert {(row["source"], row["session_date"]) for row in scores} == {("sample", LAST_SESSION)}
    (serving,) = [row for row in scores if row["serves"]]
    assert serving["mlflow_run_id"] == choice.mlflow_run_id
    assert {row["mae_to_naive"] for row in scores if row["model_name"].endswith("naive")} == {1.0}


def test_training_again_writes_nothing(trained: tuple[Settings, ModelChoice]) -> None:
    settings, choice = trained
    before = runs(settings)
    assert train(settings, LAST_SESSION) == choice
    assert runs(settings) == before


def test_a_training_serves_63_sessions_and_never_an_earlier_one(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = trained
    publish_features(settings, features_through(EARLIER))
    earlier = train(settings, EARLIER)
    assert earlier.decision == "retrained"
    assert "must not know" in earlier.reason
    assert earlier.trained_through == EARLIER
    within = session_after(EARLIER, 63)
    publish_features(settings, features_through(within))
    kept = train(settings, within)
    assert (kept.decision, kept.training_run_id) == ("kept", earlier.training_run_id)
    assert "63 sessions old" in kept.reason
    assert train(settings, LAST_SESSION).training_run_id == choice.training_run_id


def test_a_training_that_was_killed_before_the_store_knew_is_taken_up(tmp_path: Path) -> None:
    settings = prepared(tmp_path / "home")
    first = train(settings, LAST_SESSION)
    with transaction(settings) as connection:
        connection.execute(sa.delete(tables["model_choice"]))
        connection.execute(sa.delete(tables["model_score"]))
    before = runs(settings)
    again = train(settings, LAST_SESSION)
    assert again.training_run_id == first.training_run_id
    assert runs(settings) == before
    assert len(rows(settings, "model_score")) == len(MODELS)


def test_a_training_on_features_that_other_code_made_does_not_serve(tmp_path: Path) -> None:
    settings = prepared(tmp_path / "home")
    first = train(settings, LAST_SESSION)
    publish_features(settings, features_through(LAST_SESSION), code_digest="1" * 64)
    second = train(settings, LAST_SESSION)
    assert second.decision == "retrained"
    assert second.training_run_id != first.training_run_id
    scored = rows(settings, "model_score")
    assert len(scored) == len(MODELS)
    assert {row["training_run_id"] for row in scored} == {second.training_run_id}


def test_forecasts_of_every_model_are_written_once(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = trained
    report = forecast(settings, LAST_SESSION)
    again = forecast(settings, LAST_SESSION)
    written = rows(settings, "forecast")
    assert report.written == len(written) == len(MODELS) * RETURNS.shape[1]
    assert (again.written, again.run_id) == (0, report.run_id)
    assert report.left_out == {}
    assert {row["model_name"] for row in written if row["serves"]} == {choice.model_name}
    for row in written:
        assert row["lower_log_return"] < row["expected_log_return"] < row["upper_log_return"]
        assert row["stdev_log_return"] > 0
        assert 0 <= row["confidence"] <= 1
    (run,) = rows(settings, "advice_run")
    assert (run["status"], run["supersedes"]) == (RunStatus.BUILDING, None)
    assert (run["model_name"], run["model_version"]) == (choice.model_name, 1)


def test_a_published_run_is_superseded_when_inputs_changed_and_an_unpublished_one_goes(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, _ = trained
    first = forecast(settings, LAST_SESSION)
    _publish(settings, first.run_id)
    assert forecast(settings, LAST_SESSION).status is RunStatus.PUBLISHED

    publish_features(settings, _with_a_young_symbol())
    second = forecast(settings, LAST_SESSION)
    assert second.left_out.keys() == {"S00"}
    assert "it has 40 of the" in second.left_out["S00"]
    begun = {row["run_id"]: row for row in rows(settings, "advice_run")}
    assert begun[second.run_id]["supersedes"] == first.run_id

    publish_features(settings, features_through(LAST_SESSION, 1.01 * RETURNS))
    third = forecast(settings, LAST_SESSION)
    begun = {row["run_id"]: row for row in rows(settings, "advice_run")}
    assert begun.keys() == {first.run_id, third.run_id}
    assert {row["run_id"] for row in rows(settings, "forecast")} == begun.keys()


def test_the_summary_says_how_far_the_model_was_fitted_and_judged(
    trained: tuple[Settings, ModelChoice], capsys: pytest.CaptureFixture[str]
) -> None:
    settings, choice = trained
    _publish(settings, forecast(settings, LAST_SESSION).run_id)
    print_summary(settings, LAST_SESSION)
    shown = capsys.readouterr().out
    assert f"fitted on outcomes through {choice.fitted_through}, judged through" in shown
    assert {name for name in MODELS if f"smartinvest-{name} " in shown} == MODELS


def test_a_run_is_not_begun_in_a_store_or_home_of_another_source(
    trained: tuple[Settings, ModelChoice], tmp_path: Path
) -> None:
    settings, choice = trained
    forecast(settings, LAST_SESSION)
    before = rows(settings, "advice_run")
    other = load_settings({}, home=settings.home, source="simulated")
    with pytest.raises(WarehouseError, match="current warehouse was built from sample"):
        forecast(other, LAST_SESSION)

    elsewhere = load_settings(
        {}, home=tmp_path / "home", store_url=settings.store_url, source="simulated"
    )
    build = publish_features(elsewhere, features_through(LAST_SESSION))
    with (
        pytest.raises(StoreError, match=r"source = 'simulated'.*from sample"),
        transaction(elsewhere) as connection,
    ):
        begin(connection, identify(elsewhere, build, choice))
    assert rows(settings, "advice_run") == before


def _with_a_young_symbol() -> pa.Table:
    young = RETURNS.copy()
    young[:-39, 0] = np.nan
    young[:-40, 0] = np.nan
    table = features_through(LAST_SESSION, young)
    first_session = pa.scalar(session_after(LAST_SESSION, -39), pa.date32())
    is_there = pc.or_(
        pc.not_equal(table["symbol"], "S00"),
        pc.greater_equal(table["session_date"], first_session),
    )
    return table.filter(is_there)


def _publish(settings: Settings, run_id: str) -> None:
    run = tables["advice_run"]
    published = {"status": RunStatus.PUBLISHED.value, "published_at": utc_now()}
    with transaction(settings) as connection:
        connection.execute(sa.update(run).where(run.c.run_id == run_id).values(published))


def test_forecasting_without_a_choice_says_what_to_run(tmp_path: Path) -> None:
    settings = prepared(tmp_path / "home")
    with pytest.raises(ModelError, match=r"no model was chosen.*smartinvest train --session"):
        forecast(settings, LAST_SESSION)
    assert rows(settings, "advice_run") == []


def test_too_little_history_is_a_model_error_and_registers_nothing(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path / "home")
    settings.home.mkdir(parents=True)
    migrate(settings)
    publish_features(settings, features_through(LAST_SESSION, RETURNS[-300:]))
    with pytest.raises(ModelError, match="sessions in the feature file = '300'"):
        train(settings, LAST_SESSION)
    client = MlflowClient(f"sqlite:///{settings.mlflow / 'mlflow.db'}")
    assert [run.info.status for run in client.search_runs(["1"])] == ["FAILED"]
    assert rows(settings, "model_choice") == []
