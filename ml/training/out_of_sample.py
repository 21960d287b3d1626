"""Forecasts of all folds as one record: calibrated in each, then put one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.choice.champion import ValidationForecasts
from ml.evaluation import Outcomes
from ml.forecasters import Forecasts
from ml.intervals.calibration import Calibration
from ml.panel import Panel
from ml.rolling import Floats
from ml.scores import OutOfSample
from ml.splits import Split, WalkForward
from ml.training.fold_fits import FoldFit, held_out

BENCHMARK = "expanding_mean"


@dataclass(frozen=True)
class Record:
    """All models' forecasts of what each split held out, and what became of it.

    Attributes
    ----------
    fits : by split, the serving one last; then by model name.
    """

    panel: Panel
    horizons: tuple[int, ...]
    walk: WalkForward
    fits: tuple[Mapping[str, FoldFit], ...]

    @cached_property
    def validation(self) -> Outcomes:
        """Outcomes of all validation ranges, one after the other."""
        return self.validation_through(len(self.walk.splits))

    @cached_property
    def test(self) -> Outcomes:
        """Outcomes of all tests, one after the other."""
        return self._outcomes([fold.test for fold in self.walk.folds])

    @cached_property
    def validation_by_split(self) -> tuple[Outcomes, ...]:
        """Outcomes of the validation range of each split alone."""
        return tuple(
            self._outcomes([split.validation], number)
            for number, split in enumerate(self.walk.splits)
        )

    def validation_through(self, splits: int) -> Outcomes:
        """Return outcomes of the validation ranges of the first splits."""
        return self._outcomes([split.validation for split in self.walk.splits[:splits]])

    def candidates(self, splits: int | None = None) -> ValidationForecasts:
        """Return what all models forecast in the validations of the first splits; of all if None.

        Of the longest horizon, by which models are chosen.
        """
        count = splits or len(self.walk.splits)
        ranges = [split.validation for split in self.walk.splits[:count]]
        positions = _positions(ranges)
        horizon = self.horizons[-1]
        return ValidationForecasts(
            sessions=self.panel.sessions[positions],
            positions=positions,
            symbols=self.panel.symbols,
            horizon_sessions=horizon,
            outcomes=self.panel.forward_log_return(horizon)[positions],
            means={name: self.pooled(name, ranges).mean[-1] for name in self.fits[0]},
        )

    def sessions_at(self, positions: range) -> NDArray[np.datetime64]:
        """Return the dates of consecutive positions."""
        return self.panel.sessions[positions.start : positions.stop]

    def outcomes_at(self, positions: range) -> Floats:
        """Return realised log returns, (horizons, sessions, symbols); NaN where not known."""
        rows = slice(positions.start, positions.stop)
        return np.stack([self.panel.forward_log_return(each)[rows] for each in self.horizons])

    def pooled(self, name: str, ranges: Sequence[range], first_split: int = 0) -> Forecasts:
        """Return a model's own forecasts, before calibration, of a range of each split in turn."""
        parts = [
            cut(self.fits[split][name].forecasts, self.walk.splits[split], positions)
            for split, positions in enumerate(ranges, start=first_split)
        ]
        return Forecasts(
            np.concatenate([part.mean for part in parts], axis=1),
            np.concatenate([part.stdev for part in parts], axis=1),
        )

    def _outcomes(self, ranges: Sequence[range], first_split: int = 0) -> Outcomes:
        means = {name: self.pooled(name, ranges, first_split).mean for name in self.fits[0]}
        return Outcomes.of(
            self.panel, _positions(ranges), self.horizons, means[BENCHMARK], list(means.values())
        )


def calibrate(
    record: Record, number: int, forecasts: Forecasts, seeds: Sequence[Forecasts]
) -> OutOfSample:
    """Return forecasts of all that one split held out, calibrated on its validation range.

    Intervals start with the scores of validation and from then on follow outcomes as they are
    realised. Validation itself has none, since they are learned on it: they are NaN there.
    """
    split = record.walk.splits[number]
    sessions = held_out(split)
    later = range(split.validation.stop, sessions.stop)
    calibration = Calibration.fit(
        cut(forecasts, split, split.validation), record.validation_by_split[number]
    )
    followed, _ = calibration.follow(
        cut(forecasts, split, later), record.outcomes_at(later), record.sessions_at(later)
    )
    validated = len(split.validation)

    def with_validation(of_level: Floats) -> Floats:
        nowhere = np.full((*of_level.shape[:2], validated, of_level.shape[-1]), np.nan)
        return np.concatenate([nowhere, of_level], axis=2)

    return OutOfSample(
        positions=np.arange(sessions.start, sessions.stop),
        mean=forecasts.mean,
        stdev=calibration.calibrated_stdev(forecasts.stdev),
        seed_means=np.stack([seed.mean for seed in seeds]),
        lower=with_validation(followed.lower),
        upper=with_validation(followed.upper),
    )


def join(parts: Sequence[OutOfSample]) -> OutOfSample:
    """Return forecasts of several ranges as one, in their order."""
    return OutOfSample(
        **{
            field.name: np.concatenate(
                [getattr(part, field.name) for part in parts],
                axis=0 if field.name == "positions" else -2,
            )
            for field in fields(OutOfSample)
        }
    )


def at(forecasts: OutOfSample, positions: range) -> OutOfSample:
    """Return the part of forecasts of consecutive sessions that is at some of them."""
    first = int(forecasts.positions[0])
    rows = slice(positions.start - first, positions.stop - first)
    return OutOfSample(
        positions=forecasts.positions[rows],
        mean=forecasts.mean[:, rows],
        stdev=forecasts.stdev[:, rows],
        seed_means=forecasts.seed_means[:, :, rows],
        lower=forecasts.lower[:, :, rows],
        upper=forecasts.upper[:, :, rows],
    )


def cut(forecasts: Forecasts, split: Split, positions: range) -> Forecasts:
    """Return forecasts of what a split held out at some of these positions."""
    first = held_out(split).start
    rows = slice(positions.start - first, positions.stop - first)
    return Forecasts(forecasts.mean[:, rows], forecasts.stdev[:, rows])


def _positions(ranges: Sequence[range]) -> np.ndarray:
    return np.concatenate([np.arange(each.start, each.stop) for each in ranges])
