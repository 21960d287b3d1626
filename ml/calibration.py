"""What the validation period says about a fitted model: its spread, its interval, its weight."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ml.errors import ModelNotFoundError
from ml.evaluation import Mask, confidence, r2_out_of_sample
from ml.forecasters.base import Forecasts
from ml.rolling import Floats

CALIBRATION_FILE = "calibration.json"
LOWER_QUANTILE, UPPER_QUANTILE = 0.1, 0.9


@dataclass(frozen=True)
class CalibratedForecasts:
    """Forecasts with their standard error and 80 % interval, (sessions, symbols), log return."""

    mean: Floats
    stdev: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Calibration:
    """Made of validation errors in units of the model's own standard deviation.

    Attributes
    ----------
    stdev_factor : root mean square of these errors; the model's stdev times it is the forecast's.
    lower_factor, upper_factor : their 10 % and 90 % quantiles; the mean plus the model's stdev
        times them is the 80 % interval.
    confidence : weight that the forecast earned, 0 to 1 (see ``evaluation.confidence``).
    r2_out_of_sample : on validation, against the expanding mean.
    """

    stdev_factor: float
    lower_factor: float
    upper_factor: float
    confidence: float
    r2_out_of_sample: float

    @classmethod
    def fit(
        cls,
        forecasts: Forecasts,
        outcomes: Floats,
        benchmark: Floats,
        where: Mask,
        horizon_sessions: int,
    ) -> "Calibration":
        """Learn from forecasts and outcomes of the validation period, (sessions, symbols)."""
        scaled = ((outcomes - forecasts.mean) / forecasts.stdev)[where]
        lower, upper = np.quantile(scaled, [LOWER_QUANTILE, UPPER_QUANTILE])
        mean = forecasts.mean
        return cls(
            stdev_factor=float(np.sqrt(np.mean(np.square(scaled)))),
            lower_factor=float(lower),
            upper_factor=float(upper),
            confidence=confidence(outcomes, mean, benchmark, where, horizon_sessions),
            r2_out_of_sample=r2_out_of_sample(outcomes, mean, benchmark, where),
        )

    def apply(self, forecasts: Forecasts) -> CalibratedForecasts:
        """Return the forecasts with calibrated spread and interval."""
        return CalibratedForecasts(
            mean=forecasts.mean,
            stdev=self.stdev_factor * forecasts.stdev,
            lower=forecasts.mean + self.lower_factor * forecasts.stdev,
            upper=forecasts.mean + self.upper_factor * forecasts.stdev,
        )

    def save(self, folder: Path) -> None:
        """Write into a model's folder."""
        (folder / CALIBRATION_FILE).write_text(json.dumps(asdict(self), indent=1) + "\n")

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
            return cls(**json.loads(path.read_text()))
        except (FileNotFoundError, json.JSONDecodeError, TypeError) as error:
            raise ModelNotFoundError(
                "model file", path, f"it is missing or damaged ({error})", "Train again."
            ) from error
