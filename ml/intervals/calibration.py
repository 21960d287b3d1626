"""What held-out forecasts say about a fitted model: its spread, its intervals, its weight."""

import datetime as dt
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ml.errors import ModelNotFoundError
from ml.forecasters.base import Forecasts
from ml.intervals.conformal import ConformalState
from ml.panel import date_of
from ml.rolling import Floats

if TYPE_CHECKING:
    from ml.evaluation import Outcomes

CALIBRATION_FILE = "calibration.json"

MOST_FOLLOWED_SYMBOLS = 500
"""Symbols of one session are much alike: more of them cost time and tell little."""


@dataclass(frozen=True)
class Intervals:
    """Ends of intervals, (levels, horizons, sessions, symbols), log return.

    Infinite where an interval has no end, NaN where there is no forecast.
    """

    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Calibration:
    """What is made of a model's own forecasts, for each horizon.

    Attributes
    ----------
    horizons : in sessions.
    stdev_factor : root mean square of validation errors in units of the model's own stdev, which
        times it is the forecast's standard error.
    confidence : weight that the forecast earned on validation, 0 to 1; see
        ``evaluation.confidence``.
    r2_validation : out of sample, against the expanding mean; None where that has no error.
    symbols : whose outcomes the intervals follow.
    through : last session of the path of ``conformal``.
    conformal : how intervals stand after that session.
    """

    horizons: tuple[int, ...]
    stdev_factor: tuple[float, ...]
    confidence: tuple[float, ...]
    r2_validation: tuple[float | None, ...]
    symbols: tuple[str, ...]
    through: dt.date
    conformal: tuple[ConformalState, ...]

    @classmethod
    def fit(cls, forecasts: Forecasts, outcomes: "Outcomes") -> "Calibration":
        """Learn from a model's own forecasts of validation ranges, (horizons, sessions, symbols).

        Spread and weight are learned where all models made a forecast; intervals begin with the
        first session and follow the model's own errors, each from a horizon after it on.
        """
        from ml.evaluation import r2_out_of_sample  # who only serves needs no tests

        factors, r2 = [], []
        for number, benchmark in enumerate(outcomes.benchmark):
            where, truth = outcomes.where[number], outcomes.log_return[number]
            mean = forecasts.mean[number]
            scaled = ((truth - mean) / forecasts.stdev[number])[where]
            factors.append(float(np.sqrt(np.mean(np.square(scaled)))))
            r2.append(r2_out_of_sample(truth, mean, benchmark, where))
        start = cls(
            horizons=outcomes.horizons,
            stdev_factor=tuple(factors),
            confidence=outcomes.confidence(forecasts.mean),
            r2_validation=tuple(r2),
            symbols=outcomes.symbols[_followed(len(outcomes.symbols))],
            through=date_of(outcomes.sessions[-1]),
            conformal=tuple(ConformalState.start(horizon) for horizon in outcomes.horizons),
        )
        realised = outcomes.log_return, outcomes.sessions, outcomes.positions
        return start._along(forecasts, *realised)[1]

    def follow(
        self, forecasts: Forecasts, outcomes: Floats, sessions: NDArray[np.datetime64]
    ) -> tuple[Intervals, "Calibration"]:
        """Give intervals to forecasts of the sessions that come next, from what is realised then.

        Parameters
        ----------
        forecasts : the model's own, (horizons, sessions, symbols).
        outcomes : realised log returns, of the same shape; NaN where not known. Those of a session
            are looked at from a horizon later on.
        sessions : (sessions,) their dates; the first follows ``through``.

        Returns
        -------
        The intervals, and the calibration as it stands after the last session.
        """
        ends, after = self._along(forecasts, outcomes, sessions, None)
        return self.around(forecasts, ends), after

    def around(self, forecasts: Forecasts, ends: Floats) -> Intervals:
        """Return intervals from ends in stdevs, (horizons, sessions, levels, 2)."""
        below, above = ends.transpose(3, 2, 0, 1)[..., None]
        return Intervals(
            lower=forecasts.mean - below * forecasts.stdev,
            upper=forecasts.mean + above * forecasts.stdev,
        )

    def calibrated_stdev(self, stdev: Floats) -> Floats:
        """Return standard errors of forecasts from the model's own, (horizons, ...)."""
        factors = np.array(self.stdev_factor).reshape(-1, *[1] * (stdev.ndim - 1))
        calibrated: Floats = factors * stdev
        return calibrated

    def _along(
        self,
        forecasts: Forecasts,
        outcomes: Floats,
        sessions: NDArray[np.datetime64],
        positions: NDArray[np.int64] | None,
    ) -> tuple[Floats, "Calibration"]:
        """Return ends, (horizons, sessions, levels, 2), and the calibration after them."""
        columns = _followed(outcomes.shape[-1])
        scores = ((outcomes - forecasts.mean) / forecasts.stdev)[..., columns]
        paths = [
            state.follow(own, positions) for state, own in zip(self.conformal, scores, strict=True)
        ]
        if not len(sessions):
            return np.stack([ends for ends, _ in paths]), self
        after = replace(
            self, through=date_of(sessions[-1]), conformal=tuple(state for _, state in paths)
        )
        return np.stack([ends for ends, _ in paths]), after

    def save(self, folder: Path) -> None:
        """Write into a model's folder."""
        content = {
            "horizons": self.horizons,
            "stdev_factor": self.stdev_factor,
            "confidence": self.confidence,
            "r2_validation": self.r2_validation,
            "symbols": self.symbols,
            "through": str(self.through),
            "conformal": [state.to_json() for state in self.conformal],
        }
        (folder / CALIBRATION_FILE).write_text(json.dumps(content, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Calibration":
        """Read from a model's folder.

        Raises
        ------
        ModelNotFoundError
            The folder holds no calibration.
        """
        path = folder / CALIBRATION_FILE
        try:
            content = json.loads(path.read_text())
            return cls(
                horizons=tuple(content["horizons"]),
                stdev_factor=tuple(content["stdev_factor"]),
                confidence=tuple(content["confidence"]),
                r2_validation=tuple(content["r2_validation"]),
                symbols=tuple(content["symbols"]),
                through=dt.date.fromisoformat(content["through"]),
                conformal=tuple(map(ConformalState.from_json, content["conformal"])),
            )
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise ModelNotFoundError(
                "model file", path, f"it is missing or damaged ({error})", "Train again."
            ) from error


def _followed(symbols: int) -> slice:
    """Return which of so many symbols are followed: evenly spaced ones, all where they are few."""
    return slice(None, None, -(-symbols // MOST_FOLLOWED_SYMBOLS) or 1)
