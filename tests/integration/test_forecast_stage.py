"""Forecasts of a session as the stage writes them, by models that were trained 30 sessions ago."""

import datetime as dt
from collections import Counter
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa
from ml_examples import LAST_SESSION, feature_table, random_walk
from ml_models import small_model
from ml_published import publish_features
from ml_registry import new_registry
from ml_trained import IDENTITY, of_model, training_of
from stored import rows

from ml.attribution import LARGEST_PARTS
from ml.forecasters import LSTM
from ml.intervals.conformal import ConformalState
from ml.panel.reading import read_panel
from ml.records import FinishedTraining
from ml.serving import ServingModel
from ml.splits import FoldPlan
from ml.tracking import Registry
from models.store_forecasts import MODEL_CHOICE
from models.store_scores import MODEL_SCORE
from models.vocabulary import (
    BASELINE_PART,
    FORECAST_HORIZONS_SESSIONS,
    HORIZON_SESSIONS,
    ChoiceDecision,
    RunStatus,
)
from pipelines.errors import ModelError, StoreError, WarehouseError
from pipelines.forecast import ModelChoice, forecast
from pipelines.forecast.run import begin, begin_with_known_forecasts, identify
from pipelines.sessions import session_after
from pipelines.settings import Settings, load_settings
from pipelines.store import insert, migrate, tables, transaction, upsert, utc_now
from pipelines.warehouse import WarehouseBuild, build_for

RETURNS = random_walk(sessions=1000, symbols=6)
TRAINED = session_after(LAST_SESSION, -30)
MODELS = ("expanding_mean", "sma", "ridge", LSTM)
BLIND = "sma"
"""The model whose intervals have seen too few outcomes."""


def features_through(session: dt.date, returns: np.ndarray = RETURNS) -> pa.Table:
    table = feature_table(returns)
    return table.filter(pc.less_equal(table["session_date"], pa.scalar(session, pa.date32())))


def prepared(home: Path, **settings: Any) -> Settings:
    loaded = load_settings({}, home=home, **settings)
    loaded.home.mkdir(parents=True)
    migrate(loaded)
    publish_features(loaded, features_through(LAST_SESSION))
    return loaded


def registered(settings: Settings, build: WarehouseBuild) -> FinishedTraining:
    """A training of some models through ``TRAINED``; ridge serves."""
    panel = read_panel(build.panel_path, build.session_features_path, through=TRAINED)
    kinds = {name: partial(small_model, name) for name in MODELS}
    result = training_of(panel, kinds, FoldPlan(folds=1, test_share=0.2))
    young = ConformalState.start(HORIZON_SESSIONS).follow(np.zeros((22, 6)))[1]
    calibration = result[BLIND].calibration
    blind = replace(calibration, conformal=(calibration.conformal[0], young))
    result = of_model(result, BLIND, calibration=blind)
    result = replace(result, choice=replace(result.choice, model_name="ridge"))
    with new_registry(settings.mlflow).training(IDENTITY) as run:
        return run.finish(result)


def chosen(settings: Settings, training: FinishedTraining) -> ModelChoice:
    """Ridge of that training serves ``LAST_SESSION``."""
    serving = training.serving
    choice = ModelChoice(
        source=settings.source.value,
        session_date=LAST_SESSION,
        decision=ChoiceDecision.KEPT.value,
        role=serving.role.value,
        reason="a test wants it",
        model_name=serving.name,
        model_version=serving.version,
        mlflow_run_id=serving.run_id,
        training_run_id=training.run_id,
        method="method",
        fitted_through=training.fitted_through,
        trained_through=training.trained_through,
        decided_at=utc_now(),
    )
    with transaction(settings) as connection:
        upsert(connection, MODEL_CHOICE, [asdict(choice)])
    return choice


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, ModelChoice]:
    settings = prepared(tmp_path_factory.mktemp("trained") / "home")
    training = registered(settings, build_for(settings, LAST_SESSION))
    return settings, chosen(settings, training)


def add_scores(settings: Settings, training: FinishedTraining) -> None:
    """Scores of one model on validation, and others that are of something else."""
    ridge = training["ridge"]
    row = {
        "source": settings.source.value,
        "session_date": TRAINED,
        "model_name": ridge.name,
        "horizon_sessions": training.horizons[1],
        "period": "validation",
        "mlflow_run_id": ridge.run_id,
        "period_start": TRAINED,
        "period_end": TRAINED,
        "forecasts": 1,
        "mae": 0.05,
        "rmse": 0.07,
        "confidence": 0.1,
        "serves": True,
    }
    others = (
        {"period": "test"},
        {"session_date": LAST_SESSION, "mlflow_run_id": "of another training"},
        {"model_name": "smartinvest-sma"},
    )
    with transaction(settings) as connection:
        insert(connection, MODEL_SCORE, [row, *(row | {"rmse": 0.01} | other for other in others)])


def by_key(found: list[dict[str, Any]]) -> dict[tuple[str, str, int], dict[str, Any]]:
    return {(row["model_name"], row["symbol"], row["horizon_sessions"]): row for row in found}


def test_every_model_forecasts_every_symbol_over_both_horizons_once(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = trained
    add_scores(settings, Registry(settings.mlflow).finished_training(choice.training_run_id))
    report = forecast(settings, LAST_SESSION)
    again = forecast(settings, LAST_SESSION)
    written = rows(settings, "forecast")
    assert report.written == len(written) == len(MODELS) * RETURNS.shape[1] * 2
    assert (again.written, again.run_id, report.left_out) == (0, report.run_id, {})
    assert len(by_key(written)) == len(written)
    assert {row["horizon_sessions"] for row in written} == set(FORECAST_HORIZONS_SESSIONS)
    assert {row["model_name"] for row in written if row["serves"]} == {choice.model_name}
    training = Registry(settings.mlflow).finished_training(choice.training_run_id)
    for row in written:
        model = training[row["model_name"].removeprefix("smartinvest-")]
        assert (row["model_version"], row["mlflow_run_id"]) == (model.version, model.run_id)
        horizon = training.horizons.index(row["horizon_sessions"])
        assert row["confidence"] == model.confidence[horizon]
        assert row["stdev_log_return"] > 0
        of_21_sessions = 0.07 if row["model_name"] == "smartinvest-ridge" else None
        assert row["validation_rmse"] == (of_21_sessions if horizon else None)
    (run,) = rows(settings, "advice_run")
    assert (run["status"], run["supersedes"]) == (RunStatus.BUILDING, None)
    assert (run["model_name"], run["model_version"]) == (choice.model_name, 1)


def test_rows_are_what_the_registered_version_says_of_the_whole_panel(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = trained
    forecast(settings, LAST_SESSION)
    written = by_key(rows(settings, "forecast"))
    build = build_for(settings, LAST_SESSION)
    panel = read_panel(build.panel_path, build.session_features_path)
    model = Registry(settings.mlflow).load(choice.model_name, choice.model_version)
    said = model.forecast_last(panel)
    assert len(said) == 2 * RETURNS.shape[1]
    for each in said:
        row = written[choice.model_name, each.symbol, each.horizon_sessions]
        assert {name: row[name] for name in asdict(each)} == asdict(each)


def test_intervals_nest_around_the_forecast_and_an_end_that_is_not_there_is_said(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, _ = trained
    forecast(settings, LAST_SESSION)
    for row in rows(settings, "forecast"):
        lower = [row["lower_95_log_return"], row["lower_80_log_return"]]
        upper = [row["upper_80_log_return"], row["upper_95_log_return"]]
        is_blind = row["model_name"].endswith(BLIND) and row["horizon_sessions"] == HORIZON_SESSIONS
        if is_blind:
            assert (lower[0], upper[1]) == (None, None)
            assert row["interval_note"] == (
                "the 95 % interval has no lower and upper end: only 30 sessions' outcomes are known"
            )
            lower, upper = lower[1:], upper[:1]
        else:
            assert row["interval_note"] == ""
        ends = [*lower, row["expected_log_return"], *upper]
        assert ends == sorted(ends)


def test_what_moved_forecasts_is_kept_of_the_serving_model_and_the_network(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = trained
    forecast(settings, LAST_SESSION)
    forecasts = by_key(rows(settings, "forecast"))
    parts = rows(settings, "forecast_attribution")
    names = {choice.model_name, f"smartinvest-{LSTM}"}
    assert {row["model_name"] for row in parts} == names
    sums: Counter[tuple[str, str, int]] = Counter()
    for row in parts:
        key = row["model_name"], row["symbol"], row["horizon_sessions"]
        sums[key] += row["contribution_log_return"]
        assert row["model_version"] == forecasts[key]["model_version"]
    assert len(sums) == len(names) * RETURNS.shape[1] * 2
    for key, total in sums.items():
        assert total == pytest.approx(forecasts[key]["expected_log_return"], abs=1e-9)
        named = [row for row in parts if _key(row) == key and not row["feature"].startswith("$")]
        assert len(named) == LARGEST_PARTS
    baselines = [row for row in parts if row["feature"] == BASELINE_PART]
    assert len(baselines) == len(sums)
    assert all(row["feature_value"] is None for row in baselines)


def _key(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["model_name"], row["symbol"], row["horizon_sessions"]


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
    for table in ("forecast", "forecast_attribution"):
        assert {row["run_id"] for row in rows(settings, table)} == begun.keys()


def test_a_run_that_differs_in_earlier_advice_alone_takes_over_forecasts_and_parts(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = trained
    first = forecast(settings, LAST_SESSION)
    identity = identify(settings, build_for(settings, LAST_SESSION), choice)
    assert identity.run_id == first.run_id
    other = replace(identity, history_hash="0" * 64)
    before = {
        table: [row for row in rows(settings, table) if row["run_id"] == first.run_id]
        for table in ("forecast", "forecast_attribution")
    }
    with transaction(settings) as connection:
        begin_with_known_forecasts(connection, other)
    for table, known in before.items():
        taken = [row for row in rows(settings, table) if row["run_id"] == other.run_id]
        expected = [{**row, "run_id": other.run_id} for row in known]
        assert sorted(taken, key=repr) == sorted(expected, key=repr)
        assert taken


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


def test_a_choice_that_its_training_does_not_serve_is_refused(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, choice = trained
    with transaction(settings) as connection:
        upsert(connection, MODEL_CHOICE, [asdict(replace(choice, model_version=9))])
    with pytest.raises(ModelError, match=r"smartinvest-ridge 9.*has smartinvest-ridge 1 serve"):
        forecast(settings, LAST_SESSION)
    with transaction(settings) as connection:
        upsert(connection, MODEL_CHOICE, [asdict(choice)])


def test_forecasting_without_a_choice_says_what_to_run(tmp_path: Path) -> None:
    settings = prepared(tmp_path / "home")
    with pytest.raises(ModelError, match=r"no model was chosen.*smartinvest train --session"):
        forecast(settings, LAST_SESSION)
    assert rows(settings, "advice_run") == []


def test_a_model_looks_at_no_more_features_than_it_says(
    trained: tuple[Settings, ModelChoice],
) -> None:
    settings, _ = trained
    registry, build = Registry(settings.mlflow), build_for(settings, LAST_SESSION)
    model: ServingModel = registry.load(f"smartinvest-{LSTM}", 1)
    since = session_after(LAST_SESSION, 1 - model.sessions_needed(30))
    files = build.panel_path, build.session_features_path
    recent = read_panel(*files, features_since=since)
    assert recent.features_start > 0
    assert model.forecast_last(recent) == model.forecast_last(read_panel(*files))


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
