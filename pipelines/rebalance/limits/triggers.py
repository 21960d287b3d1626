"""Why an account is acted on today, or that it is not."""

import numpy as np

from models.vocabulary import Trigger
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.inputs.shard import Accounts, Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.limits.breaches import breaks_bounds
from pipelines.rebalance.limits.changes import has_target, lacks_cash, profile_changed
from pipelines.rebalance.limits.drift import account_grains, account_weights, outside_band
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy

_TRIGGERS = tuple(Trigger)
_NANOS = 1_000_000_000


def trigger_of(
    shard: Shard, bounds: Bounds, market: Market, policy: Policy, harvests: Mask | None = None
) -> Integers:
    """Return each account's trigger, the first that holds in the order of ``Trigger``.

    What is measured is the distance to the last target, not to today's optimum, which moves with
    every forecast. Accounts that cannot be advised on have none.

    Parameters
    ----------
    bounds : of the shard's goals.
    harvests : (accounts,) whether losses of it would be harvested; none by default.

    Returns
    -------
    (accounts,) as ``tuple(Trigger)`` numbers them.
    """
    accounts = shard.accounts
    has_last = has_target(accounts)
    current, target = account_weights(accounts), accounts.last_nanos / _NANOS
    found = {
        Trigger.FIRST_ADVICE: ~has_last,
        Trigger.PROFILE_CHANGE: profile_changed(accounts, bounds.risk_score, bounds.upper, market),
        Trigger.CONSTRAINT_CHANGE: breaks_bounds(shard, bounds, market, policy),
        Trigger.CASH_FLOW: lacks_cash(accounts) | _new_cash(accounts, current, target, policy),
        Trigger.DRIFT: _drifted(accounts, current, target, market, policy),
        Trigger.HARVEST: np.zeros_like(has_last) if harvests is None else harvests,
    }
    trigger = np.full(len(has_last), _TRIGGERS.index(Trigger.NONE))
    for name in reversed(found):
        trigger[found[name] & (has_last | (name is Trigger.FIRST_ADVICE))] = _TRIGGERS.index(name)
    trigger[~_is_advised(accounts, bounds)] = _TRIGGERS.index(Trigger.NONE)
    return trigger


def _is_advised(accounts: Accounts, bounds: Bounds) -> Mask:
    has_goal = np.append(bounds.is_advised, False)[accounts.goal]  # -1, no goal, is the last one
    return np.asarray(has_goal & (accounts.issue == 0))


def _new_cash(accounts: Accounts, current: Floats, target: Floats, policy: Policy) -> Mask:
    """Say where external cash came or went, and cash is still off its target for it.

    Without the second, what was invested or paid for once would be a reason to trade for as long
    as the last target stands.
    """
    share = np.ceil(policy.cash_flow_weight * accounts.wealth_cents)
    smallest = np.maximum(share, policy.minimum_notional_cents)
    off_cents = (current[:, -1] - target[:, -1]) * accounts.wealth_cents
    came = (accounts.new_cash_cents >= smallest) & (off_cents >= smallest)
    went = (accounts.new_cash_cents <= -smallest) & (off_cents <= -smallest)
    return np.asarray(came | went)


def _drifted(
    accounts: Accounts, current: Floats, target: Floats, market: Market, policy: Policy
) -> Mask:
    grains = account_grains(accounts, market, policy)
    is_cool = accounts.sessions_since_trade >= policy.cooldown_sessions
    return is_cool & outside_band(current, target, grains, policy)
