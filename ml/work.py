"""What a fit or a training is given beside data: seeds, folders for what is done, listeners."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Progress:
    """How far a fit has come: after each epoch of a network, or each step of a slow model.

    Attributes
    ----------
    what : what is being fitted, in words: model, fold, seed.
    done, total : steps of it; ``total`` is the most there can be.
    loss, held_out_loss : mean loss of the step, in the model's own units, on what it learns
        from and on what is held out of that within training.
    seconds_left : until the whole fit ends, all seeds of it, at the speed of the last step.
    """

    what: str
    done: int
    total: int
    loss: float
    held_out_loss: float
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


@dataclass(frozen=True)
class TrainingProgress:
    """How far a whole training has come.

    Attributes
    ----------
    part : what is being done, in words: a trial of the search, or a model and its fold.
    done, total : parts of the training.
    share : of its work, 0 to 1, by what each part costs.
    seconds_left : for the whole training, at the speed so far; None before anything is known.
    step : what the fit in progress said last; None between two fits.
    """

    part: str
    done: int
    total: int
    share: float
    seconds_left: float | None
    step: Progress | None


TrainingListener = Callable[[TrainingProgress], None]


def ignore_training(progress: TrainingProgress) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class Trial:
    """A setting of the network that the search has tried, and how it came out.

    Attributes
    ----------
    number : in the study, from 0.
    state : as Optuna calls it, lower case: ``complete``, ``pruned``, ``fail``.
    settings : names and values.
    held_out_loss : the lowest of its epochs; None where it failed before the first.
    losses : held-out loss by epoch, from 1.
    seconds : that it took.
    """

    number: int
    state: str
    settings: Mapping[str, Any]
    held_out_loss: float | None
    losses: Mapping[int, float]
    seconds: float


TrialListener = Callable[[Trial], None]


def ignore_trial(trial: Trial) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class TrainingWork:
    """What a whole training is given beside data and plan.

    Attributes
    ----------
    folder : where every finished fit is kept until the training is registered, and checkpoints of
        the one in progress. Its name must hold a digest of plan, code and data: a training that
        finds parts in it takes them for its own. None: nothing is kept.
    search_url : SQLAlchemy URL of the search's database; workers that name the same one share it.
        None: the search lives in memory.
    study : name of the study there; a digest of plan, code and data, too.
    listener : told how far the training has come.
    trial_listener : told of each trial of the search when it has ended in this process.
    """

    folder: Path | None = None
    search_url: str | None = field(default=None, repr=False)
    study: str = "search"
    listener: TrainingListener = ignore_training
    trial_listener: TrialListener = ignore_trial
