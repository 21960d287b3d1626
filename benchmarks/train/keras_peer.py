"""The same network as users of Keras train it: windows written out, then ``fit``."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.train.task import (
    BATCH,
    COMPARED_WINDOWS,
    EMBEDDING_SIZE,
    FEATURES,
    HORIZONS,
    LARGEST_GRADIENT,
    LEARNING_RATE,
    THREADS,
    UNITS,
    WEIGHT_DECAY,
    WIDEST_LOG_SCALE,
    WINDOW_SESSIONS,
    Array,
    Task,
)


class Epochs(keras.callbacks.Callback):
    """Holds when each epoch began and ended; in the first one Keras compiles."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[float] = []
        self.ended: list[float] = []

    def on_epoch_begin(self, *_: Any) -> None:
        """Note the time."""
        self.began.append(time.perf_counter())

    def on_epoch_end(self, *_: Any) -> None:
        """Note the time."""
        self.ended.append(time.perf_counter())


def network(symbols: int) -> keras.Model:
    """Return our network, untrained and compiled."""
    layers = keras.layers
    window = keras.Input((WINDOW_SESSIONS, FEATURES))
    symbol = keras.Input((), dtype="int32")
    signal = layers.LSTM(UNITS[0], return_sequences=True)(window)
    signal = layers.LSTM(UNITS[1])(signal)
    identity = layers.Embedding(symbols + 1, EMBEDDING_SIZE)(symbol)
    joined = layers.Concatenate()([signal, identity])
    output = layers.Dense(2 * HORIZONS, kernel_initializer="zeros")(joined)
    model = keras.Model([window, symbol], output)
    optimizer = keras.optimizers.AdamW(
        LEARNING_RATE, weight_decay=WEIGHT_DECAY, global_clipnorm=LARGEST_GRADIENT
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, loss=negative_log_likelihood)
    return model


def negative_log_likelihood(target: Any, output: Any) -> Any:
    """Return that of a normal distribution, without its constant, summed over horizons."""
    mean, log_scale = keras.ops.split(output, 2, axis=-1)
    log_scale = keras.ops.clip(log_scale, -WIDEST_LOG_SCALE, WIDEST_LOG_SCALE)
    scaled = (target - mean) * keras.ops.exp(-log_scale)
    return keras.ops.sum(log_scale + 0.5 * keras.ops.square(scaled), axis=-1)


def windows_of(task: Task) -> Array:
    """Write out all windows, (windows, sessions, features)."""
    views = np.lib.stride_tricks.sliding_window_view(task.features(), WINDOW_SESSIONS, axis=1)
    return np.ascontiguousarray(views.transpose(0, 1, 3, 2)).reshape(-1, WINDOW_SESSIONS, FEATURES)


def train(task: Task, weights: Path) -> dict[str, Any]:
    """Fit, and say how far forecasts are from ours when the weights are the same."""
    windows = windows_of(task)
    symbols = (task.ends()[:, 1] + 1).astype(np.int32)
    model = network(task.symbols)
    clock = Epochs()
    history = model.fit(
        [windows, symbols],
        task.targets(),
        batch_size=BATCH,
        steps_per_epoch=task.steps,
        epochs=2,
        callbacks=[clock],
        verbose=0,
    )
    ours = np.load(weights)
    model.set_weights([ours[name] for name in sorted(ours.files) if name.startswith("weights_")])
    some = slice(0, COMPARED_WINDOWS)
    forecasts = model.predict_on_batch([windows[some], symbols[some]])
    return {
        "seconds": clock.ended[1] - clock.began[1],
        "loss": history.history["loss"][-1],
        "error": float(np.abs(forecasts - ours["forecasts"]).max()),
    }


def main() -> None:
    """Train the task that the command line gives."""
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    *task, weights = sys.argv[1:]
    print(json.dumps(train(Task.of_arguments(*task), Path(weights))))


if __name__ == "__main__":
    main()
