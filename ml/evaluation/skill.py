"""Which forecasts count, their skill against the expanding mean, and the weight that it earns."""

import numpy as np
from numpy.typing import NDArray

from ml.errors import TrainingError
from ml.evaluation.overlap import (
    LEAST_HORIZONS,
    Positions,
    lags,
    small_sample,
    sum_variance,
)
from ml.rolling import Floats

Mask = NDArray[np.bool_]

SCEPTICISM = 0.5
"""How far from 0 the weight of a forecast is taken to lie before any evidence: two times in three,
nearer. A forecast that is right about its own size has the weight 1."""


def scored_by_all(outcomes: Floats, *forecasts: Floats) -> Mask:
    """Return where the outcome is known and every model made a forecast; arrays of any shape.

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


def r2_out_of_sample(
    outcomes: Floats, mean: Floats, benchmark: Floats, where: Mask
) -> float | None:
    """Return one minus the ratio of squared errors to the benchmark's; arrays of any shape.

    None where the benchmark has no error. Above 0.02 a month it means leakage until proved
    otherwise.

    Source: Campbell and Thompson (2008), Review of Financial Studies 21(4), equation 1.
    """
    ours = np.sum(np.square((outcomes - mean)[where]))
    theirs = np.sum(np.square((outcomes - benchmark)[where]))
    return float(1.0 - ours / theirs) if theirs > 0 else None


def confidence(
    outcomes: Floats,
    mean: Floats,
    benchmark: Floats,
    where: Mask,
    positions: Positions,
    horizon_sessions: int,
) -> float:
    """Return how far validation says to move from the benchmark to the forecast, 0 to 1.

    0 unless the out-of-sample R2 is positive, of three horizons or more: shorter records leave no
    test anything to say. Otherwise what is to be expected of the true weight w
    in benchmark + w (forecast - benchmark), the one that minimises the squared error, kept within 0
    and 1: its estimate is taken for normal around it, and the weight of a forecast that nothing is
    known of for normal around 0 with a standard deviation of ``SCEPTICISM``. So an estimate with a
    standard error of as much counts half, and a forecast that hardly differs from the benchmark,
    whose weight nobody can tell, next to nothing. The zero forecast has no weight: it is to be
    beaten, and as a view it would be a bet on cash.

    Overlapping outcomes are no independent evidence, nor are symbols of one session: the standard
    error is made of sums per session (Driscoll and Kraay 1998), and allows for overlap and for what
    its estimate misses in a sample of this length, as all tests here do.

    Parameters
    ----------
    outcomes, mean, benchmark, where : (sessions, symbols), of one horizon.
    positions : (sessions,) on the exchange's axis, ascending; holes are allowed for.
    horizon_sessions : how far outcomes reach.
    """
    rows = where.any(axis=1)
    sessions = int(rows.sum())
    if sessions < LEAST_HORIZONS * horizon_sessions or not mean[where].any():
        return 0.0
    r2 = r2_out_of_sample(outcomes, mean, benchmark, where)
    if r2 is None or r2 <= 0:
        return 0.0
    view = np.where(where, mean - benchmark, 0.0)
    surprise = np.where(where, outcomes - benchmark, 0.0)
    size = np.sum(np.square(view))
    weight = np.sum(view * surprise) / size
    per_session = np.sum(view * (surprise - weight * view), axis=1)
    lag_count = lags(sessions, horizon_sessions)
    share, _ = small_sample(sessions, horizon_sessions, lag_count)
    variance = sum_variance(per_session[rows], positions[rows], lag_count) / share / size**2
    expected = weight * SCEPTICISM**2 / (SCEPTICISM**2 + variance)
    return float(np.clip(expected, 0.0, 1.0))
