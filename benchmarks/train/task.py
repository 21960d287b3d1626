"""The same work for all who train: features, targets, sizes, the order of nothing but chance.

Needs NumPy alone, so that a peer's own environment can import it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW_SESSIONS = 60
FEATURES = 20
UNITS = (64, 64)
EMBEDDING_SIZE = 4
HORIZONS = 2
BATCH = 512
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-3
LARGEST_GRADIENT = 1.0
WIDEST_LOG_SCALE = 3.0
THREADS = 2
COMPARED_WINDOWS = 2048

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Task:
    """Train on ``steps`` batches of windows of a market, twice; the second time is measured.

    Attributes
    ----------
    symbols, sessions : size of the market; a window ends at each session from the 60th on.
    steps : batches, each of 512 windows drawn from all of them.
    """

    symbols: int
    sessions: int
    steps: int

    @property
    def windows(self) -> int:
        """How many there are."""
        return self.symbols * (self.sessions - WINDOW_SESSIONS + 1)

    @property
    def samples(self) -> int:
        """How many windows are trained on while the clock runs."""
        return self.steps * BATCH

    def arguments(self) -> tuple[str, ...]:
        """Return the task as a command line carries it."""
        return str(self.symbols), str(self.sessions), str(self.steps)

    @classmethod
    def of_arguments(cls, *given: str) -> "Task":
        """Return what :meth:`arguments` wrote."""
        return cls(*map(int, given))

    def features(self) -> Array:
        """Return standardised features, (symbols, sessions, features)."""
        shape = self.symbols, self.sessions, FEATURES
        return np.random.default_rng(1).standard_normal(shape, np.float32)

    def ends(self) -> NDArray[np.int64]:
        """Return the last session and the symbol of every window, (windows, 2)."""
        last = np.arange(WINDOW_SESSIONS - 1, self.sessions)
        pairs = np.meshgrid(last, np.arange(self.symbols), indexing="xy")
        return np.stack([pair.ravel() for pair in pairs], axis=1)

    def targets(self) -> Array:
        """Return what the network is to forecast for each window, (windows, horizons)."""
        return np.random.default_rng(2).standard_normal((self.windows, HORIZONS), np.float32)
