"""What selling costs in tax, for the allocation problem."""

import datetime as dt

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.lot_kernels import tax_of_next
from pipelines.rebalance.trades.lots import is_long_term
from pipelines.rebalance.trades.wash_sales import TAXABLE, groups_of, recent_micros


def sell_costs(
    shard: Shard,
    market: Market,
    session: dt.date,
    policy: Policy,
    buy_cost: Floats,
    sell_cost: Floats,
) -> Floats:
    """Return what selling costs each goal, spread and tax, for ``Problems.sell_cost``.

    A goal's tax is that of its accounts that can be advised on, weighted by what they hold. Losses
    lower the cost, but never so far that buying and selling would earn: the problem stays convex,
    and harvesting is decided apart.

    Parameters
    ----------
    buy_cost, sell_cost : (goals, symbols), or what broadcasts to it: costs without tax, as
        fractions of what is traded.

    Returns
    -------
    (goals, symbols), at least ``-buy_cost``.
    """
    taxes = account_sell_taxes(shard, market, session, policy)
    goals = len(shard.goals.goal_id)
    served = np.flatnonzero((shard.accounts.goal >= 0) & (shard.accounts.issue == 0))
    goal = shard.accounts.goal[served]
    held = shard.accounts.value_cents[served].astype(np.float64)
    worth, owed = np.zeros((2, goals, len(market.symbols)))
    np.add.at(worth, goal, held)
    np.add.at(owed, goal, held * taxes[served])
    tax = np.divide(owed, worth, out=np.zeros_like(owed), where=worth > 0)
    return np.maximum(sell_cost + tax, -np.broadcast_to(buy_cost, tax.shape))


def account_sell_taxes(shard: Shard, market: Market, session: dt.date, policy: Policy) -> Floats:
    """Return the marginal tax of selling each account's next lots, as a fraction of the proceeds.

    That of ``policy.tax_lookahead_share`` of the holding, in the order in which lots are sold. It
    is 0 in retirement accounts, and for lots of unknown basis, whose tax nobody knows; a loss that
    a purchase of the last 30 days takes away saves nothing.

    Returns
    -------
    (accounts, symbols); negative where selling saves tax.
    """
    accounts, lots = shard.accounts, shard.lots
    tax = np.zeros((len(accounts.tax_kind), len(market.symbols)))
    tax_of_next(
        lots.first,
        lots.symbol,
        lots.quantity_micros,
        lots.basis_cents,
        is_long_term(lots.held_since_day, session),
        np.where((accounts.tax_kind == TAXABLE)[:, None], accounts.held_micros, 0),
        _prices(market),
        policy.tax_lookahead_share,
        np.array([policy.short_term_tax_rate, policy.long_term_tax_rate]),
        tax,
    )
    groups = groups_of(market)
    has_bought = (recent_micros(shard, groups, session) > 0)[accounts.client][:, groups.of]
    return np.where(has_bought, np.maximum(tax, 0.0), tax)


def _prices(market: Market) -> Integers:
    return np.array(market.price_micros, dtype=np.int64)
