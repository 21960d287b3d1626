"""The moments of a goal's worth at its date, exact for lognormal returns on a grid of steps."""

import math
from typing import NamedTuple

from pipelines.rebalance.arrays import Floats
from pipelines.rebalance.kernels import kernel, part

STEPS = 40
"""Steps at most until a goal's date; none is shorter than a month."""

MOMENTS = 9
"""Of the worth X and of what a deposit of one cent a month becomes, Y: X, Y, XX, XY, YY, XXX, XXY,
XYY, YYY."""


class Plan(NamedTuple):
    """A goal, and what is planned for it.

    Attributes
    ----------
    months : to its date, above 0.
    wealth_cents : of its accounts.
    score : risk score in force, at least 1; the portfolio's risk is in proportion to it.
    log_excess, log_variance : annual, of the portfolio as it is: how much faster its mean grows
        than cash, and the variance of its log return.
    flow_cents : (flows,) planned payments.
    flow_months : (flows, 3) months to the first and the last one, and between two; 0: one only.
    knots, scores : the glide path: years before the date and the highest scores then.
    horizon_years : years before the date from which the horizon alone allows every score.
    log_cash : annual growth of cash.
    """

    months: float
    wealth_cents: float
    score: float
    log_excess: float
    log_variance: float
    flow_cents: Floats
    flow_months: Floats
    knots: Floats
    scores: Floats
    horizon_years: float
    log_cash: float


@part
def score_at(plan: Plan, years: float, highest: float) -> float:
    """Return the risk score in force so many years before the date, from 1 to ``highest``."""
    knots, scores = plan.knots, plan.scores
    score = min(highest, 100.0 * years / plan.horizon_years)
    if years <= knots[0]:
        score = min(score, scores[0])
    elif years >= knots[-1]:
        score = min(score, scores[-1])
    else:
        place = 1
        while knots[place] < years:
            place += 1
        share = (years - knots[place - 1]) / (knots[place] - knots[place - 1])
        score = min(score, scores[place - 1] + share * (scores[place] - scores[place - 1]))
    return max(score, 1.0)


@kernel
def accumulate(plan: Plan, highest_score: float, later_months: float, moments: Floats) -> None:
    """Fill in the moments of a goal's worth at its date.

    Returns of steps are lognormal and independent, with the excess return and the volatility of
    the goal's portfolio in proportion to the score in force then [1]_. Payments of a step fall
    into its middle.

    Parameters
    ----------
    highest_score : that the client takes from now on.
    later_months : by which the date is put off.
    moments : (9,) is filled.

    References
    ----------
    .. [1] R. Merton, "Lifetime portfolio selection under uncertainty: the continuous-time case",
       Review of Economics and Statistics 51 (1969).
    """
    months = plan.months + later_months
    steps = min(STEPS, max(1, math.ceil(months)))
    width = months / steps
    half_years = width / 24
    for moment in range(MOMENTS):
        moments[moment] = 0.0
    _pay(moments, plan.wealth_cents, 0.0)
    paid, score, growth, spread = 0.0, 0.0, 1.0, 1.0
    for step in range(steps):
        before = score
        score = score_at(plan, (months - (step + 0.5) * width) / 12, highest_score)
        if score != before:
            scale = score / plan.score
            growth = math.exp(half_years * (plan.log_cash + scale * plan.log_excess))
            spread = math.exp(half_years * scale * scale * plan.log_variance)
        _grow(moments, growth, spread)
        planned = _planned(plan, (step + 1) * width)
        _pay(moments, planned - paid, width)
        paid = planned
        _grow(moments, growth, spread)


@part
def _planned(plan: Plan, until: float) -> float:
    """Return all that is planned to be paid within so many months."""
    total = 0.0
    for flow in range(len(plan.flow_cents)):
        first, between = plan.flow_months[flow, 0], plan.flow_months[flow, 2]
        last = min(until, plan.flow_months[flow, 1])
        if last >= first:
            count = 1.0 if between == 0 else math.floor((last - first) / between) + 1.0
            total += count * plan.flow_cents[flow]
    return total


@part
def planned_cents(plan: Plan) -> float:
    """Return deposits less withdrawals that are planned until the goal's date."""
    return _planned(plan, plan.months)


@part
def _grow(moments: Floats, growth: float, spread: float) -> None:
    """Multiply by a return whose moments are growth, growth^2 spread and growth^3 spread^3."""
    square = growth * growth * spread
    cube = square * growth * spread * spread
    for first in range(2):
        moments[first] *= growth
    for second in range(2, 5):
        moments[second] *= square
    for third in range(5, MOMENTS):
        moments[third] *= cube


@part
def _pay(moments: Floats, c: float, u: float) -> None:
    """Add c to X and u to Y, to the highest moments first, since they need the lower ones."""
    x, y, xx, xy, yy = moments[0], moments[1], moments[2], moments[3], moments[4]
    moments[5] += 3 * c * xx + 3 * c * c * x + c * c * c
    moments[6] += u * xx + 2 * c * xy + 2 * c * u * x + c * c * y + c * c * u
    moments[7] += c * yy + 2 * u * xy + 2 * c * u * y + u * u * x + c * u * u
    moments[8] += 3 * u * yy + 3 * u * u * y + u * u * u
    moments[2] += 2 * c * x + c * c
    moments[3] += c * y + u * x + c * u
    moments[4] += 2 * u * y + u * u
    moments[0] += c
    moments[1] += u


@kernel
def with_deposit(moments: Floats, d: float) -> tuple[float, float, float]:
    """Return the three moments of the worth with d more each month."""
    return (
        moments[0] + d * moments[1],
        moments[2] + 2 * d * moments[3] + d * d * moments[4],
        moments[5] + 3 * d * moments[6] + 3 * d * d * moments[7] + d * d * d * moments[8],
    )
