"""What a fit says of its steps, kept beside its checkpoints, also through a kill."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from ml.results import FitLoss
from ml.work import Progress, Work

LOSSES_FILE = "losses.jsonl"


class FitLosses:
    """Listens to a fit, tells the work's listener, and remembers, also what a killed fit had said.

    Parameters
    ----------
    model_name, fold : of the fit; fold 1 is the first, 0 the serving split.
    work : its folder keeps what is said; its listener hears it.
    """

    def __init__(self, model_name: str, fold: int, work: Work) -> None:
        self._model_name, self._fold = model_name, fold
        self._listener = work.listener
        self._path = work.folder / LOSSES_FILE if work.folder else None
        self._told: dict[tuple[str, int], FitLoss] = {}
        if self._path and self._path.exists():
            for loss in read_losses(self._path):
                self._told[loss.what, loss.step] = loss
            with self._path.open("a") as file:
                file.write("\n")  # ends a line that a kill has cut

    def __call__(self, progress: Progress) -> None:
        """Remember a step and tell it on."""
        loss = FitLoss(
            self._model_name,
            self._fold,
            progress.what,
            progress.done,
            progress.loss,
            progress.held_out_loss,
        )
        self._told[loss.what, loss.step] = loss
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(line_of(loss))
                file.flush()
                os.fsync(file.fileno())
        self._listener(progress)

    @property
    def told(self) -> tuple[FitLoss, ...]:
        """All steps, each once: what was said last of it."""
        return tuple(self._told.values())


def line_of(loss: FitLoss) -> str:
    """Return a step as a line of the file."""
    return json.dumps(asdict(loss)) + "\n"


def read_losses(path: Path) -> tuple[FitLoss, ...]:
    """Return the steps in a file; a line that holds none, as a kill has cut it, is left out."""
    losses = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            losses.append(FitLoss(**json.loads(line)))
        except (json.JSONDecodeError, TypeError):
            continue
    return tuple(losses)
