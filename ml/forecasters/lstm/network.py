"""The network: LSTM layers over a window, a vector per symbol, means and log scales.

Importing this module imports TensorFlow.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.forecasters.lstm.settings import LstmSettings
from ml.forecasters.lstm.tensorflow_setup import has_gpu, keras, tensorflow

tf = tensorflow()

Weights = list[NDArray[np.float32]]

UNKNOWN = 0
"""Number of every symbol that training did not know."""

HALVES = 2
"""Parts of a batch that go through the network side by side, one to a core."""

WIDEST_LOG_SCALE = 3.0


class Lstm:
    """One LSTM layer, time first, with two ways to compute the same numbers.

    Weights, their names and their order of gates are those of ``keras.layers.LSTM``. With a GPU
    that layer itself is called, in the form that cuDNN takes over. Without one its loop over the
    window costs more than the arithmetic inside, so a single operation runs it all.
    """

    def __init__(self, units: int, channels: int, seed: int, precision: str) -> None:
        start = keras().initializers
        self.layer = keras().layers.LSTM(
            units,
            return_sequences=True,
            kernel_initializer=start.GlorotUniform(seed=seed),
            recurrent_initializer=start.Orthogonal(seed=seed),
            dtype=precision,
        )
        self.layer.build((None, None, channels))

    def __call__(self, signal: Any, *, fused: bool) -> Any:
        """Return the layer's outputs, (time, batch, units), for (time, batch, channels)."""
        if fused:
            return fused_lstm(signal, *self.layer.trainable_weights)
        batch_first = self.layer(tf.transpose(signal, (1, 0, 2)))
        return tf.transpose(batch_first, (1, 0, 2))


def fused_lstm(signal: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    """Run an LSTM layer over (time, batch, channels) by one operation per direction.

    Weights are those of ``keras.layers.LSTM``: gates in the order input, forget, cell, output; the
    operation wants input, cell, forget, output.
    """

    def reorder(weights: Any) -> Any:
        into, forget, cell, out = tf.split(weights, 4, axis=-1)
        return tf.concat([into, cell, forget, out], axis=-1)

    kernel, recurrent_kernel, bias = map(tf.convert_to_tensor, (kernel, recurrent_kernel, bias))
    units = recurrent_kernel.shape[0]
    start = tf.zeros((tf.shape(signal)[1], units), signal.dtype)
    no_peephole = tf.zeros((units,), signal.dtype)
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(signal, out_type=tf.int64)[0],
        x=signal,
        cs_prev=start,
        h_prev=start,
        w=reorder(tf.concat([kernel, recurrent_kernel], axis=0)),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=reorder(bias),
        forget_bias=0.0,  # Keras has it in the bias
        cell_clip=-1.0,
        use_peephole=False,
    ).h


class Network:
    """Windows and symbols in, the distribution of each horizon's surprise out.

    It starts as the forecast "mean 0, scale 1": the last layer is zero, so whatever it says later
    about the mean, it had to learn.

    Parameters
    ----------
    channels : numbers that describe one symbol in one session.
    symbols : that training knows; number 0 stands for all others.
    horizons : how many.
    gpu : whether to compute as on a GPU; None: where there is one.
    """

    def __init__(
        self,
        settings: LstmSettings,
        channels: int,
        symbols: int,
        horizons: int,
        seed: int = 0,
        *,
        gpu: bool | None = None,
    ) -> None:
        self.settings = settings
        self.gpu = has_gpu() if gpu is None else gpu
        self.halves = 1 if self.gpu else HALVES
        start, layers = keras().initializers, keras().layers
        precision = "mixed_float16" if self.gpu else "float32"
        inputs = (channels, *settings.units)
        self.lstms = [
            Lstm(units, inputs[layer], seed + layer, precision)
            for layer, units in enumerate(settings.units)
        ]
        self.embedding = layers.Embedding(
            symbols + 1,
            settings.embedding_size,
            embeddings_initializer=start.RandomUniform(seed=seed + len(inputs)),
        )
        self.embedding.build((None,))
        self.head = layers.Dense(2 * horizons, kernel_initializer="zeros", dtype="float32")
        self.head.build((None, inputs[-1] + settings.embedding_size))

    @property
    def variables(self) -> list[Any]:
        """What training changes."""
        layers = (*(lstm.layer for lstm in self.lstms), self.embedding, self.head)
        return [variable for layer in layers for variable in layer.trainable_weights]

    @property
    def weights(self) -> Weights:
        """A copy of the variables' values."""
        return [np.array(variable) for variable in self.variables]

    def set_weights(self, weights: Sequence[NDArray[np.float32]]) -> None:
        """Give the variables these values."""
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def __call__(self, windows: Any, symbols: Any, dropout_seed: Any = None) -> tuple[Any, Any]:
        """Return means and log scales, each (batch, horizons), in units of volatility.

        Parameters
        ----------
        windows : (time, batch, channels), float32.
        symbols : (batch,), numbers.
        dropout_seed : two integers that decide what is dropped; None: nothing is.
        """
        signal = windows
        for number, lstm in enumerate(self.lstms):
            signal = lstm(signal, fused=not self.gpu)
            if number == len(self.lstms) - 1:
                signal = signal[-1:]
            if dropout_seed is not None and self.settings.dropout:
                signal = _drop(
                    signal, self.settings.dropout, tf.add(dropout_seed, (number << 20, 0))
                )
        joined = tf.concat([tf.cast(signal[0], tf.float32), self.embedding(symbols)], axis=-1)
        means, log_scales = tf.split(self.head(joined), 2, axis=-1)
        return means, tf.clip_by_value(log_scales, -WIDEST_LOG_SCALE, WIDEST_LOG_SCALE)


def negative_log_likelihood(target: Any, mean: Any, log_scale: Any) -> Any:
    """Return that of a normal distribution, without its constant.

    Source: Nix and Weigend (1994), "Estimating the mean and variance of the target probability
    distribution".
    """
    return log_scale + 0.5 * tf.square((target - mean) * tf.exp(-log_scale))


def _drop(signal: Any, rate: float, seed: Any) -> Any:
    """Leave out the same outputs at each session of a window.

    Source: Gal and Ghahramani (2016), "A theoretically grounded application of dropout in recurrent
    neural networks".
    """
    _, batch, units = tf.unstack(tf.shape(signal))
    draws = tf.random.stateless_uniform((1, batch, units), seed)
    return signal * tf.cast(tf.where(draws < rate, 0.0, 1 / (1 - rate)), signal.dtype)
