"""How likely goals are reached, what they may be worth, and what would help."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from models.vocabulary import GoalKind
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.goals.lever_kernel import NONE, PROBABILITY, find_levers, look_ahead
from pipelines.rebalance.goals.levers import Levers, choose_levers
from pipelines.rebalance.goals.portfolios import LongRun, aimed_weights, long_run
from pipelines.rebalance.goals.sentences import Told, sentences_of
from pipelines.rebalance.goals.worth_kernel import MOMENTS, Plan, planned_cents
from pipelines.rebalance.inputs.screening import (
    ACCOUNT_ISSUES,
    GOAL_ISSUES,
    AccountIssue,
    GoalIssue,
)
from pipelines.rebalance.inputs.shard import PlannedFlows, Shard
from pipelines.rebalance.kernels import kernel
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.policy import Policy

DAYS_PER_MONTH = 365.25 / 12
LOWER_SHARE = 0.10
"""Share of outcomes below the lower end of the range, and above the upper one."""

HORIZON_YEARS = 15.0
"""``longest_horizon_years`` of the mart ``client_profile``: from then on the horizon lowers the
profile's score, year by year, but for retirement, which has its glide path alone."""

PROBABILITY_ERROR = 0.02
"""Largest error of a probability beside simulation, as tests hold it. Ordinary goals are within a
quarter of it; forty years of saving at the highest volatility, and goals that are nearly all cash,
whose worth is so certain that half a month's interest counts, come near it."""

_LARGEST_CENTS = 2.0**62  # of a worth that grows for a century
_NO_HORIZON_YEARS = 1e-9
_RETIREMENT, _WEALTH = (
    list(GoalKind).index(kind) for kind in (GoalKind.RETIREMENT, GoalKind.WEALTH)
)


@dataclass(frozen=True)
class Projections:
    """The prospects of a shard's goals, (goals,) each.

    Attributes
    ----------
    is_projected : whether there is anything to say: the goal has a profile, accounts, and all of
        them can be valued.
    success_probability : of the goal's accounts being worth its target at its date.
    wealth_cents : of its accounts now.
    planned_cents : deposits less withdrawals planned until then.
    lower_cents, median_cents, upper_cents : 10, 50 and 90 % quantiles of the worth at the date.
    levers : what would reach ``aimed_probability``; all -1 where that is reached.
    later_target_day : days since 1970-01-01; -1 where waiting is not needed or does not help.
    sentence : for the client; empty where there is no projection.
    """

    is_projected: Mask
    success_probability: Floats
    wealth_cents: Integers
    planned_cents: Integers
    lower_cents: Integers
    median_cents: Integers
    upper_cents: Integers
    aimed_probability: float
    levers: Levers
    later_target_day: Integers
    sentence: pa.StringArray


def project(
    shard: Shard,
    bounds: Bounds,
    account_nanos: Integers,
    market: Market,
    outlook: Outlook,
    policy: Policy,
) -> Projections:
    """Project the goals of a shard to their dates.

    Cash earns ``policy.risk_free_rate``; above it a portfolio earns what it does in equilibrium,
    since no forecast reaches beyond its horizon. Risk falls with the glide path. Nothing is
    simulated: see :mod:`pipelines.rebalance.goals.worth_kernel`; the probability is within
    ``PROBABILITY_ERROR`` of a simulation of the same assumptions. Whether these hold is another
    matter, and the sentences say so.

    Parameters
    ----------
    account_nanos : (accounts, symbols + 1) targets in force; -1 where there is none.
    """
    goals = shard.goals
    weights = aimed_weights(shard, account_nanos, bounds, market, outlook, policy)
    portfolios = long_run(weights, outlook)
    months = goals.horizon_days / DAYS_PER_MONTH
    prospects, planned, found = _projected(
        shard, bounds, weights.sum(axis=1), portfolios, months, policy
    )
    has_row = _can_be_projected(shard, bounds)
    levers = choose_levers(found, goals.target_cents, months, bounds.risk_score)
    later = goals.target_day + np.ceil(levers.later_months * DAYS_PER_MONTH).astype(np.int64)
    cents = np.clip(np.rint(prospects[:, PROBABILITY + 1 :]), 0.0, _LARGEST_CENTS).astype(np.int64)
    later_target_day = np.where(levers.later_months == NONE, NONE, later)
    told = Told(
        is_projected=has_row,
        has_passed=goals.horizon_days <= 0,
        probability=prospects[:, PROBABILITY],
        target_cents=goals.target_cents,
        target_day=goals.target_day,
        lower_cents=cents[:, 0],
        upper_cents=cents[:, 2],
        planned_cents=planned,
        aimed_probability=policy.aimed_probability,
        risk_free_rate=policy.risk_free_rate,
        levers=levers,
        later_target_day=later_target_day,
    )
    return Projections(
        is_projected=has_row,
        success_probability=prospects[:, PROBABILITY],
        wealth_cents=bounds.wealth_cents,
        planned_cents=planned,
        lower_cents=cents[:, 0],
        median_cents=cents[:, 1],
        upper_cents=cents[:, 2],
        aimed_probability=policy.aimed_probability,
        levers=levers,
        later_target_day=later_target_day,
        sentence=sentences_of(told),
    )


def _can_be_projected(shard: Shard, bounds: Bounds) -> Mask:
    accounts, goals = shard.accounts, len(bounds.wealth_cents)
    is_known = np.isin(
        accounts.issue,
        [ACCOUNT_ISSUES.index(issue) for issue in (AccountIssue.NONE, AccountIssue.EMPTY)],
    )
    has_goal = accounts.goal >= 0
    all_of = np.bincount(accounts.goal[has_goal], minlength=goals)
    known = np.bincount(accounts.goal[has_goal & is_known], minlength=goals)
    has_profile = shard.goals.issue != GOAL_ISSUES.index(GoalIssue.NO_RISK_PROFILE)
    return np.asarray(has_profile & (bounds.risk_score > 0) & (all_of > 0) & (all_of == known))


def _projected(
    shard: Shard,
    bounds: Bounds,
    invested: Floats,
    portfolios: LongRun,
    months: Floats,
    policy: Policy,
) -> tuple[Floats, Integers, Integers]:
    goals = shard.goals
    cash = 1 + policy.risk_free_rate
    largest_scale = 1 / np.maximum(invested, 1e-9)
    highest = np.minimum(goals.capacity_score, np.floor(bounds.risk_score * largest_scale))
    numbers = np.column_stack(
        (
            months,
            bounds.wealth_cents,
            np.maximum(bounds.risk_score, 1),
            np.log1p(portfolios.excess / cash),
            np.log1p((portfolios.volatility / (cash + portfolios.excess)) ** 2),
            np.maximum(goals.target_cents, 1),
            np.maximum(highest, bounds.risk_score),
        )
    )
    flow_cents, flow_months = _flows(shard.planned_flows)
    first_flow = np.searchsorted(shard.planned_flows.goal, np.arange(len(months) + 1))
    first_knot, knots, scores = _curves(policy)
    # A kind that nobody knows has no glide path.
    kind = np.where(goals.kind >= 0, goals.kind, _WEALTH).astype(np.int64)
    normal = NormalDist()
    return _project_all(
        np.ascontiguousarray(numbers), kind, first_flow, flow_cents,
        flow_months, first_knot, knots, scores, np.log1p(policy.risk_free_rate),
        policy.aimed_probability, normal.inv_cdf(policy.aimed_probability),
        normal.inv_cdf(LOWER_SHARE),
    )  # fmt: skip


def _flows(flows: PlannedFlows) -> tuple[Floats, Floats]:
    months = (
        flows.first_day / DAYS_PER_MONTH,
        flows.last_day / DAYS_PER_MONTH,
        flows.step_months.astype(np.float64),
    )
    return flows.signed_cents.astype(np.float64), np.ascontiguousarray(np.column_stack(months))


def _curves(policy: Policy) -> tuple[Integers, Floats, Floats]:
    """Return the glide paths of all kinds of goals, one after the other."""
    curves = [policy.glide_paths[kind] for kind in GoalKind]
    first = np.cumsum([0, *(len(curve) for curve in curves)])
    points = np.array([point for curve in curves for point in curve])
    return first, np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])


@kernel
def _project_all(
    numbers: Floats,
    kind: Integers,
    first_flow: Integers,
    flow_cents: Floats,
    flow_months: Floats,
    first_knot: Integers,
    knots: Floats,
    scores: Floats,
    log_cash: float,
    aimed: float,
    aimed_score: float,
    tail_score: float,
) -> tuple[Floats, Integers, Integers]:
    goals = len(numbers)
    prospects, planned = np.zeros((goals, 4)), np.zeros(goals, dtype=np.int64)
    levers, moments = np.full((goals, 4), NONE, dtype=np.int64), np.empty(MOMENTS)
    for row in range(goals):
        months, wealth, target = numbers[row, 0], numbers[row, 1], numbers[row, 5]
        if months <= 0:
            prospects[row, PROBABILITY] = 1.0 if wealth >= target else 0.0
            for column in range(PROBABILITY + 1, 4):
                prospects[row, column] = wealth
            continue
        plan = Plan(
            months, wealth, numbers[row, 2], numbers[row, 3], numbers[row, 4],
            flow_cents[first_flow[row] : first_flow[row + 1]],
            flow_months[first_flow[row] : first_flow[row + 1]],
            knots[first_knot[kind[row]] : first_knot[kind[row] + 1]],
            scores[first_knot[kind[row]] : first_knot[kind[row] + 1]],
            _NO_HORIZON_YEARS if kind[row] == _RETIREMENT else HORIZON_YEARS, log_cash,
        )  # fmt: skip
        planned[row] = int(planned_cents(plan))
        look_ahead(plan, target, tail_score, moments, prospects[row])
        if prospects[row, PROBABILITY] < aimed:
            find_levers(plan, moments, target, numbers[row, 6], aimed, aimed_score, levers[row])
    return prospects, planned, levers
