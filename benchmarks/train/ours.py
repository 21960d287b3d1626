"""Our part of the training benchmark: ``python -m benchmarks.train.ours NAME ...``."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.train.task import (
    BATCH,
    COMPARED_WINDOWS,
    EMBEDDING_SIZE,
    FEATURES,
    HORIZONS,
    LEARNING_RATE,
    UNITS,
    WEIGHT_DECAY,
    WINDOW_SESSIONS,
    Task,
)
from ml.forecasters.lstm.forecaster import LstmForecaster
from ml.forecasters.lstm.network import Network
from ml.forecasters.lstm.outputs import Outputs
from ml.forecasters.lstm.samples import Samples
from ml.forecasters.lstm.settings import LstmSettings
from ml.forecasters.lstm.training import Trainer
from ml.forecasters.lstm.windows import WindowSource
from ml.panel import Panel
from ml.rolling import Floats
from ml.scaling import Scale, Standardiser

_FORECAST_SYMBOLS = 5000
_FORECAST_SESSIONS = 6300
_SEEDS = 5


def settings_of(steps: int) -> LstmSettings:
    """Return the network that all contestants train."""
    return LstmSettings(
        window_sessions=WINDOW_SESSIONS,
        units=UNITS,
        embedding_size=EMBEDDING_SIZE,
        unknown_share=0.0,
        dropout=0.0,
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        batch_size=BATCH,
        samples_per_epoch=steps * BATCH,
        seeds=_SEEDS,
    )


def train(task: Task, weights: Path) -> dict[str, Any]:
    """Train by the loop of the product; leave weights and forecasts for the peers to compare."""
    standardiser, panel = _standardiser(), _panel(task.features())
    source = WindowSource.make(panel, standardiser, range(task.sessions))
    samples = Samples(task.ends(), task.targets())
    network = Network(settings_of(task.steps), FEATURES, task.symbols, HORIZONS, seed=1)
    del panel
    trainer = Trainer(network, source, (), samples, samples)
    trainer.run_epoch(seed=1, epoch=0)
    began = time.perf_counter()
    loss = trainer.run_epoch(seed=1, epoch=1)
    seconds = time.perf_counter() - began
    ends = samples.ends[:COMPARED_WINDOWS]
    means, scales = Outputs(network, ()).distributions(
        [network.weights], source, ends, ends[:, 1] + 1
    )[0]
    arrays = {f"weights_{number:02d}": array for number, array in enumerate(network.weights)}
    np.savez(weights, forecasts=np.concatenate([means, np.log(scales)]).T, **arrays)
    return {"seconds": seconds, "loss": loss}


def forecast() -> dict[str, Any]:
    """Forecast one session of 5,000 symbols with five seeds, from returns of 25 years."""
    dice = np.random.default_rng(3)
    features = dice.standard_normal((_FORECAST_SYMBOLS, WINDOW_SESSIONS, FEATURES), np.float32)
    returns = dice.normal(0.0, 0.01, (_FORECAST_SESSIONS, _FORECAST_SYMBOLS))
    panel = _panel(features, returns)
    settings = settings_of(1)
    forecaster = LstmForecaster(settings=settings)
    forecaster.symbols = panel.symbols
    forecaster.standardiser = _standardiser()
    network = Network(settings, FEATURES, len(panel.symbols), HORIZONS)
    forecaster.weights = [
        [dice.normal(0.0, 0.1, array.shape).astype(np.float32) for array in network.weights]
        for _ in range(_SEEDS)
    ]
    last = range(len(panel) - 1, len(panel))
    began = time.perf_counter()
    made = forecaster.predict(panel, last)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "forecasts": int(np.isfinite(made.mean).sum())}


def _panel(features: np.ndarray, returns: Floats | None = None) -> Panel:
    symbols, sessions, _ = features.shape
    if returns is None:
        returns = np.zeros((sessions, symbols))
    return Panel(
        sessions=np.arange(len(returns)).astype("datetime64[D]"),
        symbols=tuple(f"S{number:05d}" for number in range(symbols)),
        features=tuple(f"feature_{number}" for number in range(FEATURES)),
        values=features.transpose(1, 0, 2),
        log_return_1d=returns,
        observed=np.ones(returns.shape, np.bool_),
        session_features=(),
        session_values=np.empty((len(returns), 0), np.float32),
        features_start=len(returns) - sessions,
    )


def _standardiser() -> Standardiser:
    names = (f"feature_{number}" for number in range(FEATURES))
    return Standardiser(
        tuple(Scale(name, 0.0, 1.0, is_masked=False, of_session=False) for name in names), {}
    )


def main() -> None:
    """Run the contestant that the command line names."""
    name, *given = sys.argv[1:]
    if name == "train":
        *task, weights = given
        print(json.dumps(train(Task.of_arguments(*task), Path(weights))))
    else:
        print(json.dumps(forecast()))


if __name__ == "__main__":
    main()
