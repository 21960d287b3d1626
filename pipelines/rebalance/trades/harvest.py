"""Tax-loss harvesting: a loss is taken, and something alike but not the same is bought.

Decided apart from the allocation, whose problem must stay convex. A loss is taken where lots of a
taxable account lost more than the policy asks for, where the tax that it saves is more than what
trading costs, where no purchase of the client's last 30 days would take it away, and where a
substitute of the same class and of another substitute group has room. Without a substitute the
account waits: a month out of the market to save tax would be a bet on the market.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers, Mask, Matrix
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.kernels import kernel
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.lots import is_long_term
from pipelines.rebalance.trades.wash_sales import (
    TAXABLE,
    blocked_buys,
    groups_of,
    is_recent,
    recent_micros,
)

_NANOS = 1_000_000_000
_MICROS_SQUARED_PER_CENT = 1e10
_BPS = 10_000


@dataclass(frozen=True)
class Opportunities:
    """Lots whose loss is worth taking, by (accounts, symbols); 0 where there is none.

    Attributes
    ----------
    quantity_micros : shares in those lots.
    loss_cents : their loss at the session's prices.
    """

    quantity_micros: Integers
    loss_cents: Integers


def find_opportunities(
    shard: Shard, market: Market, session: dt.date, policy: Policy
) -> Opportunities:
    """Return the losses of taxable accounts that are worth taking on a session."""
    lots, accounts = shard.lots, shard.accounts
    shape = accounts.held_micros.shape
    quantity, loss = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    known = np.flatnonzero((lots.symbol >= 0) & (lots.basis_cents >= 0))
    account = np.searchsorted(lots.first, known, side="right") - 1
    symbol = lots.symbol[known]
    price = np.array(market.price_micros, dtype=np.int64)[symbol]
    worth = lots.quantity_micros[known] * (price / _MICROS_SQUARED_PER_CENT)
    lost = lots.basis_cents[known] - worth
    is_deep = lost >= policy.harvest_minimum_loss_share * lots.basis_cents[known]
    is_long = is_long_term(lots.held_since_day[known], session)
    rate = np.where(is_long, policy.long_term_tax_rate, policy.short_term_tax_rate)
    # There and now, and back once the thirty days are over.
    is_worth_it = lost * rate > 4 * worth * policy.cost_bps / _BPS
    is_open = (accounts.tax_kind == TAXABLE) & (accounts.issue == 0)
    chosen = np.flatnonzero((lost > 0) & is_deep & is_worth_it & is_open[account])
    where = (account[chosen], symbol[chosen])
    np.add.at(quantity, where, lots.quantity_micros[known[chosen]])
    np.add.at(loss, where, np.floor(lost[chosen]).astype(np.int64))
    own_recent = np.zeros(shape, np.int64)
    recent = chosen[is_recent(shard, session)[known[chosen]]]
    np.add.at(own_recent, (account[recent], symbol[recent]), lots.quantity_micros[known[recent]])
    groups = groups_of(market)
    bought = recent_micros(shard, groups, session)[accounts.client][:, groups.of]
    is_spoiled = bought > own_recent
    is_enough = loss >= max(policy.harvest_minimum_loss_cents, 1)
    # Open sells have claimed a part already.
    keep = is_enough & ~is_spoiled & (quantity <= accounts.held_micros)
    return Opportunities(np.where(keep, quantity, 0), np.where(keep, loss, 0))


def substitutes_of(market: Market, covariance: Matrix) -> Integers:
    """Return the substitutes of each symbol, the most correlated one first.

    Parameters
    ----------
    covariance : (symbols, symbols) of the market's symbols.

    Returns
    -------
    (symbols, symbols) positions of what is of the same class and of another substitute group and
    may be bought; -1 behind the last one.
    """
    volatility = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(volatility, volatility)
    groups = groups_of(market).of
    classes = market.membership.argmax(axis=0)
    is_member = np.array([market.instruments[symbol].is_member for symbol in market.symbols])
    count = len(market.symbols)
    ranked = np.full((count, count), -1, np.int64)
    for symbol in range(count):
        fits = (classes == classes[symbol]) & (groups != groups[symbol]) & is_member
        candidates = np.flatnonzero(fits)
        order = np.argsort(-correlation[symbol, candidates], kind="stable")
        ranked[symbol, : len(candidates)] = candidates[order]
    return ranked


@dataclass(frozen=True)
class Harvest:
    """Targets with losses taken.

    Attributes
    ----------
    account_nanos : (accounts, symbols + 1), cash last; a row's sum is what it was.
    sold_micros : (accounts, symbols) shares whose loss is taken.
    is_harvested : (accounts,).
    """

    account_nanos: Integers
    sold_micros: Integers
    is_harvested: Mask


def harvest(
    shard: Shard,
    account_nanos: Integers,
    found: Opportunities,
    substitutes: Integers,
    upper: Floats,
    market: Market,
    policy: Policy,
) -> Harvest:
    """Move targets from symbols with a loss to their substitutes, where these have room.

    What the target sells anyway is not moved: its loss is taken with it.

    Parameters
    ----------
    account_nanos : (accounts, symbols + 1) targets in billionths of each account's wealth.
    found : what is worth taking; of accounts that are not advised it must be 0.
    substitutes : of :func:`substitutes_of`.
    upper : (goals, symbols) largest weights, which no account's substitute exceeds.
    """
    accounts = shard.accounts
    moved = np.ascontiguousarray(account_nanos, dtype=np.int64).copy()
    sold = np.zeros_like(found.quantity_micros)
    blocked = blocked_buys(shard, market, policy) | (found.quantity_micros > 0)
    room = np.where(blocked, 0.0, upper[np.maximum(accounts.goal, 0)])
    groups = groups_of(market)
    _move(
        accounts.wealth_cents,
        accounts.held_micros,
        accounts.value_cents,
        found.quantity_micros,
        np.floor(room * _NANOS).astype(np.int64),
        substitutes,
        _with_losses(shard, found, groups.of, groups.count),
        groups.of,
        moved,
        sold,
    )
    return Harvest(moved, sold, np.any(sold > 0, axis=1))


def _with_losses(shard: Shard, found: Opportunities, of: Integers, count: int) -> Mask:
    """Say in which groups an account's client has losses to take: nothing of them is bought."""
    client = shard.accounts.client
    has = np.zeros((int(client.max(initial=-1)) + 1, count), np.bool_)
    account, symbol = np.nonzero(found.quantity_micros)
    has[client[account], of[symbol]] = True
    return np.ascontiguousarray(has[client])


@kernel
def _move(wealth, held, value, wanted, room, substitutes, has_losses, group, moved, sold):  # type: ignore[no-untyped-def]
    for account in range(wanted.shape[0]):
        for symbol in range(wanted.shape[1]):
            quantity = wanted[account, symbol]
            if quantity <= 0 or held[account, symbol] <= 0 or wealth[account] <= 0:
                continue
            share = quantity / held[account, symbol]
            left = value[account, symbol] * (1.0 - share) / wealth[account]
            nanos = moved[account, symbol] - np.int64(left * 1e9)
            if nanos <= 0:
                continue
            for substitute in substitutes[symbol]:
                if substitute < 0:
                    break
                is_spoiling = has_losses[account, group[substitute]]
                is_full = moved[account, substitute] + nanos > room[account, substitute]
                if is_spoiling or is_full:
                    continue
                moved[account, symbol] -= nanos
                moved[account, substitute] += nanos
                sold[account, symbol] = quantity
                break
