"""The training range cut up, so that settings are chosen within it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.errors import TrainingError
from ml.forecasters.base import require_labels
from ml.rolling import Floats
from ml.splits import Split

FOLDS = 5
"""Of the cross-validation within training."""

STOPPING_SHARE = 0.15
MOST_STOPPING_SESSIONS = 504
"""Of training, by which a network is told to stop: as many as validation has."""

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class TrainingBlocks:
    """Training cut into runs of sessions of which each in turn is held out, to choose settings.

    Validation is not asked: what a model says of the sessions by which it was chosen flatters it,
    and validation decides how much a forecast counts.

    Attributes
    ----------
    blocks : runs of equal length, but for the last.
    gaps : the sessions between them, so that no label of a block reaches into the next.
    """

    blocks: tuple[range, ...]
    gaps: tuple[range, ...]

    @classmethod
    def cut(cls, name: str, split: Split, targets: Sequence[Floats]) -> "TrainingBlocks":
        """Cut the training range from the first session on that has a target of each horizon.

        Raises
        ------
        TrainingError
            There is too little to learn from.
        """
        known = [np.isfinite(target[: split.train.stop]).sum(axis=1) for target in targets]
        for counts in known:
            require_labels(name, int(counts.sum()))
        first = max(int(np.argmax(counts > 0)) for counts in known)
        gap = split.purge_sessions
        length = (split.train.stop - first + gap) // FOLDS - gap
        if length < 1:
            raise TrainingError(
                f"sessions with labels to train {name} on",
                split.train.stop - first,
                f"at least {FOLDS * (gap + 1)} are needed",
                "Load more history.",
            )
        starts = [first + number * (length + gap) for number in range(FOLDS)]
        ends = [*(start + length for start in starts[:-1]), split.train.stop]
        return cls(
            blocks=tuple(range(*both) for both in zip(starts, ends, strict=True)),
            gaps=tuple(range(*both) for both in zip(ends[:-1], starts[1:], strict=True)),
        )

    def folds(self, sessions: Positions) -> list[tuple[Positions, Positions]]:
        """Return, for each block that has some, which rows to learn from and which are held out.

        Parameters
        ----------
        sessions : (rows,), positions of the rows on the session axis.
        """
        within = [(block.start <= sessions) & (sessions < block.stop) for block in self.blocks]
        others = [
            np.logical_or.reduce(within[:number] + within[number + 1 :])
            for number in range(len(within))
        ]
        return [
            (np.flatnonzero(learned), np.flatnonzero(held_out))
            for learned, held_out in zip(others, within, strict=True)
            if held_out.any()
        ]


def learning_and_stopping(split: Split) -> tuple[range, range]:
    """Cut training into what a network learns from and, after it, what tells it when to stop.

    No label of the first reaches into the second.
    """
    length = min(round(STOPPING_SHARE * len(split.train)), MOST_STOPPING_SESSIONS)
    stopping = split.train[len(split.train) - length :]
    return range(split.train.start, stopping.start - split.purge_sessions), stopping
