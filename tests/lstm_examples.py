"""A small LSTM that trains in seconds, for the tests that need one."""

from pathlib import Path

import numpy as np

from ml.forecasters.base import Forecasts
from ml.forecasters.lstm.forecaster import LstmForecaster
from ml.forecasters.lstm.settings import LstmSettings
from ml.panel import Panel
from ml.splits import Split
from ml.work import Listener, Work, ignore

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
"""Learns the trend of ``ml_examples.trending``."""

SLOWER = LstmSettings(
    window_sessions=10,
    units=(8, 8),
    batch_size=256,
    samples_per_epoch=4096,
    stopping_samples=512,
    epochs=4,
    patience_epochs=4,
    seeds=2,
)
"""Has dropout, two layers and two seeds, and epochs long enough to be killed in."""


def split_of(panel: Panel) -> Split:
    """The split of a panel of 1,000 sessions or more."""
    end = len(panel)
    return Split(
        train=range(end - 500),
        validation=range(end - 458, end - 250),
        test=range(end - 208, end - 21),
        purge_sessions=21,
        embargo_sessions=21,
    )


def fitted(
    panel: Panel,
    settings: LstmSettings = TINY,
    seed: int = 3,
    folder: Path | None = None,
    listener: Listener = ignore,
) -> LstmForecaster:
    """The network of ``split_of``'s training range."""
    forecaster = LstmForecaster(settings=settings)
    forecaster.fit(panel, split_of(panel), Work(seed, folder, listener))
    return forecaster


def assert_same_weights(one: LstmForecaster, other: LstmForecaster) -> None:
    """Every seed's network is the same, bit for bit."""
    assert len(one.weights) == len(other.weights)
    for ours, theirs in zip(one.weights, other.weights, strict=True):
        for array, same in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(array, same)


def assert_same_forecasts(one: Forecasts, other: Forecasts) -> None:
    """Means and scales are the same, bit for bit."""
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.stdev, other.stdev)
