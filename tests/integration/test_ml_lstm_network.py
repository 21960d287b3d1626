from dataclasses import replace

import numpy as np
import pytest
from lstm_examples import SLOWER, TINY
from ml_examples import panel_of, random_walk

from ml.errors import PanelError
from ml.forecasters.lstm.network import Lstm, Network
from ml.forecasters.lstm.samples import Samples, drawn, epoch_order
from ml.forecasters.lstm.tensorflow_setup import tensorflow
from ml.forecasters.lstm.training import Trainer
from ml.forecasters.lstm.windows import WindowSource, gather_windows
from ml.scaling import Standardiser

tf = tensorflow()


def test_the_fused_layer_computes_what_keras_computes_and_so_do_its_gradients() -> None:
    dice = np.random.default_rng(1)
    lstm = Lstm(units=16, channels=7, seed=5, precision="float32")
    variables = lstm.layer.trainable_weights
    for variable in variables:
        variable.assign(dice.normal(0.0, 0.3, variable.shape))
    signal = tf.constant(dice.normal(size=(20, 12, 7)), tf.float32)
    found = []
    for fused in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(signal)
            outputs = lstm(signal, fused=fused)
            loss = tf.reduce_mean(tf.square(outputs - 0.3))
        watched = [signal, *(variable.value for variable in variables)]
        found.append([outputs, *tape.gradient(loss, watched)])
    for ours, keras in zip(*found, strict=True):
        np.testing.assert_allclose(ours, keras, atol=1e-6)
        assert np.abs(keras).max() > 1e-4


def test_half_precision_as_on_a_gpu_says_nearly_the_same_and_trains() -> None:
    dice = np.random.default_rng(1)
    windows = tf.constant(dice.normal(size=(21, 8, 6)), tf.float32)
    symbols = tf.constant(dice.integers(0, 3, 8))
    full = Network(SLOWER, 6, 3, 2, gpu=False)
    weights = [dice.normal(0.0, 0.3, array.shape) for array in full.weights]
    half = Network(SLOWER, 6, 3, 2, gpu=True)
    for network in (full, half):
        network.set_weights(weights)
    for ours, theirs in zip(full(windows, symbols), half(windows, symbols), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.02)
    before = half.weights
    trainer = trainer_of(half)
    assert np.isfinite(trainer.run_epoch(seed=1, epoch=0))
    assert not np.array_equal(before[0], half.weights[0])


def trainer_of(network: Network) -> Trainer:
    dice = np.random.default_rng(2)
    source = WindowSource(
        of_symbols=tf.constant(dice.normal(size=(3 * 400, 5)), tf.float32),
        of_sessions=tf.constant(dice.normal(size=(400, 1)), tf.float32),
        first=0,
    )
    ends = np.stack([dice.integers(20, 400, 600), dice.integers(0, 3, 600)], axis=1)
    samples = Samples(ends, dice.normal(size=(600, 2)).astype(np.float32))
    return Trainer(network, source, (), samples, samples)


def test_the_untrained_network_says_mean_0_and_scale_1() -> None:
    windows = tf.constant(np.random.default_rng(1).normal(size=(5, 8, 6)), tf.float32)
    means, log_scales = Network(TINY, 6, 3, 2)(windows, tf.zeros(8, tf.int64))
    np.testing.assert_array_equal(means, np.zeros((8, 2)))
    np.testing.assert_array_equal(log_scales, np.zeros((8, 2)))


def test_targets_that_are_missing_teach_nothing() -> None:
    trainer = trainer_of(Network(TINY, 6, 3, 2))
    ends, targets = trainer.held_out.ends[:256], trainer.held_out.targets[:256].copy()
    source = trainer.source.of_symbols, trainer.source.of_sessions
    both = float(trainer._one_loss(*source, ends, targets))
    targets[:, 1] = np.nan
    one = float(trainer._one_loss(*source, ends, targets))
    # The untrained network says 0 with scale 1.
    assert one == pytest.approx(0.5 * np.square(targets[:, 0]).sum(), rel=1e-5)
    assert both > one


def test_an_epoch_goes_on_where_the_one_before_it_stopped_until_all_samples_were_shown() -> None:
    epochs = [epoch_order(100, 40, seed=7, epoch=epoch) for epoch in range(5)]
    shown = np.concatenate(epochs)
    assert sorted(shown[:100]) == list(range(100))
    assert sorted(shown[100:]) == list(range(100))
    assert not np.array_equal(shown[:100], shown[100:])
    assert not np.array_equal(epochs[0], epoch_order(100, 40, seed=8, epoch=0))


def test_the_windows_that_stop_a_training_are_of_all_symbols_and_of_all_its_sessions() -> None:
    symbols, sessions = 500, 252
    chosen = drawn(symbols * sessions, 10_080)
    assert len(chosen) == 10_080
    assert np.array_equal(chosen, np.unique(chosen))
    assert len(np.unique(chosen % symbols)) == symbols
    assert len(np.unique(chosen // symbols)) == sessions
    assert np.array_equal(drawn(50, 10_080), np.arange(50))


def test_gathered_windows_are_rows_of_what_the_standardiser_says() -> None:
    panel = panel_of(random_walk(sessions=600))
    values, session_values = panel.values.copy(), panel.session_values.copy()
    values[340:390, 2, 0] = np.nan
    session_values[360:370] = np.nan
    panel = replace(panel, values=values, session_values=session_values)
    standardiser = Standardiser.fit(panel, range(500))
    channels = standardiser.transform(panel, range(350, 600))
    source = WindowSource.make(panel, standardiser, range(350, 600))
    ends = np.array([[361, 2], [388, 0], [599, 5], [399, 2]])
    masked = tuple(standardiser.feature_of_channel[len(standardiser.features) :])
    assert len(masked) == 2
    windows = gather_windows(
        source.of_symbols, source.of_sessions, source.rows_of(ends), 12, masked
    )
    for number, (session, symbol) in enumerate(ends):
        row = session - 350
        np.testing.assert_array_equal(windows[:, number], channels[row - 11 : row + 1, symbol])


def test_a_feature_that_the_panel_lacks_is_named() -> None:
    panel = panel_of(random_walk(sessions=600))
    standardiser = Standardiser.fit(panel, range(500))
    poorer = replace(panel, features=("trend", "other"))
    with pytest.raises(PanelError, match="noise"):
        WindowSource.make(poorer, standardiser, range(50, 300))
