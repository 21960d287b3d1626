"""What was forecast meets what came, in the store; decay that is planted makes a training due."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from advice_examples import scored
from ml_examples import LAST_SESSION, dates_of, feature_table, random_walk
from ml_published import publish_features
from new_stores import make_store

from ml.panel.feature_columns import columns_of
from ml.panel.features import SESSION_FEATURES
from ml.rolling import Floats
from models.store_forecasts import MODEL_CHOICE
from models.store_scores import MODEL_SCORE
from pipelines.errors import WarehouseError
from pipelines.model_choices import training_method
from pipelines.monitor import monitor
from pipelines.sessions import available_at, session_after
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, tables, transaction, upsert
from pipelines.warehouse import WarehouseBuild

SYMBOLS = ("S00", "S01", "S02", "S03")
RETURNS = random_walk(sessions=2000, symbols=len(SYMBOLS), seed=3)
DATES = dates_of(2000)
TRAINED = session_after(LAST_SESSION, -30)
FITTED = session_after(LAST_SESSION, -500)
SERVED = "smartinvest-ema"
MEAN = "smartinvest-expanding_mean"


def forecast(
    row: int, symbol: int, model: str, mean: float, horizon: int, width: float
) -> dict[str, Any]:
    """A row of forecast_result: what was forecast at the row's session, and what came."""
    came = float(RETURNS[row + 1 : row + 1 + horizon, symbol].sum())
    interval = 1.2816 * 0.01 * np.sqrt(horizon) * width
    ends = {"lower_80": -interval, "upper_80": interval, "lower_95": -2 * interval}
    return {
        "session_date": DATES[row],
        "end_session_date": DATES[row + horizon],
        "symbol": SYMBOLS[symbol],
        "model_name": model,
        "run_id": f"run-{DATES[row]}",
        "mlflow_run_id": f"mlflow-{model}",
        "horizon_sessions": horizon,
        "model_version": 3,
        "serves": model == SERVED,
        "confidence": 0.1,
        "expected_log_return": mean,
        "realised_log_return": came,
        "error": came - mean,
        "is_inside_80": abs(came) <= interval,
        "is_inside_95": came >= -2 * interval,
        **{f"{end}_log_return": value for end, value in ends.items()},
    }


def results(noise: float = 0.0, width: float = 1.0, sessions: int = 260) -> list[dict[str, Any]]:
    """Forecasts of two models: the expanding mean, and what served, with noise."""
    generator = np.random.default_rng(2)
    made = []
    for row in range(2000 - 21 - sessions, 2000 - 5):
        for horizon in (5, 21):
            if row + horizon >= 2000:
                continue
            for symbol in range(len(SYMBOLS)):
                off = float(generator.normal(0.0, noise)) if noise else 0.0
                made.append(forecast(row, symbol, MEAN, 0.0, horizon, 1.0))
                made.append(forecast(row, symbol, SERVED, off, horizon, width))
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path / "home")
    settings.home.mkdir(parents=True)
    make_store(settings)
    return settings


def table_of(returns: Floats) -> pa.Table:
    """Features whose economy is noise: it moves as it always did."""
    generator = np.random.default_rng(9)
    economy = {
        name: np.repeat(generator.normal(5.0, 1.0, len(returns)), len(SYMBOLS))
        for name in columns_of(SESSION_FEATURES)
    }
    return feature_table(returns, **economy)


@pytest.fixture(scope="module")
def features() -> pa.Table:
    return table_of(RETURNS)


def put_into_service(settings: Settings, build: WarehouseBuild) -> None:
    """Write the choice and the scores of a training of 30 sessions before."""
    at = {"source": "sample", "session_date": TRAINED}
    model = {"model_name": SERVED, "model_version": 3, "mlflow_run_id": f"mlflow-{SERVED}"}
    training = {"training_run_id": "training", "method": training_method(settings, build)}
    decided = {"decision": "retrained", "role": "baseline", "reason": "a test"}
    through = {"fitted_through": FITTED, "trained_through": TRAINED}
    with transaction(settings) as store:
        moment = {"decided_at": available_at(TRAINED)}
        upsert(store, MODEL_CHOICE, [at | model | training | decided | through | moment])
        of_model = {"model_name": SERVED, "horizon_sessions": 21, "period": "test"}
        upsert(store, MODEL_SCORE, [at | of_model | scored(TRAINED)])


def checked(settings: Settings, features: pa.Table, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The check of the last session as the store has it, made twice with the same result."""
    put_into_service(settings, publish_features(settings, features, results=rows))
    found = monitor(settings, LAST_SESSION)
    before = stored(settings)
    assert monitor(settings, LAST_SESSION) == found
    assert stored(settings) == before
    [check] = before["model_check"]
    return check


def stored(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    with connect(settings) as connection:
        return {
            name: [
                dict(row)
                for row in connection.execute(
                    sa.select(tables[name]).order_by(*tables[name].primary_key)
                ).mappings()
            ]
            for name in ("model_check", "model_score")
        }


def test_nothing_planted_is_not_due_and_what_is_realised_is_scored(
    settings: Settings, features: pa.Table
) -> None:
    check = checked(settings, features, results())
    assert not check["retraining_due"], check["reason"]
    assert (check["age_sessions"], check["realised_sessions"]) == (30, 252)
    assert (check["training_run_id"], check["model_name"]) == ("training", SERVED)
    assert check["coverage_80_lowest"] < check["rolling_coverage_80"] < check["coverage_80_highest"]
    live = [row for row in stored(settings)["model_score"] if row["period"] == "live"]
    assert {(row["model_name"], row["horizon_sessions"]) for row in live} == {
        (model, horizon) for model in (SERVED, MEAN) for horizon in (5, 21)
    }
    [row] = [r for r in live if r["model_name"] == SERVED and r["horizon_sessions"] == 21]
    start = 2000 - 1 - 21
    came = RETURNS[start + 1 :].sum(axis=0)
    assert (row["period_start"], row["session_date"]) == (DATES[start], LAST_SESSION)
    assert (row["forecasts"], row["sessions"], row["symbols"]) == (4, 1, 4)
    assert row["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(came))), rel=1e-12)
    assert row["rmse_to_naive"] == pytest.approx(1.0)
    assert row["coverage_80"] == np.mean(np.abs(came) <= 1.2816 * 0.01 * np.sqrt(21))
    assert row["unbounded_95"] == 1.0
    assert (row["model_version"], row["serves"], row["seeds"]) == (3, True, None)
    assert row["training_run_id"] == f"training of run-{DATES[start]}"


def test_lost_skill_is_due_with_its_p_value(settings: Settings, features: pa.Table) -> None:
    check = checked(settings, features, results(noise=0.05))
    assert check["retraining_due"]
    assert check["rolling_skill_p_value"] < 0.01
    assert check["rolling_rmse_to_naive"] > 1.2
    assert "what served has forecast worse than the expanding mean" in check["reason"]


def test_lost_coverage_is_due_with_its_band(settings: Settings, features: pa.Table) -> None:
    check = checked(settings, features, results(width=0.4))
    assert check["retraining_due"]
    assert check["rolling_coverage_80"] < check["coverage_80_lowest"]
    assert "intervals of 80 % held" in check["reason"]


def test_few_realised_sessions_conclude_nothing(settings: Settings, features: pa.Table) -> None:
    check = checked(settings, features, results(noise=0.05, width=0.4, sessions=50))
    assert not check["retraining_due"], check["reason"]
    assert "too few sessions are realised to judge by, 50" in check["reason"]


def test_drifted_features_are_due_with_the_one_that_moved_most(
    settings: Settings,
) -> None:
    wild = RETURNS.copy()
    wild[-63:] += 0.05
    check = checked(settings, table_of(wild), [])
    assert check["retraining_due"]
    assert check["drifted_features"] >= 40
    assert check["largest_drift"] > 1
    assert check["most_drifted_feature"] in check["reason"]


def test_the_check_of_an_earlier_session_knows_nothing_of_later_ones(
    settings: Settings, features: pa.Table
) -> None:
    build = publish_features(settings, features)
    before: dt.date = session_after(LAST_SESSION, -31)
    keep = np.array(features["session_date"].to_pylist()) <= before
    publish_features(settings, features.filter(pa.array(keep)))
    put_into_service(settings, build)
    found = monitor(settings, before)
    assert (found.training_run_id, found.reason) == (None, "no model was in service before")


def test_a_session_without_a_build_says_what_to_run(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="smartinvest transform"):
        monitor(settings, LAST_SESSION)
