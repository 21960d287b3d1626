"""Tests of means over sessions when outcomes overlap.

Outcomes over H sessions share H - 1 of them with their neighbours, so a series of losses or rank
correlations moves like a sum over H sessions and an ordinary t value is several times too large.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from ml.rolling import Floats

Positions = NDArray[np.int64]

LAGS_PER_HORIZON = 4
LAGS_PER_ROOT_OBSERVATION = 2.6
LEAST_HORIZONS = 3
"""Fewest observations, in horizons, that a mean is tested on."""

LEAST_APART = 8
"""Fewest observations a horizon apart that the check without overlap is made on."""

STILL = 1e-9
"""A series that moves less than this share of its largest value has no error to be judged by."""


@dataclass(frozen=True)
class MeanTest:
    """Tests that means are zero; floats, or one for each column tested.

    Attributes
    ----------
    mean : over the sessions observed.
    standard_error : of the mean; NaN where there is too little to say one.
    degrees_of_freedom : of the t distribution that their ratio is held against.
    """

    mean: Floats
    standard_error: Floats
    degrees_of_freedom: Floats

    @property
    def statistic(self) -> Floats:
        """The t value; NaN where there is too little to say one."""
        return self.mean / self.standard_error

    @property
    def p_value(self) -> Floats:
        """Two-sided: the chance of a mean so far from zero, were the true one zero."""
        p_value: Floats = 2.0 * stdtr(self.degrees_of_freedom, -np.abs(self.statistic))
        return p_value

    @property
    def p_value_below(self) -> Floats:
        """One-sided: the chance of a mean so low, were the true one zero."""
        p_value: Floats = stdtr(self.degrees_of_freedom, self.statistic)
        return p_value


def overlap_t_test(values: Floats, positions: Positions, horizon_sessions: int) -> MeanTest:
    """Test for each column whether its mean is zero, allowing for overlap.

    The standard error is that of Newey and West's (1987) Bartlett kernel with :func:`lags`, and
    with the small-sample correction of :func:`small_sample`.

    Parameters
    ----------
    values : (sessions, columns) or (sessions,); NaN where there is none.
    positions : of the sessions on the exchange's axis, ascending; holes between them are allowed
        for, and an hole in a column is treated as such.
    horizon_sessions : how far outcomes reach.
    """
    seen = np.isfinite(values)
    counts = seen.sum(axis=0)
    filled = np.where(seen, values, 0.0)
    mean = filled.sum(axis=0) / np.maximum(counts, 1)
    deviations = np.where(seen, values - mean, 0.0)
    lag_count = lags(len(positions), horizon_sessions)
    variance = sum_variance(deviations, positions, lag_count)
    share, freedom = _small_samples(counts, horizon_sessions, lag_count)
    largest = np.abs(filled).max(axis=0, initial=0.0)
    moves = np.sqrt(np.square(deviations).sum(axis=0)) > STILL * np.sqrt(counts) * largest
    testable = moves & (counts >= LEAST_HORIZONS * horizon_sessions) & (counts > 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        standard_error = np.sqrt(variance / share) / counts
    return MeanTest(mean, np.where(testable, standard_error, np.nan), freedom)


def lags(sessions: int, horizon_sessions: int) -> int:
    """Return how many autocovariances a long-run variance takes in.

    Four horizons less one. In long series 2.6 times the root of their length, since calm and wild
    times outlast a short horizon: twice what Lazarus, Lewis, Stock and Watson (2018), Journal of
    Business and Economic Statistics 36(4), advise for series of less memory. In short ones a third
    of them, but never fewer than overlap makes, a horizon less one. Chosen by the sizes that
    simulation finds.
    """
    wanted = max(
        LAGS_PER_HORIZON * horizon_sessions - 1,
        round(LAGS_PER_ROOT_OBSERVATION * np.sqrt(sessions)),
    )
    return max(min(wanted, sessions // 3), horizon_sessions - 1)


def sum_variance(deviations: Floats, positions: Positions, lag_count: int) -> Floats:
    """Return the variance of the sum of each column, of Bartlett weights; never negative.

    Weights 1 - k / (lags + 1) are the same as the mean square of the sums of all windows of
    lags + 1 sessions, which takes one pass however many lags there are.

    Parameters
    ----------
    deviations : (sessions, ...) of mean zero; 0 where there is none.
    positions : of the sessions, ascending.
    """
    steps = np.minimum(np.diff(positions), lag_count + 1)  # a longer hole correlates no less
    places = lag_count + 1 + np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
    running = np.zeros((places[-1] + lag_count + 1, *deviations.shape[1:]))
    running[places] = deviations
    np.cumsum(running, axis=0, out=running)
    windows = running[lag_count + 1 :] - running[: -(lag_count + 1)]
    variance: Floats = np.square(windows, out=windows).sum(axis=0) / (lag_count + 1)
    return variance


@lru_cache(maxsize=4096)
def small_sample(observations: int, horizon_sessions: int, lag_count: int) -> tuple[float, float]:
    """Return what share of the variance an estimate finds on average, and its degrees of freedom.

    Both are exact for a Gaussian moving sum over the horizon on a circle, the kind of series that
    overlap makes: mean and variance of the estimate follow from the spectra of series and kernel,
    and the degrees of freedom are twice the mean squared over the variance (Satterthwaite).

    That is the idea of Harvey, Leybourne and Newbold (1997), International Journal of Forecasting
    13, who correct the estimate with H - 1 equal weights: their sqrt((n + 1 - 2H + H(H-1)/n) / n)
    makes it unbiased, and they take n - 1 degrees of freedom. With other weights both must differ.
    """
    frequencies = 2.0 * np.pi * np.arange(1, observations) / observations
    found = (
        (lag_count + 1)
        * _spectrum(frequencies, lag_count + 1)
        * _spectrum(frequencies, horizon_sessions)
    )
    if not found.any():
        return 1.0, 1.0
    share = found.sum() / observations
    return float(share), float(found.sum() ** 2 / np.square(found).sum())


def apart_t_test(values: Floats, positions: Positions, horizon_sessions: int) -> float | None:
    """Return the p value that a mean is zero from sessions a horizon apart, which do not overlap.

    An ordinary two-sided t test for each session to begin with, and the largest p value of them:
    so it finds less than the test of all sessions, and what it finds did not hang on the start.
    None where a start leaves fewer than 8 sessions.
    """
    largest = 0.0
    for offset in range(horizon_sessions):
        some = values[positions % horizon_sessions == offset]
        if len(some) < LEAST_APART:
            return None
        spread = some.std(ddof=1)
        if spread <= STILL * np.abs(some).max():
            return None
        statistic = some.mean() / spread * np.sqrt(len(some))
        largest = max(largest, float(2.0 * stdtr(len(some) - 1, -abs(statistic))))
    return largest


def _small_samples(
    counts: NDArray[np.int64], horizon_sessions: int, lag_count: int
) -> tuple[Floats, Floats]:
    unique, index = np.unique(counts, return_inverse=True)
    found = [small_sample(int(count), horizon_sessions, lag_count) for count in unique]
    shares, freedoms = np.array(found).T
    return shares[index], freedoms[index]


def _spectrum(frequencies: Floats, width: int) -> Floats:
    """Return the spectrum of a moving sum over a width, as a share of that at frequency zero."""
    ratio = np.sin(width * frequencies / 2.0) / (width * np.sin(frequencies / 2.0))
    return np.square(ratio)
