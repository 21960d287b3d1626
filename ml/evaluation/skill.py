"""Which forecasts count, their skill against the expanding mean, and the weight that it earns."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ml.errors import TrainingError
from ml.evaluation.multiple import LEVEL
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
    models: int = 1,
) -> float:
    """Return how far validation proves that one should move from the benchmark to the forecast.

    The benchmark is each symbol's own forecast, or the mean of them in a session, whichever leaves
    less: where means of single symbols are noisy, a forecast that only shares one level among all
    beats every one of them, and knows nothing that their mean does not.

    In benchmark + w (forecast - benchmark) the squared error is lowest at some weight w. Its
    estimate is taken for normal around it, and the weight of a forecast that nothing is known of
    for normal around 0 with a standard deviation of ``SCEPTICISM``. The confidence is the lower end
    of what is then believed of w, within 0 and 1: the true weight lies below with a chance of 5 %,
    divided by the number of models that the best was picked from (by Student's t, since the
    standard error is estimated). So a forecast that chance might have made earns 0, and so does one
    that hardly differs from the benchmark, whose weight nobody can tell.

    0 also unless squared errors are below those of both benchmarks and of zero: the prior that a
    view departs from is not known here, but lies between them as a rule.

    Overlapping outcomes are no independent evidence, nor are symbols of one session: the standard
    error is made of sums per session (Driscoll and Kraay 1998), and allows for overlap and for what
    its estimate misses in a sample of this length, as all tests here do. A record of less than
    three horizons proves nothing.

    Parameters
    ----------
    outcomes, mean, benchmark, where : (sessions, symbols), of one horizon.
    positions : (sessions,) on the exchange's axis, ascending; holes are allowed for.
    horizon_sessions : how far outcomes reach.
    models : whose records were looked at.

    Returns
    -------
    A weight, 0 to 1.
    """
    rows = where.any(axis=1)
    sessions = int(rows.sum())
    if sessions < LEAST_HORIZONS * horizon_sessions:
        return 0.0
    pooled = _session_means(benchmark, where)
    for other in (benchmark, pooled, np.zeros_like(benchmark)):
        r2 = r2_out_of_sample(outcomes, mean, other, where)
        if r2 is None or r2 <= 0:
            return 0.0
    return min(
        _proven_weight(outcomes, mean, each, where, positions, horizon_sessions, models)
        for each in (benchmark, pooled)
    )


def _session_means(values: Floats, where: Mask) -> Floats:
    """Return each session's mean of what counts, for every symbol; (sessions, symbols)."""
    counted = np.maximum(where.sum(axis=1), 1)
    means = np.where(where, values, 0.0).sum(axis=1) / counted
    return np.broadcast_to(means[:, None], values.shape)


def _proven_weight(
    outcomes: Floats,
    mean: Floats,
    benchmark: Floats,
    where: Mask,
    positions: Positions,
    horizon_sessions: int,
    models: int,
) -> float:
    """Return the weight proven against one benchmark; see :func:`confidence`."""
    rows = where.any(axis=1)
    sessions = int(rows.sum())
    view = np.where(where, mean - benchmark, 0.0)
    surprise = np.where(where, outcomes - benchmark, 0.0)
    size = np.sum(np.square(view))
    weight = np.sum(view * surprise) / size
    per_session = np.sum(view * (surprise - weight * view), axis=1)
    lag_count = lags(sessions, horizon_sessions)
    share, freedom = small_sample(sessions, horizon_sessions, lag_count)
    variance = sum_variance(per_session[rows], positions[rows], lag_count) / share / size**2
    believed = SCEPTICISM**2 / (SCEPTICISM**2 + variance)
    proven = weight * believed + stdtrit(freedom, LEVEL / models) * np.sqrt(variance * believed)
    return float(np.clip(proven, 0.0, 1.0))
