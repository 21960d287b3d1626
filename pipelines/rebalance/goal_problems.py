"""The allocation problems of a shard's goals: rows of bounds, with what a goal holds and pays."""

import dataclasses
import datetime as dt

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers, Mask, Vector
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.problems import Problems
from pipelines.rebalance.trades.tax import sell_costs

_BPS = 10_000


@dataclasses.dataclass(frozen=True)
class Start:
    """Where goals trade from, (goals, symbols) each.

    Attributes
    ----------
    current : drifted weights of a goal's wealth.
    buy_cost, sell_cost : of what is traded, without tax, as one horizon is charged with it.
    taxed_sell_cost : with the marginal tax of the lots that would be sold.
    """

    current: Floats
    buy_cost: Floats
    sell_cost: Floats
    taxed_sell_cost: Floats


def advised_accounts(shard: Shard, bounds: Bounds) -> Mask:
    """Say which accounts take part in their goal's target."""
    accounts = shard.accounts
    is_advised: Mask = np.append(bounds.is_advised, False)[accounts.goal]  # -1: no goal
    return is_advised & (accounts.issue == 0)


def current_weights(shard: Shard, bounds: Bounds) -> Floats:
    """Return (goals, symbols): what the accounts of each goal hold, as weights of its wealth."""
    accounts = shard.accounts
    rows = np.flatnonzero(advised_accounts(shard, bounds))
    held = np.zeros(bounds.lower.shape, np.int64)
    np.add.at(held, accounts.goal[rows], accounts.value_cents[rows])
    wealth = np.maximum(bounds.wealth_cents, 1)
    return held / wealth[:, None]


def start_of(
    shard: Shard, market: Market, session: dt.date, policy: Policy, bounds: Bounds
) -> Start:
    """Return what goals hold, and what trading costs them in spread and tax.

    A target stands until the next trade, over which return and variance grow with time, while cost
    is paid once. So the utility of a horizon H is charged with H / T of it, T being the expected
    holding period; tax, too, counts as if it were paid once in T. This is the one place where costs
    are made shares: fees and taxes in money are those of the whole trade.

    Source: Grinold and Kahn (2000), "Active Portfolio Management", chapter 16, amortise costs so.
    """
    shape = bounds.lower.shape
    spread = np.full(shape, policy.cost_bps / _BPS)
    taxed = sell_costs(shard, market, session, policy, spread, spread)
    return Start(
        current=current_weights(shard, bounds),
        buy_cost=spread * policy.cost_share,
        sell_cost=spread * policy.cost_share,
        taxed_sell_cost=taxed * policy.cost_share,
    )


def target_problems(bounds: Bounds, rows: Integers, expected: Vector, start: Start) -> Problems:
    """Return the problems whose optima are targets: every limit, cost and tax of the goals."""
    return dataclasses.replace(
        costless_problems(bounds, rows, expected),
        upper=bounds.reachable_upper[rows],
        current=start.current[rows],
        buy_cost=start.buy_cost[rows],
        sell_cost=start.taxed_sell_cost[rows],
        turnover=bounds.turnover[rows],
    )


def costless_problems(bounds: Bounds, rows: Integers, expected: Vector) -> Problems:
    """Return the goals' problems as if trading were free: they depend on no holdings."""
    symbols = bounds.lower.shape[1]
    return Problems(
        expected=np.tile(expected, (len(rows), 1)),
        tolerance=bounds.tolerance[rows],
        current=np.zeros((len(rows), symbols)),
        buy_cost=np.zeros((len(rows), symbols)),
        sell_cost=np.zeros((len(rows), symbols)),
        lower=bounds.lower[rows],
        upper=bounds.upper[rows],
        class_lower=bounds.class_lower[rows],
        class_upper=bounds.class_upper[rows],
        invested_lower=bounds.invested_lower[rows],
        invested_upper=bounds.invested_upper[rows],
        risky_upper=bounds.risky_upper[rows],
        turnover=np.full(len(rows), np.inf),
    )


def unbounded_problems(bounds: Bounds, rows: Integers, expected: Vector) -> Problems:
    """Return the problems of investors with the goals' risk, and no limit but to owe nothing."""
    costless = costless_problems(bounds, rows, expected)
    return dataclasses.replace(
        costless,
        lower=np.zeros_like(costless.lower),
        upper=np.ones_like(costless.upper),
        class_lower=np.zeros_like(costless.class_lower),
        class_upper=np.ones_like(costless.class_upper),
        invested_lower=np.zeros_like(costless.invested_lower),
        invested_upper=np.ones_like(costless.invested_upper),
        risky_upper=np.ones_like(costless.risky_upper),
    )


def take(problems: Problems, rows: Integers | Mask) -> Problems:
    """Return some of the problems."""
    fields = dataclasses.fields(Problems)
    return Problems(**{field.name: getattr(problems, field.name)[rows] for field in fields})
