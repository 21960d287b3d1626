"""What would make a goal likely: a deposit, a later date, a lower target or more risk alone."""

import math

from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.goals.shifted_lognormal import chance_of_reaching, fit, quantile
from pipelines.rebalance.goals.worth_kernel import (
    Plan,
    accumulate,
    score_at,
    with_deposit,
)
from pipelines.rebalance.kernels import part

LONGEST_DELAY_MONTHS = 360
"""A date that is put off by more is no help."""

NONE = -1
"""Where a lever does not help, or is not needed."""

_RISK_TRIALS = 6
_LARGEST_DEPOSIT = 2.0  # times the target, each month
_DOLLAR = 100
_SMALLEST_SHARE = 1e-3  # of the target; less is no better a start for a search

# Columns of prospects and of levers.
PROBABILITY, LOWER, MEDIAN, UPPER = range(4)
SAVE_MORE, WAIT_LONGER, WANT_LESS, TAKE_MORE_RISK = range(4)


@part
def look_ahead(
    plan: Plan, target_cents: float, tail_score: float, moments: Floats, prospects: Floats
) -> None:
    """Fill in the moments of a goal's worth, its chance, and the range of its worth.

    Parameters
    ----------
    tail_score : normal score of the lower and, its sign changed, of the upper end of the range.
    moments, prospects : (9,) and (4,) are filled.
    """
    accumulate(plan, plan.score, 0.0, moments)
    worth = fit(*with_deposit(moments, 0.0))
    prospects[PROBABILITY] = chance_of_reaching(target_cents, *worth)
    prospects[LOWER] = quantile(tail_score, *worth)
    prospects[MEDIAN] = quantile(0.0, *worth)
    prospects[UPPER] = quantile(-tail_score, *worth)


@part
def find_levers(
    plan: Plan,
    moments: Floats,
    target_cents: float,
    highest_score: float,
    aimed: float,
    aimed_score: float,
    levers: Integers,
) -> None:
    """Fill in what each lever alone would have to be: cents a month, months, cents, a score.

    Parameters
    ----------
    moments : (9,) as :func:`look_ahead` left them; they are overwritten.
    highest_score : that the client could take at most.
    aimed, aimed_score : the probability to reach, and the normal score below which it lies.
    levers : (4,) is filled; ``NONE`` where a lever does not do.
    """
    safe = quantile(-aimed_score, *fit(*with_deposit(moments, 0.0)))
    lower = math.floor(safe)
    levers[WANT_LESS] = int(lower) if 0 < lower < target_cents else NONE
    levers[SAVE_MORE] = _extra_monthly(moments, target_cents, aimed)
    levers[WAIT_LONGER] = _later_months(plan, target_cents, safe, aimed_score, moments)
    levers[TAKE_MORE_RISK] = _higher_score(plan, target_cents, highest_score, aimed, moments)


@part
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


@part
def _later_months(
    plan: Plan, target: float, safe_now: float, aimed_score: float, moments: Floats
) -> int:
    """Return the months to put the date off by, found by the Illinois method [1]_.

    Sought is where the worth that is reached as often as aimed at, ``safe``, is the target; its
    logarithm is nearly linear in time.

    References
    ----------
    .. [1] M. Dowell and P. Jarratt, "A modified regula falsi method for computing the root of an
       equation", BIT 11 (1971).
    """
    low, high = 0, LONGEST_DELAY_MONTHS
    below = min(_log_gap(safe_now, target), -1e-12)  # it is below, by less than is left of digits
    above = _log_gap(_safe_worth(plan, float(high), aimed_score, moments), target)
    if above < 0:
        return NONE
    side = 0
    while high - low > 1:
        share = below / (below - above)
        middle = min(max(low + round(share * (high - low)), low + 1), high - 1)
        gap = _log_gap(_safe_worth(plan, float(middle), aimed_score, moments), target)
        if gap >= 0:
            high, above = middle, gap
            below = below / 2 if side > 0 else below
            side = 1
        else:
            low, below = middle, gap
            above = above / 2 if side < 0 else above
            side = -1
    return high


@part
def _safe_worth(plan: Plan, later_months: float, aimed_score: float, moments: Floats) -> float:
    accumulate(plan, plan.score, later_months, moments)
    return quantile(-aimed_score, *fit(*with_deposit(moments, 0.0)))


@part
def _log_gap(worth: float, target: float) -> float:
    return math.log(max(worth / target, _SMALLEST_SHARE))


@part
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
            accumulate(plan, float(score), 0.0, moments)
            if _chance(moments, 0.0, target) >= aimed:
                return int(score)
            tried = score
    return NONE


@part
def _chance(moments: Floats, deposit: float, target: float) -> float:
    worth = fit(*with_deposit(moments, deposit))
    return chance_of_reaching(target, *worth)
