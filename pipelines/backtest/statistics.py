"""What a series of returns shows, and how far chance alone would have gone."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import kurtosis, skew

from ml.evaluation.overlap import overlap_t_test
from pipelines.rebalance.arrays import Floats, Integers, Vector
from pipelines.rebalance.market.risk import SESSIONS_PER_YEAR

_SAME = 1e-12
"""Series of returns that differ by less are of the same portfolio."""


@dataclass(frozen=True)
class Difference:
    """Mean difference of log returns, annual, and the test that it is zero.

    ``p_value`` is None where two portfolios are the same, or too short to say.
    """

    annual: float
    p_value: float | None


def sharpe_ratio(excess: Vector) -> float:
    """Return mean over standard deviation of excess returns, per session; 0 if they are still."""
    deviation = excess.std()
    return float(excess.mean() / deviation) if deviation > 0 else 0.0


def sharpe_standard_error(excess: Vector) -> float:
    """Return the standard error of :func:`sharpe_ratio`, per session.

    By the delta method with a long-run variance (Newey-West weights, as in all tests here), so that
    fat tails, skewness and autocorrelation count. For independent normal returns it is
    sqrt((1 + SR^2 / 2) / T).

    Source: Lo (2002), "The statistics of Sharpe ratios", Financial Analysts Journal 58(4).
    """
    deviation = excess.std()
    if not deviation > 0:
        return math.nan
    scores = (excess - excess.mean()) / deviation
    influence = scores - sharpe_ratio(excess) / 2 * (np.square(scores) - 1)
    return float(overlap_t_test(influence, np.arange(len(excess)), 1).standard_error)


def expected_highest_sharpe(variance: float, trials: int) -> float:
    """Return the highest Sharpe ratio to expect of trials without any skill.

    Parameters
    ----------
    variance : of the trials' Sharpe ratios, in the unit that is squared of the result.

    Source: Bailey and Lopez de Prado (2014), "The deflated Sharpe ratio", Journal of Portfolio
    Management 40(5), equation 1.
    """
    if trials < 2:
        return 0.0
    euler = float(np.euler_gamma)
    far = (1 - euler) * ndtri(1 - 1 / trials) + euler * ndtri(1 - 1 / (trials * math.e))
    return float(math.sqrt(variance) * far)


def deflated_sharpe(
    sharpe: float, sessions: int, skewness: float, kurtosis: float, benchmark: float
) -> float:
    """Return the probability that the true Sharpe ratio exceeds what luck explains.

    Parameters
    ----------
    sharpe, benchmark : per session; the benchmark is :func:`expected_highest_sharpe`.
    kurtosis : of returns, 3 for normal ones.

    Source: Bailey and Lopez de Prado (2014), equation 2.
    """
    spread = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return float(ndtr((sharpe - benchmark) * math.sqrt(sessions - 1) / math.sqrt(spread)))


def distinct_trials(excess: Floats) -> Integers:
    """Return the first column of each portfolio: columns that are the same are one trial."""
    first: list[int] = []
    for column in range(excess.shape[1]):
        apart = np.abs(excess[:, first] - excess[:, [column]]).max(axis=0, initial=0.0)
        if not (apart < _SAME).any():
            first.append(column)
    return np.array(first)


def deflated_sharpes(excess: Floats) -> Vector:
    """Return the deflated Sharpe ratio of each column; those that differ are the trials."""
    ratios = np.array([sharpe_ratio(column) for column in excess.T])
    trials = ratios[distinct_trials(excess)]
    variance = float(trials.var(ddof=1)) if len(trials) > 1 else 0.0
    benchmark = expected_highest_sharpe(variance, len(trials))
    return np.array(
        [
            deflated_sharpe(
                ratio, len(column), float(skew(column)), float(kurtosis(column) + 3), benchmark
            )
            for ratio, column in zip(ratios, excess.T, strict=True)
        ]
    )


def drawdowns(wealth: Floats) -> Floats:
    """Return how far wealth is below its highest so far, along the first axis; 0 or negative."""
    below: Floats = wealth / np.maximum.accumulate(wealth, axis=0) - 1
    return below


def annual_return(wealth: Vector) -> float:
    """Return the geometric return a year of wealth after each session."""
    sessions = len(wealth) - 1
    return float((wealth[-1] / wealth[0]) ** (SESSIONS_PER_YEAR / sessions) - 1)


def annual_volatility(returns: Vector) -> float:
    """Return the standard deviation a year of returns per session."""
    return float(returns.std() * math.sqrt(SESSIONS_PER_YEAR))


def worst_year(wealth: Vector, years: Vector) -> tuple[int, float]:
    """Return the calendar year of the lowest return, and that; parts of years count as they are.

    Parameters
    ----------
    wealth : after each session, the first being where it began.
    years : of the sessions.
    """
    ends = np.flatnonzero(np.append(np.diff(years) != 0, True))
    at_ends = np.concatenate([wealth[:1], wealth[ends]])
    returns = at_ends[1:] / at_ends[:-1] - 1
    worst = int(np.argmin(returns))
    return int(years[ends[worst]]), float(returns[worst])


def difference(wealth: Vector, other: Vector) -> Difference:
    """Return how much faster one wealth grew than another, with a test that allows for memory.

    Newey-West standard error of the mean difference of log returns per session, with the lags and
    the small-sample correction of all tests here.
    """
    apart = np.diff(np.log(wealth)) - np.diff(np.log(other))
    if np.abs(apart).max(initial=0.0) < _SAME:
        return Difference(0.0, None)
    test = overlap_t_test(apart, np.arange(len(apart)), 1)
    p_value = float(test.p_value)
    return Difference(
        float(apart.mean()) * SESSIONS_PER_YEAR, p_value if math.isfinite(p_value) else None
    )
