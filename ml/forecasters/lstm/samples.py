"""What an LSTM is trained on, and in which order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.forecasters.lstm.windows import Positions


@dataclass(frozen=True)
class Samples:
    """Windows by their ends, with what came after them.

    Attributes
    ----------
    ends : (n, 2), rows and columns of the window source; column c is the network's symbol c + 1.
    targets : (n, horizons), float32, surprise in units of volatility; NaN where there is none.
    """

    ends: Positions
    targets: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ends)

    def take(self, chosen: NDArray[np.int64]) -> "Samples":
        """Return these of them."""
        return Samples(self.ends[chosen], self.targets[chosen])


def epoch_order(samples: int, shown: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the numbers of the samples that an epoch shows, in order.

    Epochs are consecutive parts of an endless sequence of permutations of all samples.
    """
    start = epoch * shown
    first, last = start // samples, (start + shown - 1) // samples
    sequence = np.concatenate(
        [
            np.random.default_rng((seed, number)).permutation(samples)
            for number in range(first, last + 1)
        ]
    )
    return sequence[start - first * samples :][:shown]


def drawn(samples: int, most: int) -> NDArray[np.int64]:
    """Return the numbers of so many samples at most, ascending: drawn at random, always alike.

    Samples lie session by session, so that evenly spaced ones could be of a few symbols only.
    """
    return np.sort(np.random.default_rng(0).permutation(samples)[:most])
