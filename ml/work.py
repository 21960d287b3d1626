"""What a fit is given beside data: a seed, a folder for what it has done so far, a listener."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Progress:
    """How far a fit has come: after each epoch of a network, or each step of a slow model.

    Attributes
    ----------
    what : what is being fitted, in words: model, fold, seed.
    done, total : steps of it; ``total`` is the most there can be.
    loss, validation_loss : mean loss of the step, in the model's own units.
    seconds_left : until ``total``, at the speed so far.
    """

    what: str
    done: int
    total: int
    loss: float
    validation_loss: float
    seconds_left: float


Listener = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class Work:
    """One fit's seed, folder and listener.

    Attributes
    ----------
    seed : of everything random; the same seed and data give the same weights.
    folder : where the fit keeps checkpoints; a fit that finds those of a killed one goes on from
        them and ends with the same weights. None: nothing is kept.
    listener : told of progress.
    """

    seed: int
    folder: Path | None = None
    listener: Listener = ignore

    def part(self, name: str) -> "Work":
        """Return the work of a part, with a folder of its own below this one."""
        return replace(self, folder=self.folder / name if self.folder else None)
