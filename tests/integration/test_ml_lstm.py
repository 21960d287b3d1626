import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ml_examples import changed_after, panel_of, random_walk, trending

from ml.errors import ModelNotFoundError, TrainingError
from ml.evaluation import r2_out_of_sample, scored_by_all
from ml.forecasters import load_forecaster
from ml.forecasters.expanding_mean import expanding_mean_forecast
from ml.forecasters.lstm import LstmForecaster
from ml.forecasters.lstm_network import LstmSettings
from ml.panel import Panel
from ml.splits import split_in_time

HORIZON = 21
TINY = LstmSettings(
    window_sessions=5,
    units=(8,),
    dropout=0.0,
    learning_rate=1e-2,
    batch_size=256,
    samples_per_epoch=4096,
    epochs=4,
    patience_epochs=4,
)


def fitted(panel: Panel, settings: LstmSettings = TINY, seed: int = 3) -> LstmForecaster:
    forecaster = LstmForecaster(HORIZON, settings, seed)
    forecaster.fit(panel, split_in_time(len(panel), HORIZON, HORIZON))
    return forecaster


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(trending(sessions=1500))


@pytest.fixture(scope="module")
def forecaster(panel: Panel) -> LstmForecaster:
    return fitted(panel)


def test_a_planted_trend_is_found(panel: Panel, forecaster: LstmForecaster) -> None:
    test = split_in_time(len(panel), HORIZON, HORIZON).test
    rows = slice(test.start, test.stop)
    outcomes = panel.forward_log_return(HORIZON)[rows]
    benchmark = expanding_mean_forecast(panel, HORIZON)[rows]
    mean = forecaster.predict(panel, test).mean
    where = scored_by_all(outcomes, mean, benchmark)
    assert r2_out_of_sample(outcomes, mean, benchmark, where) > 0.1


def test_changes_after_a_session_leave_its_forecast_bit_identical(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    until_900 = range(300, 901)
    before = forecaster.predict(panel, until_900)
    for other in (changed_after(panel, 900), panel.until(panel.session(900))):
        after = forecaster.predict(other, until_900)
        np.testing.assert_array_equal(before.mean, after.mean)
        np.testing.assert_array_equal(before.stdev, after.stdev)


def test_a_session_forecast_alone_has_the_bits_that_it_has_among_others(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    together = forecaster.predict(panel, range(800, 1000))
    alone = forecaster.predict(panel, range(900, 901))
    np.testing.assert_array_equal(together.mean[100], alone.mean[0])
    np.testing.assert_array_equal(together.stdev[100], alone.stdev[0])


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    again, other = fitted(panel), fitted(panel, seed=4)
    pairs = zip(
        forecaster.networks[0].get_weights(),
        again.networks[0].get_weights(),
        other.networks[0].get_weights(),
        strict=True,
    )
    for one, same, different in pairs:
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, different)


def test_what_happens_after_validation_does_not_change_what_is_learned(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    split = split_in_time(len(panel), HORIZON, HORIZON)
    other = fitted(changed_after(panel, split.validation[-1] + HORIZON))
    for one, same in zip(
        forecaster.networks[0].get_weights(), other.networks[0].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, same)


def test_a_saved_model_forecasts_the_same_bits(
    panel: Panel, forecaster: LstmForecaster, tmp_path: Path
) -> None:
    forecaster.save(tmp_path)
    loaded = load_forecaster(tmp_path)
    last = range(len(panel) - 50, len(panel))
    one, other = forecaster.predict(panel, last), loaded.predict(panel, last)
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.stdev, other.stdev)


def test_lost_or_damaged_weights_are_refused(forecaster: LstmForecaster, tmp_path: Path) -> None:
    forecaster.save(tmp_path)
    weights = tmp_path / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(ModelNotFoundError, match=r"weights\.npz.*damaged"):
        load_forecaster(tmp_path)
    weights.unlink()
    with pytest.raises(ModelNotFoundError, match=r"weights\.npz.*missing"):
        load_forecaster(tmp_path)


def test_symbols_that_are_new_or_too_young_get_no_forecast(
    panel: Panel, forecaster: LstmForecaster
) -> None:
    returns = panel.log_return_1d.copy()
    returns[:-100, 0] = np.nan
    observed = panel.observed.copy()
    observed[:-101, 0] = False
    changed = replace(panel, log_return_1d=returns, observed=observed)
    renamed = replace(changed, symbols=(*changed.symbols[:-1], "ZZZ"))
    mean = forecaster.predict(renamed, range(len(panel) - 1, len(panel))).mean[0]
    assert np.isnan(mean[[0, -1]]).all()
    assert np.isfinite(mean[1:-1]).all()


def test_seeds_are_averaged(panel: Panel) -> None:
    two = fitted(panel, replace(TINY, seeds=2, epochs=1))
    last = range(len(panel) - 1, len(panel))
    means = [_alone(two, network).predict(panel, last).mean for network in two.networks]
    np.testing.assert_allclose(two.predict(panel, last).mean, (means[0] + means[1]) / 2)


def _alone(forecaster: LstmForecaster, network: object) -> LstmForecaster:
    single = LstmForecaster(HORIZON, forecaster.settings)
    single.restore(forecaster.state())
    single.networks = [network]
    return single


def test_too_few_labels_are_refused_before_training() -> None:
    panel = panel_of(random_walk(sessions=1000, symbols=1))
    with pytest.raises(TrainingError, match=r"labels to train lstm on = '4\d\d': at least 1000"):
        fitted(panel)


CORES = LstmSettings(window_sessions=21, units=(32,), samples_per_epoch=1024, epochs=1)


def test_the_number_of_cores_changes_no_bit_of_what_is_learned(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    subprocess.run(
        [sys.executable, "-c", _TRAINING, str(there)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
            "TF_NUM_INTRAOP_THREADS": "8",
            "TF_NUM_INTEROP_THREADS": "8",
        },
        check=True,
    )
    fitted(panel_of(random_walk()), CORES).save(here)
    assert (here / "weights.npz").read_bytes() == (there / "weights.npz").read_bytes()


_TRAINING = """
import sys
from pathlib import Path
from ml_examples import panel_of, random_walk
from test_ml_lstm import CORES, fitted
fitted(panel_of(random_walk()), CORES).save(Path(sys.argv[1]))
"""
