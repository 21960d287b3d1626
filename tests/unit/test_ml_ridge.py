import numpy as np
import pytest
from ml_examples import panel_of, random_walk
from ml_models import autoregressive, fitted, split_of
from sklearn.linear_model import Ridge

from ml.forecasters.ridge import PENALTIES, Moments, RidgeForecaster
from ml.forecasters.tabular import blocks
from ml.panel import Panel
from ml.rolling import Floats
from ml.scaling import Array
from ml.targets import benchmark_and_scale, surprise

HORIZON = 21


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(autoregressive(sessions=1500, symbols=6))


@pytest.fixture(scope="module")
def ridge(panel: Panel) -> RidgeForecaster:
    model = fitted("ridge", panel)
    assert isinstance(model, RidgeForecaster)
    return model


def rows_of(model: RidgeForecaster, panel: Panel, sessions: range) -> tuple[Array, Floats, Floats]:
    """Channels, target and volatility of all rows that have a target."""
    rows = slice(sessions.start, sessions.stop)
    target = surprise(panel, HORIZON)[rows]
    known = np.isfinite(target)
    inputs = model.standardiser.transform(panel, sessions)[known]
    return inputs, target[known], benchmark_and_scale(panel, HORIZON)[1][rows][known]


def test_penalty_and_weights_are_those_of_an_independent_implementation(
    panel: Panel, ridge: RidgeForecaster
) -> None:
    split = split_of(panel)
    inputs, target, _ = rows_of(ridge, panel, split.train)
    held_out, truth, volatility = rows_of(ridge, panel, split.validation)
    errors, fits = [], []
    for penalty in PENALTIES[:-1]:
        theirs = Ridge(alpha=penalty * len(target), fit_intercept=False)
        theirs.fit(np.column_stack([inputs, np.ones(len(inputs))]), target)
        said = theirs.predict(np.column_stack([held_out, np.ones(len(held_out))]))
        errors.append(np.mean(np.square((truth - said) * volatility)))
        fits.append(theirs.coef_)
    best = int(np.argmin(errors))
    place = ridge.horizons.index(HORIZON)
    assert ridge.penalties[place] == PENALTIES[best]
    np.testing.assert_allclose(ridge.weights[place], fits[best], rtol=1e-6, atol=1e-9)
    left = target - np.column_stack([inputs, np.ones(len(inputs))]) @ fits[best]
    assert ridge.spreads[0, place] == pytest.approx(np.sqrt(np.mean(np.square(left))))


def test_where_no_penalty_helps_validation_the_forecast_is_the_benchmark() -> None:
    found = 0
    for seed in range(10):
        panel = panel_of(random_walk(seed=seed))
        model = fitted("ridge", panel)
        assert isinstance(model, RidgeForecaster)
        forecast = model.predict(panel, range(800, 1000))
        for place, horizon in enumerate(model.horizons):
            if model.penalties[place] == np.inf:
                found += 1
                benchmark = benchmark_and_scale(panel, horizon)[0][800:]
                np.testing.assert_array_equal(forecast.mean[place], benchmark)
                assert model.state()["penalties"][place] is None
    assert found


def test_sums_in_blocks_are_the_sums_of_all_rows() -> None:
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(1000, 3)).astype(np.float32)
    target = generator.normal(size=1000)
    whole, parts = Moments.empty(3), Moments.empty(3)
    whole.add(inputs, target)
    for start in range(0, 1000, 300):
        parts.add(inputs[start : start + 300], target[start : start + 300])
    assert parts.rows == whole.rows == 1000
    np.testing.assert_allclose(parts.products, whole.products, rtol=1e-12)
    weights = np.array([0.1, -0.2, 0.3, 0.4])
    left = target - inputs @ weights[:3] - 0.4
    assert whole.mean_square_error(weights) == pytest.approx(np.mean(np.square(left)))


def test_blocks_cover_every_session_once(panel: Panel) -> None:
    cut = list(blocks(panel, range(100, 777), rows=1000))
    assert [session for block in cut for session in block] == list(range(100, 777))
    assert max(len(block) * len(panel.symbols) for block in cut) <= 1000


def test_a_symbol_that_training_did_not_know_is_forecast(
    panel: Panel, ridge: RidgeForecaster
) -> None:
    stranger = panel_of(autoregressive(sessions=1500, symbols=7, seed=9)).of_symbols(("S06",))
    assert "S06" not in panel.symbols
    assert np.isfinite(ridge.predict(stranger, range(1499, 1500)).mean).all()
