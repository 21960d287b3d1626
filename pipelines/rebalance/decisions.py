"""Which goals are solved anew, and which accounts trade, with all their cash or only new cash."""

from dataclasses import dataclass

import numpy as np

from models.vocabulary import NoTrade, Trigger
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.goal_problems import advised_accounts
from pipelines.rebalance.inputs.screening import ACCOUNT_ISSUES, AccountIssue
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.limits.changes import lacks_cash
from pipelines.rebalance.limits.drift import account_grains, account_weights, outside_band
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.arithmetic import NANOS
from pipelines.rebalance.trades.orders import is_tradable
from pipelines.rebalance.trades.sized import Targets
from pipelines.rebalance.trades.sizing import TRADED
from pipelines.rebalance.trades.weights import NO_TARGET

_TRIGGERS = tuple(Trigger)
_NO_TRADES = tuple(NoTrade)
_NONE, _CASH_FLOW, _FIRST, _PROFILE = (
    _TRIGGERS.index(trigger)
    for trigger in (
        Trigger.NONE,
        Trigger.CASH_FLOW,
        Trigger.FIRST_ADVICE,
        Trigger.PROFILE_CHANGE,
    )
)
_IDLE = (NoTrade.OPEN_ORDER, NoTrade.HELD, NoTrade.COOLDOWN)


@dataclass(frozen=True)
class Decisions:
    """What becomes of accounts whose targets are known, (accounts,) each.

    Attributes
    ----------
    trigger : as ``tuple(Trigger)`` numbers them; that of its goal where only another account of
        the goal had one.
    idle_because : as ``tuple(NoTrade)`` numbers them; -1: it is traded.
    is_flow_only : whether only cash is brought to its place.
    is_cooling : whether it waits because it was traded lately.
    """

    trigger: Integers
    idle_because: Integers
    is_flow_only: Mask
    is_cooling: Mask


def solved_goals(shard: Shard, bounds: Bounds, trigger: Integers) -> Integers:
    """Return the goals that get a new target: cash alone is brought to where the last one has it.

    Only accounts that take part in their goal's target count.
    """
    acts = (trigger != _NONE) & (trigger != _CASH_FLOW) & advised_accounts(shard, bounds)
    solved: Integers = np.unique(shard.accounts.goal[acts])
    return solved


def decide(
    shard: Shard,
    bounds: Bounds,
    trigger: Integers,
    targets: Targets,
    is_harvested: Mask,
    market: Market,
    policy: Policy,
) -> Decisions:
    """Decide which accounts are traded.

    With a new target an account is traded if it is outside the band around that, if its cash is
    below its buffer, or if a loss is harvested. Where only cash came or went, only that is
    brought to its place; what is out of its band after that has drifted.

    Parameters
    ----------
    trigger : (accounts,) of each account by itself.
    targets : in force, new or last.
    is_harvested : (accounts,) whether losses are taken.
    """
    accounts, account_nanos = shard.accounts, targets.account_nanos
    prices = np.array(market.price_micros, dtype=np.int64)
    has_target = advised_accounts(shard, bounds) & (account_nanos[:, 0] != NO_TARGET)
    has_target &= is_tradable(accounts, prices)
    goal_is_new = np.append(targets.is_new, False)[accounts.goal]
    is_outside = has_target & outside_band(
        account_weights(accounts),
        account_nanos / NANOS,
        account_grains(accounts, market, policy),
        policy,
    )
    has_flow = trigger == _CASH_FLOW
    is_renewed = goal_is_new & (is_outside | is_harvested | lacks_cash(accounts))
    trades = has_target & (is_renewed | has_flow)
    is_flow_only = trades & has_flow & ~(goal_is_new & (is_outside | is_harvested))
    is_cooling = has_target & ~trades & is_outside
    is_open = accounts.issue == ACCOUNT_ISSUES.index(AccountIssue.OPEN_ORDER)
    idle = np.select(
        [trades, is_open, ~has_target, is_cooling],
        [TRADED, *(_NO_TRADES.index(why) for why in _IDLE)],
        _NO_TRADES.index(NoTrade.WITHIN_BAND),
    )
    return Decisions(
        trigger=np.where(goal_is_new & has_target, _of_siblings(shard, trigger), trigger),
        idle_because=idle,
        is_flow_only=is_flow_only,
        is_cooling=is_cooling,
    )


def _of_siblings(shard: Shard, trigger: Integers) -> Integers:
    """Return triggers, where an account has none that of the goal's other accounts.

    A first advice is another account's own; to the rest of the goal it is a change of the goal.
    """
    goal = shard.accounts.goal
    first = np.full(len(shard.goals.goal_id) + 1, _NONE)
    np.minimum.at(first, goal, np.where(trigger == _FIRST, _PROFILE, trigger))
    return np.where(trigger == _NONE, first[goal], trigger)
