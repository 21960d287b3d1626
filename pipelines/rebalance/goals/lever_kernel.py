"""What would make a goal likely: a deposit, a later date, a lower target or more risk alone."""

import math

import numpy as np
from numba import njit

from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.goals.shifted_lognormal import chance_of_reaching, fit, quantile
from pipelines.rebalance.goals.worth_kernel import (
    MOMENTS,
    Plan,
    accumulate,
    score_at,
    with_deposit,
)

LONGEST_DELAY_MONTHS = 360
"""A date that is put off by more is no help."""

NONE = -1
"""Where a lever does not help, or is not needed."""

_RISK_TRIALS = 6
_LARGEST_DEPOSIT = 2.0  # times the target, each month
_DOLLAR = 100

# Columns of prospects and of levers.
PROBABILITY, LOWER, MEDIAN, UPPER = range(4)
SAVE_MORE, WAIT_LONGER, WANT_LESS, TAKE_MORE_RISK = range(4)


@njit(cache=True, nogil=True)
def look_ahead(
    plan: Plan, target_cents: float, tail_score: float, prospects: Floats
) -> tuple[float, float, float, float]:
    """Fill in a goal's chance and the range of its worth, and return how its worth is spread.

    Parameters
    ----------
    tail_score : normal score of the lower and, its sign changed, of the upper end of the range.
    prospects : (4,) is filled.
    """
    moments = np.empty(MOMENTS)
    accumulate(plan, plan.score, 0.0, moments)
    worth = fit(*with_deposit(moments, 0.0))
    prospects[PROBABILITY] = chance_of_reaching(target_cents, *worth)
    prospects[LOWER] = quantile(tail_score, *worth)
    prospects[MEDIAN] = quantile(0.0, *worth)
    prospects[UPPER] = quantile(-tail_score, *worth)
    return worth


@njit(cache=True, nogil=True)
def find_levers(
    plan: Plan,
    worth: tuple[float, float, float, float],
    target_cents: float,
    highest_score: float,
    aimed: float,
    aimed_score: float,
    levers: Integers,
) -> None:
    """Fill in what each lever alone would have to be: cents a month, months, cents, a score.

    Parameters
    ----------
    worth : as :func:`look_ahead` returns it.
    highest_score : that the client could take at most.
    aimed, aimed_score : the probability to reach, and the normal score below which it lies.
    levers : (4,) is filled; ``NONE`` where a lever does not do.
    """
    moments = np.empty(MOMENTS)
    lower = math.floor(quantile(-aimed_score, *worth))
    levers[WANT_LESS] = int(lower) if 0 < lower < target_cents else NONE
    levers[WAIT_LONGER] = _later_months(plan, target_cents, aimed, moments)
    levers[TAKE_MORE_RISK] = _higher_score(plan, target_cents, highest_score, aimed, moments)
    accumulate(plan, plan.score, 0.0, moments)
    levers[SAVE_MORE] = _extra_monthly(moments, target_cents, aimed)


@njit(cache=True, nogil=True)
def _extra_monthly(moments: Floats, target: float, aimed: float) -> int:
    """Return the least deposit, in whole dollars, that does; the chance rises with it."""
    high = math.ceil(_LARGEST_DEPOSIT * target / _DOLLAR)
    if _chance(moments, float(high * _DOLLAR), target) < aimed:
        return NONE
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        if _chance(moments, float(middle * _DOLLAR), target) >= aimed:
            high = middle
        else:
            low = middle
    return high * _DOLLAR


@njit(cache=True, nogil=True)
def _later_months(plan: Plan, target: float, aimed: float, moments: Floats) -> int:
    """Return how long to put the date off: ever longer until it does, then halving the gap."""
    low, high = 0, 1
    while _chance_later(plan, high, target, moments) < aimed:
        if high >= LONGEST_DELAY_MONTHS:
            return NONE
        low, high = high, min(3 * high, LONGEST_DELAY_MONTHS)
    while high - low > 1:
        middle = (low + high) // 2
        if _chance_later(plan, middle, target, moments) >= aimed:
            high = middle
        else:
            low = middle
    return high


@njit(cache=True, nogil=True)
def _chance_later(plan: Plan, months: int, target: float, moments: Floats) -> float:
    accumulate(plan, plan.score, float(months), moments)
    return _chance(moments, 0.0, target)


@njit(cache=True, nogil=True)
def _higher_score(
    plan: Plan, target: float, highest_score: float, aimed: float, moments: Floats
) -> int:
    """Return the lowest of a few scores, evenly above the one in force, that does.

    The chance need not rise with risk, so they are tried one by one.
    """
    most = score_at(plan, plan.months / 12, highest_score)
    tried = plan.score
    for trial in range(1, _RISK_TRIALS + 1):
        score = math.floor(plan.score + (most - plan.score) * trial / _RISK_TRIALS)
        if score > tried:
            accumulate(plan, score, 0.0, moments)
            if _chance(moments, 0.0, target) >= aimed:
                return int(score)
            tried = score
    return NONE


@njit(cache=True, nogil=True)
def _chance(moments: Floats, deposit: float, target: float) -> float:
    worth = fit(*with_deposit(moments, deposit))
    return chance_of_reaching(target, *worth)
