"""Errors of forecasts against the naive forecast and against the expanding mean."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.errors import TrainingError
from ml.rolling import Floats

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """Errors over all sessions and symbols of a period; every model on the same forecasts.

    ``mae`` and ``rmse`` are log returns over the horizon. The naive forecast is zero, so the
    ratios are below 1 where a model beats it. ``r2_out_of_sample`` is one minus the squared error
    over that of the expanding mean; above 0.02 it means leakage until proved otherwise.
    """

    forecasts: int
    mae: float
    rmse: float
    mae_to_naive: float
    rmse_to_naive: float
    r2_out_of_sample: float
    coverage_80: float


def scored_by_all(outcomes: Floats, *forecasts: Floats) -> Mask:
    """Return where the outcome is known and every model made a forecast.

    Raises
    ------
    TrainingError
        That is nowhere.
    """
    mask = np.isfinite(outcomes)
    for forecast in forecasts:
        mask &= np.isfinite(forecast)
    if not mask.any():
        raise TrainingError(
            "forecasts that can be scored", 0, "no symbol has enough history", "Load more history."
        )
    return mask


def score(
    outcomes: Floats, mean: Floats, lower: Floats, upper: Floats, benchmark: Floats, where: Mask
) -> Score:
    """Score forecasts; all arrays have the shape (sessions, symbols).

    Parameters
    ----------
    outcomes : realised log returns over the horizon.
    mean, lower, upper : forecast, its 10 % and its 90 % quantile.
    benchmark : the expanding mean's forecast.
    where : which of them count.
    """
    truth = outcomes[where]
    error = truth - mean[where]
    mae, rmse = np.mean(np.abs(error)), np.sqrt(np.mean(np.square(error)))
    inside = (lower[where] <= truth) & (truth <= upper[where])
    return Score(
        forecasts=int(where.sum()),
        mae=float(mae),
        rmse=float(rmse),
        mae_to_naive=float(mae / np.mean(np.abs(truth))),
        rmse_to_naive=float(rmse / np.sqrt(np.mean(np.square(truth)))),
        r2_out_of_sample=r2_out_of_sample(outcomes, mean, benchmark, where),
        coverage_80=float(np.mean(inside)),
    )


def r2_out_of_sample(outcomes: Floats, mean: Floats, benchmark: Floats, where: Mask) -> float:
    """Return one minus the ratio of squared errors to the benchmark's.

    Source: Campbell and Thompson (2008), Review of Financial Studies 21(4), equation 1.
    """
    ours = np.sum(np.square((outcomes - mean)[where]))
    theirs = np.sum(np.square((outcomes - benchmark)[where]))
    return float(1.0 - ours / theirs)


def confidence(
    outcomes: Floats, mean: Floats, benchmark: Floats, where: Mask, horizon_sessions: int
) -> float:
    """Return how far validation says to move from the benchmark to the forecast, 0 to 1.

    0 unless the out-of-sample R2 is positive. Otherwise the weight w of the forecast in
    benchmark + w (forecast - benchmark) that minimises the squared error, less one standard error,
    kept within 0 and 1. Overlapping outcomes are no independent evidence, nor are symbols of one
    session: the standard error is made of sums per session (Driscoll and Kraay 1998), and is the
    larger of two that allow for overlap. One has Bartlett weights up to the horizon (Newey and West
    1987); where forecasts hardly move it is 19 % too small, since these weights fade too early. The
    other is that of sessions a horizon apart, the mean over where to begin; it is right there.
    """
    if r2_out_of_sample(outcomes, mean, benchmark, where) <= 0:
        return 0.0
    view = np.where(where, mean - benchmark, 0.0)
    surprise = np.where(where, outcomes - benchmark, 0.0)
    size = np.sum(np.square(view))
    weight = np.sum(view * surprise) / size
    per_session = np.sum(view * (surprise - weight * view), axis=1)
    variance = max(
        _sum_variance(per_session, horizon_sessions),
        horizon_sessions * np.sum(np.square(per_session)),
    )
    standard_error = np.sqrt(variance) / size
    return float(np.clip(weight - standard_error, 0.0, 1.0))


def _sum_variance(series: Floats, lags: int) -> float:
    """Return the variance of the sum of a correlated series of mean zero."""
    variance = np.sum(np.square(series))
    for lag in range(1, min(lags, len(series) - 1) + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1.0)) * np.sum(series[lag:] * series[:-lag])
    return max(float(variance), 0.0)
