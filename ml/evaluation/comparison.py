"""Tests of whether one forecast loses less than another, beyond what chance does."""

from dataclasses import dataclass

import numpy as np

from ml.evaluation.multiple import bonferroni
from ml.evaluation.nullable import number_or_none
from ml.evaluation.overlap import MeanTest, Positions, overlap_t_test
from ml.evaluation.skill import Mask
from ml.rolling import Floats


@dataclass(frozen=True)
class Comparison:
    """One model's squared errors against another's.

    Attributes
    ----------
    first, last : rows of the first and the last session compared.
    sessions : how many were.
    difference : mean over sessions of the squared error less the other's; below 0 it is better.
    statistic : Diebold-Mariano, t value; None where there is too little to say one.
    p_value : one-sided, that it is no better; 1 where it cannot be said.
    p_value_corrected : the same, allowing for the number of candidates it was picked from.
    """

    first: int
    last: int
    sessions: int
    difference: float
    statistic: float | None
    p_value: float
    p_value_corrected: float


def session_means(values: Floats, where: Mask) -> Floats:
    """Return the mean over symbols of each session; NaN where none counts. Shape (sessions,)."""
    counts = where.sum(axis=1)
    sums = np.einsum("ij->i", np.where(where, values, 0.0))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def diebold_mariano(
    losses: Floats, others: Floats, positions: Positions, horizon_sessions: int
) -> MeanTest:
    """Test whether two forecasts lose the same; below 0 the first loses less.

    Each session counts once, however many symbols it has: give means over symbols, or a column for
    each symbol. The null is equal loss of these forecasts as they were made (Giacomini and White
    2006), not of models at their true parameters, so nested models need no other critical values.

    Source: Diebold and Mariano (1995), Journal of Business and Economic Statistics 13(3); standard
    error, small-sample correction and degrees of freedom as in :mod:`ml.evaluation.overlap`.

    Parameters
    ----------
    losses, others : (sessions,) or (sessions, columns); NaN where there is none.
    positions : (sessions,) on the exchange's axis, ascending.
    horizon_sessions : how far outcomes reach.
    """
    return overlap_t_test(losses - others, positions, horizon_sessions)


def compare(
    outcomes: Floats,
    mean: Floats,
    other: Floats,
    positions: Positions,
    horizon_sessions: int,
    candidates: int = 1,
) -> Comparison | None:
    """Compare squared errors on the sessions and symbols that both have forecast.

    Parameters
    ----------
    outcomes, mean, other : (sessions, symbols), log return; NaN where unknown.
    positions : (sessions,) on the exchange's axis, ascending.
    horizon_sessions : how far outcomes reach.
    candidates : how many models the first was picked from.

    Returns
    -------
    None where they have nothing in common.
    """
    both = np.isfinite(outcomes) & np.isfinite(mean) & np.isfinite(other)
    rows = np.flatnonzero(both.any(axis=1))
    if not len(rows):
        return None
    truth = outcomes[rows]
    test = diebold_mariano(
        session_means(np.square(truth - mean[rows]), both[rows]),
        session_means(np.square(truth - other[rows]), both[rows]),
        positions[rows],
        horizon_sessions,
    )
    said = bool(np.isfinite(test.statistic))
    p_value = float(test.p_value_below) if said else 1.0
    return Comparison(
        first=int(rows[0]),
        last=int(rows[-1]),
        sessions=len(rows),
        difference=float(test.mean),
        statistic=number_or_none(test.statistic),
        p_value=p_value,
        p_value_corrected=bonferroni(p_value, candidates),
    )
