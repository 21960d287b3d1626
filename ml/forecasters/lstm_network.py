"""The network: LSTM layers over a window, a vector per symbol, a mean and a log scale."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.tensorflow_setup import keras


@dataclass(frozen=True)
class LstmSettings:
    """Size of the network and work of its training.

    An epoch shows ``samples_per_epoch`` windows, drawn without repetition until all have been
    seen; training ends when ``patience_epochs`` epochs bring no better validation loss.
    """

    window_sessions: int = 60
    units: tuple[int, ...] = (32,)
    embedding_size: int = 4
    dropout: float = 0.2
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    batch_size: int = 512
    samples_per_epoch: int = 24_576
    validation_samples: int = 6_144
    epochs: int = 12
    patience_epochs: int = 3
    seeds: int = 1


def build_network(settings: LstmSettings, channels: int, symbols: int) -> Any:
    """Return the untrained network: ((batch, length, channels), (batch,)) -> (batch, 2).

    It starts as the forecast "mean 0, scale 1": the last layer is zero, so whatever it says later
    about the mean, it had to learn.
    """
    layers = keras().layers
    window = keras().Input((settings.window_sessions, channels), name="window")
    symbol = keras().Input((), dtype="int32", name="symbol")
    signal = window
    for index, units in enumerate(settings.units):
        is_last = index == len(settings.units) - 1
        signal = layers.LSTM(units, return_sequences=not is_last)(signal)
        signal = layers.Dropout(settings.dropout)(signal)
    identity = layers.Embedding(symbols, settings.embedding_size)(symbol)
    joined = layers.Concatenate()([signal, identity])
    output = layers.Dense(2, kernel_initializer="zeros", name="mean_and_log_scale")(joined)
    network = keras().Model([window, symbol], output)
    optimizer = keras().optimizers.AdamW(
        settings.learning_rate, weight_decay=settings.weight_decay, clipnorm=1.0
    )
    network.compile(optimizer, loss=gaussian_negative_log_likelihood)
    return network


def gaussian_negative_log_likelihood(target: Any, output: Any) -> Any:
    """Return the loss of mean and log scale, without its constant, per sample.

    Source: Nix and Weigend (1994), "Estimating the mean and variance of the target probability
    distribution".
    """
    ops = keras().ops
    mean, log_scale = output[:, 0], ops.clip(output[:, 1], -3.0, 3.0)
    scaled = (ops.reshape(target, (-1,)) - mean) * ops.exp(-log_scale)
    return log_scale + 0.5 * ops.square(scaled)


def predict_network(network: Any, batches: Any) -> np.ndarray:
    """Return mean and scale of every window of the batches, (windows, 2), float64."""
    outputs = [network.predict_on_batch(list(batch)) for batch in batches]
    result = np.concatenate(outputs).astype(np.float64)
    result[:, 1] = np.exp(np.clip(result[:, 1], -3.0, 3.0))
    return result
