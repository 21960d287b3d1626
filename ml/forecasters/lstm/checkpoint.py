"""What a training of one network keeps on disk, so that a killed one goes on where it was."""

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import UNREADABLE_ARRAYS

logger = logging.getLogger(__name__)

_NOTE = "note"
_LISTS = ("weights", "best", "optimizer")


@dataclass(frozen=True)
class EpochLosses:
    """Mean negative log-likelihood per window, summed over horizons, of one epoch."""

    training: float
    held_out: float


@dataclass(frozen=True)
class Checkpoint:
    """A training at the end of an epoch.

    Attributes
    ----------
    identity : digest of the data and settings that it belongs to.
    weights : at the end of the last epoch.
    best : those of the lowest held-out loss.
    optimizer : its variables.
    losses : of each epoch so far.
    finished : whether no epoch follows.
    """

    identity: str
    weights: list[NDArray[np.float32]]
    best: list[NDArray[np.float32]]
    optimizer: list[NDArray[Any]]
    losses: list[EpochLosses]
    finished: bool

    def write(self, path: Path) -> None:
        """Replace the file whole or not at all."""
        arrays = {
            f"{name}_{number:03d}": array
            for name in _LISTS
            for number, array in enumerate(getattr(self, name))
        }
        note = {
            "identity": self.identity,
            "losses": [asdict(epoch) for epoch in self.losses],
            "finished": self.finished,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **{_NOTE: np.array(json.dumps(note))}, **arrays)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path, identity: str) -> "Checkpoint | None":
        """Return what :meth:`write` left; None where nothing of this identity is."""
        try:
            with np.load(path, allow_pickle=False) as saved:
                note = json.loads(str(saved[_NOTE]))
                lists = {
                    name: [saved[key] for key in sorted(saved.files) if key.startswith(f"{name}_")]
                    for name in _LISTS
                }
        except FileNotFoundError:
            return None
        except UNREADABLE_ARRAYS as error:
            logger.warning(
                "checkpoint %s cannot be read (%s): this training begins anew", path, error
            )
            return None
        if note["identity"] != identity:
            logger.info("checkpoint %s is of other data or settings: it is not used", path)
            return None
        losses = [EpochLosses(**epoch) for epoch in note["losses"]]
        return cls(identity, **lists, losses=losses, finished=note["finished"])
