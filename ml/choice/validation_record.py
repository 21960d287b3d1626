"""A model's forecasts of validation periods, kept so that a later training can be compared."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.errors import UNREADABLE_ARRAYS, ModelNotFoundError
from ml.rolling import Floats

RECORD_FILE = "validation.npz"


@dataclass(frozen=True)
class ValidationRecord:
    """What a model forecast in the validation periods of all folds, none of it fitted.

    Attributes
    ----------
    sessions : dates, ascending, shape (n,), unit day.
    symbols : names.
    horizons : in sessions.
    mean : (horizons, n, symbols), log return; NaN where there is no forecast.
    """

    sessions: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    horizons: tuple[int, ...]
    mean: Floats

    def on(
        self, sessions: NDArray[np.datetime64], symbols: tuple[str, ...], horizon_sessions: int
    ) -> Floats:
        """Return the forecasts of one horizon at these sessions and symbols; NaN where none is.

        Shape (sessions, symbols).
        """
        found = np.full((len(sessions), len(symbols)), np.nan)
        if horizon_sessions not in self.horizons:
            return found
        mean = self.mean[self.horizons.index(horizon_sessions)]
        _, rows, own_rows = np.intersect1d(sessions, self.sessions, return_indices=True)
        known = {symbol: column for column, symbol in enumerate(self.symbols)}
        for column, symbol in enumerate(symbols):
            if symbol in known:
                found[rows, column] = mean[own_rows, known[symbol]]
        return found

    def save(self, folder: Path) -> Path:
        """Write into a folder, as ``validation.npz``."""
        path = folder / RECORD_FILE
        np.savez_compressed(
            path,
            allow_pickle=False,
            sessions=self.sessions,
            symbols=np.array(self.symbols, dtype=np.str_),
            horizons=np.array(self.horizons),
            mean=self.mean,
        )
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ModelNotFoundError
            The file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as saved:
                return cls(
                    sessions=saved["sessions"],
                    symbols=tuple(saved["symbols"].tolist()),
                    horizons=tuple(saved["horizons"].tolist()),
                    mean=saved["mean"],
                )
        except UNREADABLE_ARRAYS as error:
            raise ModelNotFoundError(
                "validation forecasts", path, f"they are missing or damaged ({error})",
                "Train again: smartinvest train.",
            ) from error  # fmt: skip


@dataclass(frozen=True)
class Incumbent:
    """The champion in service when a training begins.

    Attributes
    ----------
    name, version : in words of ``forecasters``, and the number in the registry.
    same_method : whether the plan and code of this training made it, so that a new version of its
        name renews it.
    record : its validation forecasts.
    """

    name: str
    version: int
    same_method: bool
    record: ValidationRecord

    @property
    def title(self) -> str:
        """Name and version, as evidence calls it."""
        return f"{self.name} version {self.version}"

    def is_renewed_by(self, model_name: str) -> bool:
        """Say whether a model of this training is the same on newer data."""
        return self.same_method and model_name == self.name
