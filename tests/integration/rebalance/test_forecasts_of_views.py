"""Which forecasts each view of a run takes from the store."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
import sqlalchemy as sa
from rebalance_runs import forecast_row, identify_run

from models.store_forecasts import FORECAST
from pipelines.errors import RebalanceError
from pipelines.rebalance.market.forecasts import RunForecasts, read_forecasts
from pipelines.settings import Settings
from pipelines.store import connect, insert, tables, transaction

NO_ERRORS: Mapping[str, float] = MappingProxyType({})
MEANS = {"lstm": 0.01, "sma": 0.02, "ema": 0.03, "crossover": 0.04}


def add_forecasts(settings: Settings, *models: str, rmse: Mapping[str, float] = NO_ERRORS) -> None:
    run_id = identify_run(settings).run_id
    rows = [
        forecast_row(run_id, symbol, MEANS[model], 1, 0.1)
        | {
            "model_name": f"smartinvest-{model}",
            "mlflow_run_id": f"mlflow-{model}",
            "serves": False,
            "validation_rmse": rmse.get(model),
        }
        for model in models
        for symbol in ("KO", "AAPL")
    ]
    with transaction(settings) as store:
        insert(store, FORECAST, rows)


def read(settings: Settings) -> RunForecasts:
    with connect(settings) as store:
        return read_forecasts(store, identify_run(settings).run_id)


def test_the_network_is_read_though_it_does_not_serve(sqlite_settings: Settings) -> None:
    add_forecasts(sqlite_settings, "lstm")
    found = read(sqlite_settings)
    assert [one.symbol for one in found.lstm] == ["AAPL", "KO"]
    assert {one.expected_log_return for one in found.lstm} == {MEANS["lstm"]}
    assert [one.symbol for one in found.serving] == ["AAPL", "KO", "QUAL", "XOM"]
    assert (found.moving_average, found.moving_average_model) == ((), None)


def test_the_moving_average_of_lowest_validation_error_is_taken(
    sqlite_settings: Settings,
) -> None:
    add_forecasts(sqlite_settings, "sma", "ema", "crossover", rmse={"sma": 0.08, "ema": 0.07})
    found = read(sqlite_settings)
    assert found.moving_average_model == "smartinvest-ema"
    assert {one.expected_log_return for one in found.moving_average} == {MEANS["ema"]}


def test_without_scores_the_first_moving_average_is_taken(sqlite_settings: Settings) -> None:
    add_forecasts(sqlite_settings, "crossover", "ema")
    assert read(sqlite_settings).moving_average_model == "smartinvest-ema"


def test_a_run_that_nothing_serves_is_refused(sqlite_settings: Settings) -> None:
    with transaction(sqlite_settings) as store:
        store.execute(sa.update(tables["forecast"]).values(serves=False))
    with pytest.raises(RebalanceError, match="no forecast over 21 sessions serves it"):
        read(sqlite_settings)
