"""How far the training of a network is."""

from collections.abc import Callable

from ml.forecasters.lstm.checkpoint import EpochLosses
from ml.forecasters.lstm.settings import LstmSettings
from ml.work import Progress, Work

EpochListener = Callable[[list[EpochLosses], float], None]
"""Told after each epoch: losses of all epochs so far, and the seconds that the last one took."""


def telling(work: Work, name: str, index: int, settings: LstmSettings) -> EpochListener:
    """Return what tells a work's listener of the epochs of one seed, by its number from 0."""
    seeds, epochs = settings.seeds, settings.epochs

    def listen(losses: list[EpochLosses], seconds: float) -> None:
        epochs_left = epochs - len(losses) + epochs * (seeds - index - 1)
        work.listener(
            Progress(
                what=f"{name}, seed {index + 1} of {seeds}",
                done=len(losses),
                total=epochs,
                loss=losses[-1].training,
                held_out_loss=losses[-1].held_out,
                seconds_left=epochs_left * seconds,
            )
        )

    return listen
