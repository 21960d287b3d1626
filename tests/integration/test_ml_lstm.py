import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lstm_examples import TINY, assert_same_forecasts, assert_same_weights, fitted, split_of
from ml_examples import changed_after, panel_of, random_walk, trending

from ml.errors import ModelNotFoundError, TrainingError
from ml.forecasters import load_forecaster
from ml.forecasters.base import Forecasts
from ml.forecasters.lstm.forecaster import LstmForecaster
from ml.forecasters.targets import benchmark_and_scale
from ml.forecasters.training_blocks import learning_and_stopping
from ml.panel import Panel


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(trending(sessions=1700))


@pytest.fixture(scope="module")
def forecaster(panel: Panel) -> LstmForecaster:
    return fitted(panel)


def r2(panel: Panel, forecasts: Forecasts, sessions: range) -> list[float]:
    """Out of sample, against the expanding mean, by horizon."""
    rows = slice(sessions.start, sessions.stop)
    found = []
    for mean, horizon in zip(forecasts.mean, (5, 21), strict=True):
        outcomes = panel.forward_log_return(horizon)[rows]
        benchmark = benchmark_and_scale(panel, horizon)[0][rows]
        errors = np.square(outcomes - mean).sum() / np.square(outcomes - benchmark).sum()
        found.append(float(1 - errors))
    return found


def test_a_planted_trend_is_found_at_both_horizons(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    test = split_of(panel).test
    forecasts = forecaster.predict(panel, test)
    assert min(r2(panel, forecasts, test)) > 0.1
    assert (forecasts.stdev > 0).all()


def test_changes_after_a_session_leave_its_forecast_bit_identical(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    until_900 = range(300, 901)
    before = forecaster.predict(panel, until_900)
    for other in (changed_after(panel, 900), panel.until(panel.session(900))):
        assert_same_forecasts(before, forecaster.predict(other, until_900))


def test_a_session_forecast_alone_has_the_bits_that_it_has_among_others(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    together = forecaster.predict(panel, range(800, 1000))
    alone = forecaster.predict(panel, range(900, 901))
    np.testing.assert_array_equal(together.mean[:, 100], alone.mean[:, 0])
    np.testing.assert_array_equal(together.stdev[:, 100], alone.stdev[:, 0])


def test_a_symbol_forecast_alone_has_the_bits_that_it_has_among_others(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    last = range(len(panel) - 1, len(panel))
    together = forecaster.predict(panel, last)
    alone = forecaster.predict(panel.of_symbols(panel.symbols[3:4]), last)
    np.testing.assert_array_equal(together.mean[..., 3:4], alone.mean)


def test_features_of_the_last_windows_are_enough_to_forecast(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    first = len(panel) - TINY.window_sessions
    short = replace(panel, values=panel.values[first:], features_start=first)
    last = range(len(panel) - 1, len(panel))
    assert_same_forecasts(forecaster.predict(panel, last), forecaster.predict(short, last))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    assert_same_weights(forecaster, fitted(panel))
    for one, different in zip(forecaster.weights[0], fitted(panel, seed=4).weights[0], strict=True):
        assert not np.array_equal(one, different)


def test_a_saved_model_forecasts_the_same_bits(
    panel: Panel, forecaster: LstmForecaster, tmp_path: Path
) -> None:
    forecaster.save(tmp_path)
    loaded = load_forecaster(tmp_path)
    last = range(len(panel) - 50, len(panel))
    assert_same_forecasts(forecaster.predict(panel, last), loaded.predict(panel, last))
    assert isinstance(loaded, LstmForecaster)
    assert loaded.losses == forecaster.losses
    assert len(loaded.losses[0]) == TINY.epochs


def test_weights_that_lack_a_seed_are_refused(forecaster: LstmForecaster, tmp_path: Path) -> None:
    forecaster.save(tmp_path)
    state = tmp_path / "forecaster.json"
    content = json.loads(state.read_text())
    content["settings"]["seeds"] = 2
    state.write_text(json.dumps(content))
    with pytest.raises(ModelNotFoundError, match=r"weights\.npz.* each of 2 seeds"):
        load_forecaster(tmp_path)


def test_lost_or_damaged_weights_are_refused(forecaster: LstmForecaster, tmp_path: Path) -> None:
    forecaster.save(tmp_path)
    weights = tmp_path / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(ModelNotFoundError, match=r"weights\.npz.*damaged"):
        load_forecaster(tmp_path)
    weights.unlink()
    with pytest.raises(ModelNotFoundError, match=r"weights\.npz.*missing"):
        load_forecaster(tmp_path)


def young(panel: Panel, sessions: int) -> Panel:
    """The panel with a first symbol that was listed so many sessions ago."""
    returns, observed = panel.log_return_1d.copy(), panel.observed.copy()
    returns[: 1 - sessions, 0] = np.nan
    observed[:-sessions, 0] = False
    return replace(panel, log_return_1d=returns, observed=observed)


def test_a_symbol_that_is_too_young_gets_no_forecast(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    last = range(len(panel) - 1, len(panel))
    mean = forecaster.predict(young(panel, 200), last).mean[:, 0]
    assert np.isnan(mean[:, 0]).all()
    assert np.isfinite(mean[:, 1:]).all()


def test_a_symbol_that_is_listed_after_training_is_unknown_and_changes_no_bit() -> None:
    panel = panel_of(trending(sessions=1300))
    before = split_of(panel).train.stop
    observed, returns = panel.observed.copy(), panel.log_return_1d.copy()
    values = panel.values.copy()
    observed[:before, 2], returns[:before, 2], values[:before, 2] = False, np.nan, np.nan
    listed = replace(panel, observed=observed, log_return_1d=returns, values=values)
    others = panel.symbols[:2] + panel.symbols[3:]
    forecaster = fitted(listed)
    assert forecaster.symbols == others
    assert_same_weights(forecaster, fitted(panel.of_symbols(others)))
    last = range(len(panel) - 10, len(panel))
    renamed = replace(listed, symbols=(*panel.symbols[:2], "ZZ", *panel.symbols[3:]))
    assert np.isfinite(forecaster.predict(listed, last).mean).all()
    assert_same_forecasts(forecaster.predict(listed, last), forecaster.predict(renamed, last))


def test_symbols_that_training_did_not_know_are_forecast_whatever_their_names() -> None:
    panel = panel_of(trending(sessions=2000, symbols=24))
    known, unknown = panel.symbols[:16], panel.symbols[16:]
    forecaster = fitted(panel.of_symbols(known), replace(TINY, unknown_share=0.3))
    test = split_of(panel).test
    forecasts = forecaster.predict(panel, test)
    of_unknown = Forecasts(forecasts.mean[..., 16:], forecasts.stdev[..., 16:])
    assert min(r2(panel.of_symbols(unknown), of_unknown, test)) > 0.1
    renamed = replace(panel, symbols=(*known, *(f"Z{name}" for name in unknown)))
    assert_same_forecasts(forecasts, forecaster.predict(renamed, test))


def test_the_network_stops_by_the_last_part_of_training() -> None:
    split = split_of(panel_of(trending(sessions=1700)))
    learning, stopping = learning_and_stopping(split)
    assert stopping.stop == split.train.stop
    assert len(stopping) == round(0.15 * len(split.train))
    assert learning.start == split.train.start
    assert learning[-1] + split.purge_sessions < stopping[0]


def test_seeds_are_averaged(panel: Panel) -> None:
    two = fitted(panel, replace(TINY, seeds=2, epochs=1))
    last = range(len(panel) - 1, len(panel))
    one, other = two.predict_seeds(panel, last)
    together = two.predict(panel, last)
    np.testing.assert_allclose(together.mean, (one.mean + other.mean) / 2, rtol=1e-12)
    squares = (np.square(one.stdev) + np.square(other.stdev)) / 2
    np.testing.assert_allclose(together.stdev, np.sqrt(squares), rtol=1e-12)
    assert not np.array_equal(one.mean, other.mean)
    first = fitted(panel, replace(TINY, epochs=1)).predict(panel, last)
    np.testing.assert_array_equal(one.mean, first.mean)


def test_contributions_add_up_and_name_the_feature_that_was_planted(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    last = range(len(panel) - 1, len(panel))
    found = forecaster.explain(panel)
    mean = forecaster.predict(panel, last).mean[:, 0]
    np.testing.assert_allclose(found.baseline + found.parts.sum(axis=-1), mean, rtol=1e-9)
    size = dict(zip(found.features, np.abs(found.parts).mean(axis=(0, 1)), strict=True))
    assert size["trend"] > 2 * max(size["noise"], size["economy"])
    assert found.seen[2, 1] == pytest.approx(panel.values[-1, 2, 1])


def test_the_baseline_is_what_is_forecast_when_every_feature_is_missing(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    last = range(len(panel) - 1, len(panel))
    blank = replace(
        panel,
        values=np.full_like(panel.values, np.nan),
        session_values=np.full_like(panel.session_values, np.nan),
    )
    without = forecaster.predict(blank, last).mean[:, 0]
    found = forecaster.explain(panel)
    moved = np.abs(found.parts).sum(axis=-1)
    assert np.abs(found.baseline - without).max() < 1e-3 * moved.max()


def test_a_symbol_without_a_forecast_has_no_contributions(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    found = forecaster.explain(young(panel, 200))
    assert np.isnan(found.parts[:, 0]).all()
    assert np.isnan(found.baseline[:, 0]).all()
    assert np.isfinite(found.parts[:, 1:]).all()


def test_too_few_labels_are_refused_before_training() -> None:
    panel = panel_of(random_walk(sessions=1000, symbols=1))
    with pytest.raises(TrainingError, match=r"labels to train lstm on = '\d\d\d': at least 1000"):
        fitted(panel)


def test_a_loss_that_explodes_is_an_error(panel: Panel) -> None:
    with pytest.raises(TrainingError, match=r"no finite number after epoch 1.*learning rate"):
        fitted(panel, replace(TINY, learning_rate=1e30))


def test_a_feature_that_is_null_throughout_and_a_price_that_stands_still_do_no_harm(
    panel: Panel,
) -> None:
    values, returns = panel.values.copy(), panel.log_return_1d.copy()
    values[..., 1] = np.nan
    returns[:, 0] = 0.0
    forecaster = fitted(
        replace(panel, values=values, log_return_1d=returns), replace(TINY, epochs=1)
    )
    assert "noise" not in forecaster.standardiser.features
    mean = forecaster.predict(
        replace(panel, values=values, log_return_1d=returns), range(len(panel) - 1, len(panel))
    ).mean
    assert np.isnan(mean[..., 0]).all()
    assert np.isfinite(mean[..., 1:]).all()
