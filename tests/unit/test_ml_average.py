from dataclasses import replace

import numpy as np
import pytest
from ml_examples import panel_of, random_walk
from ml_models import SEED, fitted, split_of

from ml.errors import ModelNotFoundError
from ml.forecasters import BASELINES, CANDIDATES, MODELS, forecaster_class
from ml.forecasters.average import AverageForecaster, average_seeds
from ml.forecasters.base import Forecasts
from ml.forecasters.gradient_boosting import GradientBoostingForecaster
from ml.panel import Panel
from ml.work import Work


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(random_walk())


def test_a_symbol_is_forecast_where_all_members_forecast_it(panel: Panel) -> None:
    naive, trend = fitted("naive", panel), fitted("sma", panel)
    both = AverageForecaster.of([naive, fitted("expanding_mean", panel)])
    returns = np.where(np.arange(len(panel))[:, None] < 900, np.nan, panel.log_return_1d)
    young = replace(panel, log_return_1d=returns)
    last = range(len(panel) - 1, len(panel))
    assert np.isfinite(naive.predict(young, last).mean).all()
    assert np.isnan(both.predict(young, last).mean).all()
    assert both.history_sessions > naive.history_sessions
    forecast = AverageForecaster.of([naive, trend]).predict(panel, last)
    one, other = naive.predict(panel, last), trend.predict(panel, last)
    np.testing.assert_allclose(forecast.mean, (one.mean + other.mean) / 2)
    np.testing.assert_allclose(forecast.stdev**2, (one.stdev**2 + other.stdev**2) / 2)


def test_members_of_one_seed_stand_beside_every_seed_of_others(panel: Panel) -> None:
    several = GradientBoostingForecaster(seeds=3)
    several.fit(panel, split_of(panel), Work(SEED))
    single = fitted("sma", panel)
    last = range(len(panel) - 1, len(panel))
    seeds = AverageForecaster.of([single, several]).predict_seeds(panel, last)
    assert len(seeds) == 3
    trend = single.predict(panel, last).mean
    for seed, alone in zip(seeds, several.predict_seeds(panel, last), strict=True):
        np.testing.assert_allclose(seed.mean, (trend + alone.mean) / 2)


def test_seeds_begin_anew_where_a_member_has_fewer() -> None:
    def seeds(*means: float) -> list[Forecasts]:
        return [Forecasts(np.array([mean]), np.ones(1)) for mean in means]

    averages = average_seeds([seeds(1, 2), seeds(10, 20, 30)])
    assert [float(one.mean[0]) for one in averages] == [5.5, 11.0, 15.5]


def test_every_model_is_known_by_its_own_name() -> None:
    assert (*BASELINES, *CANDIDATES) == MODELS
    assert [forecaster_class(name).name for name in MODELS] == list(MODELS)
    with pytest.raises(ModelNotFoundError, match="Known are naive, expanding_mean"):
        forecaster_class("oracle")
