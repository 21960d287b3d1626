"""Training of one network: epochs of compiled steps, whose order and dropout follow from the seed.

Importing this module imports TensorFlow.
"""

import json
import time
from dataclasses import asdict, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ml.errors import TrainingError
from ml.forecasters.lstm.checkpoint import Checkpoint, EpochLosses
from ml.forecasters.lstm.network import (
    UNKNOWN,
    Network,
    Weights,
    negative_log_likelihood,
)
from ml.forecasters.lstm.progress import EpochListener
from ml.forecasters.lstm.samples import Samples, epoch_order
from ml.forecasters.lstm.settings import LstmSettings
from ml.forecasters.lstm.tensorflow_setup import keras, tensorflow
from ml.forecasters.lstm.windows import WindowSource, gather_windows

tf = tensorflow()

LARGEST_GRADIENT = 1.0


class Trainer:
    """Trains networks of one shape on the same samples, one seed after the other.

    The step is compiled once for all seeds. Everything random in step k of epoch e follows from
    (seed, e, k), so a training that goes on from the end of an epoch ends with the same bits as
    one that was never interrupted.
    """

    def __init__(
        self,
        network: Network,
        source: WindowSource,
        masked: tuple[int, ...],
        train: Samples,
        held_out: Samples,
    ) -> None:
        self.network = network
        self.settings: LstmSettings = network.settings
        self.source = source
        self.masked = masked
        self.train = train
        self.held_out = held_out
        optimizer = keras().optimizers.AdamW(
            self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            global_clipnorm=LARGEST_GRADIENT,
        )
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        if network.gpu:
            optimizer = keras().optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(network.variables)
        self.optimizer = optimizer
        self._fresh = [np.array(variable) for variable in optimizer.variables]
        self._step = tf.function(self._one_step, autograph=False)
        self._loss = tf.function(self._one_loss, autograph=False)

    @property
    def steps_per_epoch(self) -> int:
        """Batches that an epoch shows."""
        shown = min(len(self.train), self.settings.samples_per_epoch)
        return max(1, shown // self.settings.batch_size)

    def run(self, seed: int, path: Path | None, listener: EpochListener) -> Checkpoint:
        """Train until the held-out loss gets no better, and return the best weights and all losses.

        Parameters
        ----------
        seed : of dropout and order; the network's weights at the start are the caller's.
        path : checkpoint to go on from, written after each epoch; None: nothing is kept.

        Raises
        ------
        TrainingError
            The loss is no finite number.
        """
        start = self.network.weights
        identity = self._identity(seed, start)
        state = Checkpoint.read(path, identity) if path else None
        if state is None:
            state = Checkpoint(identity, start, start, self._fresh, [], finished=False)
        self._restore(state)
        while not state.finished:
            began = time.perf_counter()
            epoch = len(state.losses)
            losses = EpochLosses(self.run_epoch(seed, epoch), self.held_out_loss())
            self._require_finite(losses, epoch)
            state = self._advanced(state, losses)
            # Told before it is kept: what a kill comes between is told twice, and never not at all.
            listener(state.losses, time.perf_counter() - began)
            if path:
                state.write(path)
        self.network.set_weights(state.best)
        return state

    def run_epoch(self, seed: int, epoch: int) -> float:
        """Show the epoch's windows and return their mean loss."""
        steps, batch = self.steps_per_epoch, self.settings.batch_size
        order = epoch_order(len(self.train), steps * batch, seed, epoch)
        total = 0.0
        for step in range(steps):
            part = self.train.take(order[step * batch : (step + 1) * batch])
            dice = np.array([seed, epoch * steps + step], np.int64)
            total += float(
                self._step(
                    self.source.of_symbols, self.source.of_sessions, part.ends, part.targets, dice
                )
            )
        return total / steps

    def held_out_loss(self) -> float:
        """Return the mean loss of the windows held out, without dropout."""
        batch, total = self.settings.batch_size, 0.0
        for start in range(0, len(self.held_out), batch):
            chosen = np.arange(start, start + batch)
            part = self.held_out.take(np.minimum(chosen, len(self.held_out) - 1))
            part.targets[chosen >= len(self.held_out)] = np.nan
            total += float(
                self._loss(self.source.of_symbols, self.source.of_sessions, part.ends, part.targets)
            )
        return total / len(self.held_out)

    def _one_step(
        self, of_symbols: Any, of_sessions: Any, ends: Any, targets: Any, dice: Any
    ) -> Any:
        """Change the weights by one batch and return its mean loss."""
        halves = self.network.halves
        variables = [variable.value for variable in self.network.variables]
        losses, gradients = [], []
        for half, (some, their_targets) in enumerate(
            zip(tf.split(ends, halves), tf.split(targets, halves), strict=True)
        ):
            seed = tf.stack([dice[0], dice[1] * halves + half])
            with tf.GradientTape() as tape:
                total = self._sum_of_losses(of_symbols, of_sessions, some, their_targets, seed)
                loss = total / self.settings.batch_size
                scaled = self.optimizer.scale_loss(loss)
            losses.append(loss)
            gradients.append(tape.gradient(scaled, variables))
        together = [
            tf.add_n([tf.convert_to_tensor(gradient) for gradient in of_halves])
            for of_halves in zip(*gradients, strict=True)
        ]
        self.optimizer.apply(together, self.network.variables)
        return tf.add_n(losses)

    def _one_loss(self, of_symbols: Any, of_sessions: Any, ends: Any, targets: Any) -> Any:
        """Return the sum of a batch's losses, without dropout."""
        halves = (tf.split(part, self.network.halves) for part in (ends, targets))
        return tf.add_n(
            [
                self._sum_of_losses(of_symbols, of_sessions, some, their_targets, None)
                for some, their_targets in zip(*halves, strict=True)
            ]
        )

    def _sum_of_losses(
        self, of_symbols: Any, of_sessions: Any, ends: Any, targets: Any, seed: Any
    ) -> Any:
        length = self.settings.window_sessions
        windows = gather_windows(of_symbols, of_sessions, ends, length, self.masked)
        numbers = ends[:, 1] + 1
        if seed is not None:
            draws = tf.random.stateless_uniform(tf.shape(numbers), tf.add(seed, (1 << 30, 0)))
            unknown = tf.constant(UNKNOWN, numbers.dtype)
            numbers = tf.where(draws < self.settings.unknown_share, unknown, numbers)
        means, log_scales = self.network(windows, numbers, seed)
        known = tf.math.is_finite(targets)
        losses = negative_log_likelihood(tf.where(known, targets, 0.0), means, log_scales)
        return tf.reduce_sum(tf.where(known, losses, 0.0))

    def _restore(self, state: Checkpoint) -> None:
        self.network.set_weights(state.weights)
        for variable, value in zip(self.optimizer.variables, state.optimizer, strict=True):
            variable.assign(value)

    def _advanced(self, state: Checkpoint, losses: EpochLosses) -> Checkpoint:
        history = [*state.losses, losses]
        weights: Weights = self.network.weights
        best_epoch = int(np.argmin([epoch.held_out for epoch in history]))
        settings = self.settings
        return Checkpoint(
            identity=state.identity,
            weights=weights,
            best=weights if best_epoch == len(history) - 1 else state.best,
            optimizer=[np.array(variable) for variable in self.optimizer.variables],
            losses=history,
            finished=len(history) >= settings.epochs
            or len(history) - 1 - best_epoch >= settings.patience_epochs,
        )

    def _identity(self, seed: int, start: Weights) -> str:
        """Return a digest of all that the result follows from."""
        settings = asdict(replace(self.settings, seeds=1))
        digest = sha256(json.dumps([settings, self.masked, seed, self._data_digest]).encode())
        for array in start:
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @cached_property
    def _data_digest(self) -> str:
        """A digest of what all seeds learn from."""
        digest = sha256()
        for samples in (self.train, self.held_out):
            for array in (samples.ends, samples.targets):
                digest.update(np.ascontiguousarray(array).data)
        for tensor in (self.source.of_symbols, self.source.of_sessions):
            digest.update(memoryview(tensor))  # in place where it lies in the processor's memory
        return digest.hexdigest()

    def _require_finite(self, losses: EpochLosses, epoch: int) -> None:
        if not np.isfinite([losses.training, losses.held_out]).all():
            raise TrainingError(
                "loss of lstm", losses, f"it is no finite number after epoch {epoch + 1}",
                "Take a lower learning rate, or look for values in the features that explode.",
            )  # fmt: skip
