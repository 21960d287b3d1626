"""What trained networks say of windows, and which features made them say so.

Importing this module imports TensorFlow.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.forecasters.lstm.network import Network, Weights
from ml.forecasters.lstm.tensorflow_setup import tensorflow
from ml.forecasters.lstm.windows import Positions, WindowSource, gather_windows
from ml.rolling import Floats

tf = tensorflow()

BATCH = 512
"""Windows at a time, always: a window's bits do not depend on how many others there are."""

PATH_NODES = 8
"""Points between the mean window and the seen one at which gradients are taken."""


class Outputs:
    """Runs a network, with whatever weights it has then, over windows of any source."""

    def __init__(self, network: Network, masked: tuple[int, ...]) -> None:
        self.network = network
        self.masked = masked
        features = tf.TensorSpec((None, None), tf.float32)
        inputs = (
            features,
            features,
            tf.TensorSpec((BATCH, 2), tf.int64),
            tf.TensorSpec((BATCH,), tf.int64),
        )
        # No branch or loop hangs on a tensor, so there is no Python code to be rewritten.
        how = {"input_signature": inputs, "autograph": False}
        self._distribution = tf.function(self._batch_distribution, **how)
        self._path = tf.function(self._batch_path, **how)

    def distributions(
        self,
        weights: Sequence[Weights],
        source: WindowSource,
        ends: Positions,
        numbers: NDArray[np.int64],
    ) -> Floats:
        """Return means and scales, (seeds, 2, horizons, windows), in units of volatility.

        Parameters
        ----------
        weights : of each seed's network.
        ends : rows and columns of the source, (windows, 2).
        numbers : the symbols' numbers in the network, (windows,).
        """
        result = []
        for of_seed in weights:
            self.network.set_weights(of_seed)
            means, log_scales = self._over_batches(self._distribution, source, ends, numbers)
            result.append([means.T, np.exp(log_scales).T])
        return np.array(result)

    def attributions(
        self,
        weights: Sequence[Weights],
        source: WindowSource,
        ends: Positions,
        numbers: NDArray[np.int64],
    ) -> Floats:
        """Return what each channel adds to the means, (seeds, horizons, windows, channels).

        Integrated gradients along the straight path from the window in which every feature is
        missing, which is the training mean, to the one seen; summed over the window's sessions.
        The integral is a Gauss-Legendre quadrature.

        Source: Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks".
        """
        result = []
        for of_seed in weights:
            self.network.set_weights(of_seed)
            (parts,) = self._over_batches(self._path, source, ends, numbers)
            result.append(parts.transpose(1, 0, 2))
        return np.array(result)

    def _over_batches(
        self, compiled: Any, source: WindowSource, ends: Positions, numbers: NDArray[np.int64]
    ) -> tuple[Floats, ...]:
        """Return what a compiled batch returns, for all windows; the last batch is filled up."""
        made = []
        for start in range(0, len(ends), BATCH):
            chosen = np.minimum(np.arange(start, start + BATCH), len(ends) - 1)
            arrays = compiled(source.of_symbols, source.of_sessions, ends[chosen], numbers[chosen])
            made.append([array.numpy().astype(np.float64) for array in arrays])
        return tuple(np.concatenate(arrays)[: len(ends)] for arrays in zip(*made, strict=True))

    def _batch_distribution(self, of_symbols: Any, of_sessions: Any, *batch: Any) -> Any:
        made = [
            self.network(self._windows(of_symbols, of_sessions, ends), numbers)
            for ends, numbers in self._halves(*batch)
        ]
        return [tf.concat(outputs, axis=0) for outputs in zip(*made, strict=True)]

    def _batch_path(self, of_symbols: Any, of_sessions: Any, *batch: Any) -> Any:
        nodes, weights = np.polynomial.legendre.leggauss(PATH_NODES)
        made = []
        for ends, numbers in self._halves(*batch):
            windows = self._windows(of_symbols, of_sessions, ends)
            slopes: list[Any] = []
            for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
                # Each horizon's derivative by (time, batch, channels), times what is there.
                slopes.append([weight * one for one in self._slopes(windows * node, numbers)])
            made.append(
                tf.stack(
                    [
                        tf.reduce_sum(tf.add_n(of_horizon) * windows, axis=0)
                        for of_horizon in zip(*slopes, strict=True)
                    ],
                    axis=1,
                )
            )
        return [tf.concat(made, axis=0)]

    def _slopes(self, windows: Any, numbers: Any) -> list[Any]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(windows)
            means, _ = self.network(windows, numbers)
            of_horizons = tf.unstack(means, axis=1)
        return [tape.gradient(mean, windows) for mean in of_horizons]

    def _windows(self, of_symbols: Any, of_sessions: Any, ends: Any) -> Any:
        length = self.network.settings.window_sessions
        return gather_windows(of_symbols, of_sessions, ends, length, self.masked)

    def _halves(self, ends: Any, numbers: Any) -> Any:
        halves = self.network.halves
        return zip(tf.split(ends, halves), tf.split(numbers, halves), strict=True)
