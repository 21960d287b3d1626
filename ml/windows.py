"""Windows of features, gathered by (session, symbol) inside the batch.

A window is ``length`` consecutive sessions of one symbol. All windows of a panel written out would
take ``length`` times its memory; the positions of their ends take two integers each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.panel import Panel
from ml.tensorflow_setup import tensorflow

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class WindowSource:
    """Standardised features laid out so that a window is a run of rows.

    Attributes
    ----------
    rows : float32, (symbols * sessions, channels), all sessions of a symbol together.
    sessions : how many sessions each symbol has in ``rows``.
    length : sessions in a window.
    """

    rows: NDArray[np.float32]
    sessions: int
    length: int

    @classmethod
    def make(cls, standardised: NDArray[np.float32], length: int) -> "WindowSource":
        """Lay out features of shape (sessions, symbols, channels)."""
        sessions, _, channels = standardised.shape
        by_symbol = np.ascontiguousarray(standardised.transpose(1, 0, 2))
        return cls(by_symbol.reshape(-1, channels), sessions, length)

    def batches(self, positions: Positions, batch_size: int) -> Iterator[tuple[Any, Any]]:
        """Yield windows (batch, length, channels) and symbol numbers, in the given order.

        The last batch is filled up with repetitions of its last window, so that every batch goes
        through the same kernels.
        """
        steps = np.arange(1 - self.length, 1)
        for start in range(0, len(positions), batch_size):
            part = positions[start : start + batch_size]
            part = np.pad(part, ((0, batch_size - len(part)), (0, 0)), mode="edge")
            ends = part[:, 1] * self.sessions + part[:, 0]
            yield self.rows[ends[:, None] + steps], part[:, 1]

    def dataset(
        self,
        positions: Positions,
        targets: NDArray[np.float32],
        batch_size: int,
        shuffle_seed: int | None = None,
    ) -> Any:
        """Return a ``tf.data`` set of ((windows, symbol numbers), targets).

        With a seed it repeats for ever, in an order that is new in every round.
        """
        tf = tensorflow()
        rows = tf.constant(self.rows)
        steps = tf.range(1 - self.length, 1, dtype=tf.int64)

        def gather(ends: Any, symbols: Any, target: Any) -> Any:
            return (tf.gather(rows, ends[:, None] + steps), symbols), target

        ends = positions[:, 1] * self.sessions + positions[:, 0]
        data = tf.data.Dataset.from_tensor_slices((ends, positions[:, 1], targets))
        if shuffle_seed is not None:
            data = data.shuffle(len(positions), seed=shuffle_seed).repeat()
        return data.batch(batch_size).map(gather).prefetch(2)


def window_ends(panel: Panel, sessions: range, length: int) -> NDArray[np.bool_]:
    """Return where a window may end, shape (sessions, symbols).

    These are positions of ``sessions`` at which the symbol has a row and was first seen at least
    ``length - 1`` sessions before.
    """
    first_seen = np.where(panel.observed.any(axis=0), panel.observed.argmax(axis=0), len(panel))
    rows = np.arange(len(panel))[:, None]
    allowed = panel.observed & (rows >= first_seen + length - 1)
    inside = np.zeros(len(panel), np.bool_)
    inside[sessions.start : sessions.stop] = True
    return allowed & inside[:, None]
