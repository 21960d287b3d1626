"""Why a trade has its size: signed shares per cause along a fixed path of targets.

The path begins with what is held and ends with what is traded. Every step changes one thing, and
its cause gets the difference that it makes, so the causes sum to the trade exactly::

    held -> last target, with the wealth of before external cash (drift)
    -> last target with today's wealth (cash_flow)
    -> long-only optimum of the goal under the long-run covariance (profile)
    -> bounds, exclusions, cash (constraints) -> today's covariance (risk_model)
    -> the forecasts (forecast)
    -> trading cost, the limit on turnover, and the cash that is short (cost)
    -> tax on sells, harvested losses, wash sales (tax)
    -> whole lots (rounding)

Where the last target stands, the path ends with it. Where only cash is brought to its place, all
but rounding is ``cash_flow``. A step without a verified optimum counts with the next one.
"""

from dataclasses import dataclass

import numpy as np

from models.store_trades import CAUSES
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.goal_problems import Start
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.reasons.steps import goal_steps
from pipelines.rebalance.trades.location import locate
from pipelines.rebalance.trades.orders import target_micros
from pipelines.rebalance.trades.sized import Sized
from pipelines.rebalance.trades.weights import NO_TARGET

CAUSE_NAMES = tuple(CAUSES)


@dataclass(frozen=True)
class Plan:
    """What accounts were sized on.

    Attributes
    ----------
    goal_nanos : (goals, symbols + 1) new targets; ``NO_TARGET`` where the last one stands.
    located_nanos : (accounts, symbols + 1) the new targets located, or the last ones.
    sized_nanos : (accounts, symbols + 1) the same after losses were harvested.
    is_flow_only : (accounts,) whether only cash is brought to its place.
    is_held_by_tax : (accounts, symbols) whether tax keeps from trading to the target there.
    """

    goal_nanos: Integers
    located_nanos: Integers
    sized_nanos: Integers
    is_flow_only: Mask
    is_held_by_tax: Mask


class _Path:
    """Quantities of all trades on their way from what is held; each step books its difference."""

    def __init__(self, held_micros: Integers) -> None:
        self.at = held_micros.copy()
        self.causes = np.zeros((len(held_micros), len(CAUSE_NAMES)), np.int64)
        self.is_complete = np.ones(len(held_micros), np.int64)

    def go(self, cause: str, to_micros: Integers, where: Mask) -> None:
        """Go on to quantities, where the step is one of the trade's path."""
        column = self.causes[:, CAUSE_NAMES.index(cause)]
        column[where] += to_micros[where] - self.at[where]
        self.at[where] = to_micros[where]


def causes_of(
    shard: Shard,
    market: Market,
    outlook: Outlook,
    policy: Policy,
    bounds: Bounds,
    start: Start,
    plan: Plan,
    sized: Sized,
) -> tuple[Integers, Integers]:
    """Return the causes of each trade, and whether every step of its path could be solved.

    Returns
    -------
    (trades, causes) signed micros in the order of ``CAUSES``, each row summing to the trade's
    quantity, and (trades,) 0 or 1; trades in the order of accounts and then of symbols.
    """
    account, symbol = np.nonzero(sized.traded_micros)
    accounts = shard.accounts
    prices = np.array(market.price_micros, dtype=np.int64)
    held = accounts.held_micros[account, symbol]
    path = _Path(held)

    def quantities(nanos: Integers, wealth_cents: Integers) -> Integers:
        return target_micros(nanos, wealth_cents, prices)[account, symbol]

    wealth = accounts.wealth_cents
    flows = plan.is_flow_only[account]
    has_last = (accounts.last_nanos[account, 0] != NO_TARGET) & ~flows
    is_new = (np.append(plan.goal_nanos[:, 0], NO_TARGET)[accounts.goal] != NO_TARGET)[account]
    is_new &= ~flows
    path.go("drift", quantities(accounts.last_nanos, wealth - accounts.new_cash_cents), has_last)
    path.go("cash_flow", quantities(accounts.last_nanos, wealth), has_last)
    rows = np.unique(accounts.goal[account[is_new]])
    steps = goal_steps(bounds, rows, outlook, start, plan.goal_nanos[rows], policy)
    for cause, goal_nanos in steps:
        nanos = plan.located_nanos if cause == "tax" else _located(shard, market, rows, goal_nanos)
        is_known = nanos[account, 0] != NO_TARGET
        path.go(cause, quantities(nanos, wealth), is_new & is_known)
        path.is_complete[is_new & ~is_known] = 0
    path.go("tax", quantities(plan.sized_nanos, wealth), ~flows)
    settled = sized.settled_micros[account, symbol]
    is_held_by_tax = plan.is_held_by_tax[account, symbol]
    path.go("tax", settled, is_held_by_tax)
    path.go("cash_flow", settled, flows)
    path.go("cost", settled, ~(flows | is_held_by_tax))
    traded = sized.traded_micros[account, symbol]
    path.go("rounding", held + traded, np.ones(len(account), np.bool_))
    return path.causes, path.is_complete


def _located(shard: Shard, market: Market, rows: Integers, nanos: Integers) -> Integers:
    """Return targets of some goals located over their accounts, as the goals' own targets are."""
    whole = np.full((len(shard.goals.goal_id), nanos.shape[1]), NO_TARGET, np.int64)
    whole[rows] = nanos
    return locate(shard, whole, market)
