"""One model fitted in one split: kept when done, so that a training that was killed goes on."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ml.errors import UNREADABLE_ARRAYS, ModelNotFoundError
from ml.forecasters import Forecaster, Forecasts, load_forecaster
from ml.forecasters.average import AverageForecaster, average_seeds
from ml.forecasters.base import average
from ml.panel import Panel
from ml.results import FitLoss
from ml.rolling import Floats
from ml.splits import Split
from ml.training.fit_losses import LOSSES_FILE, FitLosses, line_of, read_losses
from ml.work import Work

logger = logging.getLogger(__name__)

CHECKPOINTS_FOLDER = "checkpoints"
_FITTED = "fitted"
_UNFINISHED = "fitted.new"
_MODEL = "model"
_FORECASTS = "forecasts.npz"


@dataclass(frozen=True)
class FoldFit:
    """A fitted model and what it forecast from the first session of validation on.

    Attributes
    ----------
    forecasts : (horizons, sessions, symbols), of all sessions from the validation's first to the
        test's last, or to the panel's where there is no test.
    seeds : the same of each seed alone.
    losses : of the steps of the fit.
    """

    forecaster: Forecaster
    forecasts: Forecasts
    seeds: tuple[Forecasts, ...]
    losses: tuple[FitLoss, ...]


def held_out(split: Split) -> range:
    """Return the positions that a fit forecasts: validation, what lies between, and test."""
    return range(split.validation.start, split.test.stop)


def fit_in_fold(
    forecaster: Forecaster, panel: Panel, split: Split, fold: int, work: Work
) -> FoldFit:
    """Fit a model and forecast what was held out; a finished fit in the work's folder is taken.

    The model and its forecasts are put there whole or not at all; then checkpoints are removed.

    Raises
    ------
    TrainingError
        The panel has too little to learn from.
    """
    if work.folder is not None:
        kept = _read(work.folder)
        if kept is not None:
            return kept
    losses = FitLosses(forecaster.name, fold, work)
    forecaster.fit(panel, split, replace(work, listener=losses).part(CHECKPOINTS_FOLDER))
    seeds = forecaster.predict_seeds(panel, held_out(split))
    fit = FoldFit(forecaster, average(seeds), seeds, losses.told)
    if work.folder is not None:
        _write(work.folder, fit)
    return fit


def is_kept(folder: Path | None) -> bool:
    """Say whether a folder holds a finished fit."""
    return folder is not None and (folder / _FITTED).exists()


def average_of(fits: Mapping[str, FoldFit]) -> FoldFit:
    """Return the average of fitted models, made of their forecasts; nothing is fitted."""
    members = list(fits.values())
    forecaster = AverageForecaster.of(member.forecaster for member in members)
    return FoldFit(
        forecaster,
        average([member.forecasts for member in members]),
        average_seeds([member.seeds for member in members]),
        losses=(),
    )


def _write(folder: Path, fit: FoldFit) -> None:
    unfinished = folder / _UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / _MODEL).mkdir(parents=True)
    fit.forecaster.save(unfinished / _MODEL)
    np.savez(
        unfinished / _FORECASTS,
        allow_pickle=False,
        **_arrays("all", fit.forecasts),
        **{
            name: array
            for number, seed in enumerate(fit.seeds)
            for name, array in _arrays(f"seed_{number}", seed).items()
        },
    )
    (unfinished / LOSSES_FILE).write_text("".join(map(line_of, fit.losses)))
    unfinished.rename(folder / _FITTED)
    shutil.rmtree(folder / CHECKPOINTS_FOLDER, ignore_errors=True)
    (folder / LOSSES_FILE).unlink(missing_ok=True)


def _read(folder: Path) -> FoldFit | None:
    fitted = folder / _FITTED
    if not fitted.exists():
        return None
    try:
        with np.load(fitted / _FORECASTS, allow_pickle=False) as saved:
            arrays = dict(saved)
        seeds = sum(name.startswith("seed_") for name in arrays) // 2
        forecasts = _forecasts("all", arrays)
        each = tuple(_forecasts(f"seed_{number}", arrays) for number in range(seeds))
        losses = read_losses(fitted / LOSSES_FILE)
        forecaster = load_forecaster(fitted / _MODEL)
    except (*UNREADABLE_ARRAYS, AttributeError, TypeError, ModelNotFoundError) as error:
        logger.warning("%s is damaged and is fitted again: %s", fitted, error)
        shutil.rmtree(fitted)
        return None
    logger.info("%s of %s was fitted before", forecaster.name, folder.parent.name)
    return FoldFit(forecaster, forecasts, each, losses)


def _arrays(name: str, forecasts: Forecasts) -> dict[str, Floats]:
    return {f"{name}_mean": forecasts.mean, f"{name}_stdev": forecasts.stdev}


def _forecasts(name: str, arrays: Mapping[str, Any]) -> Forecasts:
    return Forecasts(arrays[f"{name}_mean"], arrays[f"{name}_stdev"])
