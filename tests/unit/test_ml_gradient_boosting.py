from pathlib import Path

import numpy as np
import pytest
from ml_examples import panel_of, random_walk
from ml_models import SEED, autoregressive, split_of

from ml.errors import ModelNotFoundError
from ml.forecasters import gradient_boosting, load_forecaster
from ml.forecasters.gradient_boosting import SETTINGS, GradientBoostingForecaster
from ml.forecasters.targets import benchmark_and_scale
from ml.panel import Panel
from ml.work import Progress, Work


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(autoregressive(sessions=900, symbols=8))


def grown(panel: Panel, seed: int = SEED, seeds: int = 2) -> GradientBoostingForecaster:
    model = GradientBoostingForecaster((5,), seeds)
    model.fit(panel, split_of(panel), Work(seed))
    return model


@pytest.fixture(scope="module")
def model(panel: Panel) -> GradientBoostingForecaster:
    return grown(panel)


def test_seeds_differ_and_each_is_what_it_would_be_alone(
    panel: Panel, model: GradientBoostingForecaster
) -> None:
    assert model.trees[0][0].text != model.trees[1][0].text
    assert grown(panel, seeds=1).trees[0] == model.trees[0]
    assert grown(panel, seed=SEED + 1, seeds=1).trees[0] != model.trees[0]


def test_progress_ends_with_all_steps_done(panel: Panel) -> None:
    told: list[Progress] = []
    GradientBoostingForecaster((5,), seeds=2).fit(
        panel, split_of(panel), Work(SEED, listener=told.append)
    )
    assert [progress.done for progress in told] == list(range(1, len(SETTINGS) + 3))
    assert told[-1].total == told[-1].done
    assert told[-1].seconds_left == 0


def test_where_no_tree_helps_the_forecast_is_the_benchmark() -> None:
    for seed in range(20):
        panel = panel_of(random_walk(seed=seed))
        model = grown(panel, seeds=1)
        if model.chosen[0].rounds == 0:
            assert model.trees[0][0].text == ""
            forecast = model.predict(panel, range(990, 1000)).mean[0]
            np.testing.assert_array_equal(forecast, benchmark_and_scale(panel, 5)[0][990:])
            assert (model.explain(panel).parts == 0).all()
            return
    pytest.fail("trees were found in twenty random walks")


def test_a_large_market_is_strided_further(
    panel: Panel, model: GradientBoostingForecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model.stride == 5
    monkeypatch.setattr(gradient_boosting, "MOST_ROWS", 300)
    far = grown(panel, seeds=1)
    rows = panel.observed[: split_of(panel).train.stop].sum()
    assert rows / far.stride <= 300 < rows / (far.stride - 1)
    assert far.state()["stride_sessions"] == far.stride


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "it is missing"),
        (lambda path: path.write_bytes(b""), "it is damaged"),
        (
            lambda path: path.write_text(path.read_text()[: path.stat().st_size // 2]),
            "it is damaged",
        ),
        (lambda path: path.write_text("not a tree"), "it is damaged"),
    ],
)
def test_trees_that_are_missing_or_damaged_are_refused(
    model: GradientBoostingForecaster, tmp_path: Path, damage: object, message: str
) -> None:
    model.save(tmp_path)
    assert callable(damage)
    damage(tmp_path / "horizon_5_seed_1.txt")
    with pytest.raises(ModelNotFoundError, match=message):
        load_forecaster(tmp_path)
