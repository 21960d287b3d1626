import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from ml_examples import panel_of, random_walk
from ml_models import autoregressive, fitted, split_of

from ml.forecasters.ridge import PENALTIES, Moments, RidgeForecaster
from ml.forecasters.tabular import portions
from ml.forecasters.targets import benchmark_and_scale, surprise
from ml.forecasters.training_blocks import TrainingBlocks
from ml.panel import Panel
from ml.rolling import Floats
from models.vocabulary import FORECAST_HORIZONS_SESSIONS

HORIZON = 21


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(autoregressive(sessions=1500, symbols=6))


@pytest.fixture(scope="module")
def ridge(panel: Panel) -> RidgeForecaster:
    model = fitted("ridge", panel)
    assert isinstance(model, RidgeForecaster)
    return model


def rows_of(model: RidgeForecaster, panel: Panel, sessions: range) -> tuple[Floats, Floats]:
    """Channels with a constant, and the target, of all rows that have one."""
    target = surprise(panel, HORIZON)[sessions.start : sessions.stop]
    known = np.isfinite(target)
    inputs = model.standardiser.transform(panel, sessions)[known]
    return np.column_stack([inputs, np.ones(len(inputs))]), target[known]


def their_weights(inputs: Floats, target: Floats, penalty: float) -> Floats:
    """Plain least squares with a row for each weight that pulls it to 0."""
    columns = inputs.shape[1]
    if penalty == np.inf:
        return np.zeros(columns)
    pulls = np.sqrt(penalty * len(target)) * np.eye(columns)
    rows = np.concatenate([inputs, pulls]), np.concatenate([target, np.zeros(columns)])
    return np.asarray(np.linalg.lstsq(*rows)[0])


def test_penalty_and_weights_are_those_of_plain_least_squares(
    panel: Panel, ridge: RidgeForecaster
) -> None:
    split = split_of(panel)
    cut = TrainingBlocks.cut("ridge", split, [surprise(panel, HORIZON)])
    parts = [rows_of(ridge, panel, block) for block in cut.blocks]
    errors = np.zeros(len(PENALTIES))
    for number, (held_out, truth) in enumerate(parts):
        others = [part for other, part in enumerate(parts) if other != number]
        inputs, target = (np.concatenate(column) for column in zip(*others, strict=True))
        for place, penalty in enumerate(PENALTIES):
            said = held_out @ their_weights(inputs, target, penalty)
            errors[place] += np.sum(np.square(truth - said))
    penalty = PENALTIES[int(np.argmin(errors))]
    inputs, target = rows_of(ridge, panel, split.train)
    weights = their_weights(inputs, target, penalty)
    place = ridge.horizons.index(HORIZON)
    assert np.inf > ridge.penalties[place] == penalty
    np.testing.assert_allclose(ridge.weights[place], weights, rtol=1e-6, atol=1e-9)
    spread = np.sqrt(np.mean(np.square(target - inputs @ weights)))
    assert ridge.spreads[0, place] == pytest.approx(spread)


def test_no_label_of_a_block_reaches_into_another(panel: Panel) -> None:
    split = split_of(panel)
    cut = TrainingBlocks.cut("ridge", split, [surprise(panel, horizon) for horizon in (5, 21)])
    for block, after in pairwise(cut.blocks):
        assert block[-1] + max(FORECAST_HORIZONS_SESSIONS) <= after[0]
    runs = sorted((*cut.blocks, *cut.gaps), key=lambda run: run.start)
    first = int(np.argmax(np.isfinite(surprise(panel, 21)).any(axis=1)))
    assert [session for run in runs for session in run] == list(range(first, split.train.stop))
    sessions = np.repeat(np.arange(len(panel)), 2)
    for block, (learned, held_out) in zip(cut.blocks, cut.folds(sessions), strict=True):
        assert set(sessions[held_out]) == set(block)
        assert set(sessions[learned]) == {s for run in cut.blocks if run != block for s in run}


def test_where_no_penalty_helps_the_forecast_is_the_benchmark() -> None:
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
    np.testing.assert_array_equal(
        Moments.sum([parts, whole]).products, parts.products + whole.products
    )
    weights = np.array([0.1, -0.2, 0.3, 0.4])
    left = target - inputs @ weights[:3] - 0.4
    assert whole.square_error(weights) == pytest.approx(np.sum(np.square(left)))


MANY_CHANNELS = """
from hashlib import sha256
import numpy as np
from ml.forecasters.ridge import PENALTIES, Moments
generator = np.random.default_rng(1)
moments = Moments.empty(140)
moments.add(generator.normal(size=(5000, 140)), generator.normal(size=5000))
weights = moments.solve(PENALTIES)
errors = [moments.square_error(of_penalty) for of_penalty in weights]
print(sha256(np.concatenate([*weights, errors]).tobytes()).hexdigest())
"""


def test_threads_change_no_bit_of_many_channels() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", MANY_CHANNELS],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(said) == 1
    assert len(said.pop().strip()) == 64


def test_portions_cover_every_session_once(panel: Panel) -> None:
    cut = list(portions(panel, range(100, 777), rows=1000))
    assert [session for part in cut for session in part] == list(range(100, 777))
    assert max(len(part) * len(panel.symbols) for part in cut) <= 1000


def test_a_symbol_that_training_did_not_know_is_forecast(
    panel: Panel, ridge: RidgeForecaster
) -> None:
    stranger = panel_of(autoregressive(sessions=1500, symbols=7, seed=9)).of_symbols(("S06",))
    assert "S06" not in panel.symbols
    assert np.isfinite(ridge.predict(stranger, range(1499, 1500)).mean).all()
