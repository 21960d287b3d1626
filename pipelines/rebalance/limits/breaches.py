"""Last targets that break today's limits: they are no destination any more."""

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.limits.changes import has_target, may_be_bought
from pipelines.rebalance.limits.suitability import risky_classes
from pipelines.rebalance.limits.sums import class_sums, total
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy

_NANOS = 1_000_000_000
_ROUNDING = 10 / _NANOS


def breaks_bounds(shard: Shard, bounds: Bounds, market: Market, policy: Policy) -> Mask:
    """Say of which accounts the goal's last target, all its accounts together, breaks its bounds.

    Sums of weights have leeway, as wide as the narrowest band: their limits move a little in every
    session, with the goal's worth and the market, though nobody changed a wish. So do the weights
    of a goal with several accounts, since one grows faster than another. What may only be sold is
    not looked at, as its limit follows what is held.

    Returns
    -------
    (accounts,); False where not every account of the goal has a last target.
    """
    accounts = shard.accounts
    taking_part = (accounts.issue == 0) & (accounts.goal >= 0)
    rows = np.flatnonzero(taking_part & has_target(accounts))
    goal, goals = accounts.goal[rows], len(bounds.wealth_cents)
    last = np.zeros_like(bounds.upper)
    wealth = accounts.wealth_cents[rows] / np.maximum(bounds.wealth_cents[goal], 1)
    np.add.at(last, goal, accounts.last_nanos[rows, :-1] / _NANOS * wealth[:, None])
    members = _counted(accounts.goal[taking_part], goals)
    is_complete = (members > 0) & (members == _counted(goal, goals))
    broken = _symbols_break(last, bounds, market, members, policy)
    broken |= _sums_break(last, bounds, market, policy)
    return np.append(broken & is_complete, False)[accounts.goal]


def _symbols_break(
    last: Floats, bounds: Bounds, market: Market, members: Integers, policy: Policy
) -> Mask:
    moving = np.minimum(policy.relative_band * bounds.upper, policy.narrowest_band)
    leeway = np.where(members[:, None] > 1, moving, 0.0) + _ROUNDING
    outside = (last > bounds.upper + leeway) | (last < bounds.lower - leeway)
    return np.asarray((outside & may_be_bought(market)).any(axis=1))


def _sums_break(last: Floats, bounds: Bounds, market: Market, policy: Policy) -> Mask:
    leeway = policy.narrowest_band
    by_class = class_sums(last, market.membership.argmax(axis=0), len(market.classes))
    risky, invested = total(by_class, risky_classes(market, policy)), total(by_class)
    return np.asarray(
        (by_class > bounds.class_upper + leeway).any(axis=1)
        | (by_class < bounds.class_lower - leeway).any(axis=1)
        | (risky > bounds.risky_upper + leeway)
        | (invested > bounds.invested_upper + leeway)
        | (invested < bounds.invested_lower - leeway)
    )


def _counted(goal: Integers, goals: int) -> Integers:
    return np.bincount(goal, minlength=goals)
