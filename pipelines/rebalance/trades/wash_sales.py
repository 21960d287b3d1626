"""Wash sales: losses that a purchase within 30 days takes away (26 U.S.C. 1091, Publication 550).

The thirty days before and after a sale are calendar days. All accounts of a client count, and
instruments of one substitute group count as the same. The loss is not deducted but carried to the
basis and holding period of what was bought, or forfeited where that is in a retirement account.
"""

import dataclasses
import datetime as dt
from dataclasses import dataclass

import numpy as np

from models.vocabulary import TaxKind
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.columns import positions
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.kernels import kernel
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.lot_kernels import WITHOUT_LOT, share_of
from pipelines.rebalance.trades.orders import notional_cents
from pipelines.rebalance.trades.sized import LotSales, Sized

WASH_SALE_DAYS = 30
TAXABLE = tuple(TaxKind).index(TaxKind.TAXABLE)

_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class SubstituteGroups:
    """Which symbols of a market count as the same; ``of`` is (symbols,), ``count`` of groups."""

    symbols: tuple[str, ...]
    of: Integers
    count: int


def groups_of(market: Market) -> SubstituteGroups:
    """Return numbers for the substitute groups of a market's symbols."""
    names = [market.instruments[symbol].substitute_group for symbol in market.symbols]
    unique, of = np.unique(np.array(names, dtype=object), return_inverse=True)
    return SubstituteGroups(market.symbols, np.ascontiguousarray(of, dtype=np.int64), len(unique))


def client_count(shard: Shard) -> int:
    """Return how many clients a shard has."""
    return int(shard.accounts.client.max(initial=-1)) + 1


def day_number(date: dt.date) -> int:
    """Return the days since 1970-01-01."""
    return (date - _EPOCH).days


def is_recent(shard: Shard, session: dt.date) -> Mask:
    """Say which lots (lots,) were bought so lately that a loss on a session is matched with them.

    A lot of unknown purchase date is none of them, nor one that was matched before.
    """
    bought = shard.lots.acquired_day
    window = day_number(session) - WASH_SALE_DAYS
    return (
        (bought >= 0) & (bought >= window) & ~shard.lots.is_replacement & (shard.lots.symbol >= 0)
    )


def recent_micros(shard: Shard, groups: SubstituteGroups, session: dt.date) -> Integers:
    """Return shares (clients, groups) bought in the last 30 days and still held, or ordered."""
    lots = np.flatnonzero(is_recent(shard, session))
    account = np.searchsorted(shard.lots.first, lots, side="right") - 1
    pool = np.zeros((client_count(shard), groups.count), np.int64)
    where = (shard.accounts.client[account], groups.of[shard.lots.symbol[lots]])
    np.add.at(pool, where, shard.lots.quantity_micros[lots])
    account, symbol, left = _ordered(shard, groups)
    bought = left > 0
    where = (shard.accounts.client[account[bought]], groups.of[symbol[bought]])
    np.add.at(pool, where, left[bought])
    return pool


def _ordered(shard: Shard, groups: SubstituteGroups) -> tuple[Integers, Integers, Integers]:
    """Return account, symbol and signed quantity of each order that is with the broker."""
    orders = shard.orders
    symbol = positions(orders.symbol, groups.symbols)
    is_open = (symbol >= 0) & (orders.left_micros != 0)
    return orders.account[is_open], symbol[is_open], orders.left_micros[is_open]


def disallowed_cents(
    shard: Shard, sized: Sized, sales: LotSales, market: Market, session: dt.date
) -> LotSales:
    """Return the sales with the losses that purchases take away.

    Purchases are those of the last 30 days that are still held and those of this run, in all
    accounts of the client; what is itself sold here replaces nothing, nor what is left of the lot
    that it is sold of (Rev. Rul. 56-602). Each share bought is matched once, in the order of the
    sales.
    """
    groups = groups_of(market)
    client = shard.accounts.client
    pool = recent_micros(shard, groups, session)
    own = sales.lot != WITHOUT_LOT
    own[own] = is_recent(shard, session)[sales.lot[own]]
    left = np.zeros(len(own), np.int64)
    left[own] = shard.lots.quantity_micros[sales.lot[own]] - sales.quantity_micros[own]
    sold = (client[sales.account[own]], groups.of[sales.symbol[own]])
    np.subtract.at(pool, sold, sales.quantity_micros[own])
    account, symbol = np.nonzero(sized.traded_micros > 0)
    np.add.at(pool, (client[account], groups.of[symbol]), sized.traded_micros[account, symbol])
    disallowed = np.zeros(len(sales.account), np.int64)
    _match(
        client[sales.account],
        groups.of[sales.symbol],
        sales.quantity_micros,
        np.where(_is_taxed(shard, sales), loss_cents(sales), 0),
        left,
        pool,
        disallowed,
    )
    return dataclasses.replace(sales, disallowed_cents=disallowed)


def loss_cents(sales: LotSales) -> Integers:
    """Return the loss of each sale, 0 where there is a gain or the basis is unknown."""
    loss = np.maximum(sales.basis_cents - sales.proceeds_cents, 0)
    return np.where(sales.basis_cents >= 0, loss, 0)


def blocked_buys(shard: Shard, market: Market, policy: Policy) -> Mask:
    """Say which purchases (accounts, symbols) would spoil a loss of the last 30 days.

    All accounts of a client are blocked alike. Losses too small for
    ``policy.wash_sale_minimum_loss_cents`` block nothing: they are carried over. A sell that is
    still with the broker counts with all that its lots lost so far.
    """
    taken, groups = shard.loss_sales, groups_of(market)
    lost = np.zeros((client_count(shard), groups.count), np.int64)
    np.add.at(lost, (taken.client, groups.of[taken.symbol]), taken.loss_cents)
    _add_ordered_losses(shard, market, groups, lost)
    return _blocks(shard, groups, lost, policy)


def _add_ordered_losses(
    shard: Shard, market: Market, groups: SubstituteGroups, lost: Integers
) -> None:
    account, symbol, left = _ordered(shard, groups)
    sells = (left < 0) & (shard.accounts.tax_kind[account] == TAXABLE)
    if not sells.any():
        return
    is_sold = np.zeros(shard.accounts.held_micros.shape, np.bool_)
    is_sold[account[sells], symbol[sells]] = True
    lots = shard.lots
    known = np.flatnonzero((lots.symbol >= 0) & (lots.basis_cents >= 0))
    owner = np.searchsorted(lots.first, known, side="right") - 1
    chosen = is_sold[owner, lots.symbol[known]]
    known, owner = known[chosen], owner[chosen]
    prices = np.array(market.price_micros, dtype=np.int64)[lots.symbol[known]]
    worth = notional_cents(lots.quantity_micros[known], prices)
    where = (shard.accounts.client[owner], groups.of[lots.symbol[known]])
    np.add.at(lost, where, np.maximum(lots.basis_cents[known] - worth, 0))


def spoiling_buys(shard: Shard, sales: LotSales, market: Market, policy: Policy) -> Mask:
    """Say which purchases (accounts, symbols) would spoil a loss that the same run takes.

    Sizing accounts anew without these purchases changes none of their sells.
    """
    groups = groups_of(market)
    taxed = np.flatnonzero(_is_taxed(shard, sales))
    lost = np.zeros((client_count(shard), groups.count), np.int64)
    where = (shard.accounts.client[sales.account[taxed]], groups.of[sales.symbol[taxed]])
    np.add.at(lost, where, loss_cents(sales)[taxed])
    return _blocks(shard, groups, lost, policy)


def _blocks(shard: Shard, groups: SubstituteGroups, lost: Integers, policy: Policy) -> Mask:
    is_blocked = lost >= max(policy.wash_sale_minimum_loss_cents, 1)
    # C-contiguous, as compiled loops take it: they are compiled for one layout.
    blocked: Mask = np.take(is_blocked[shard.accounts.client], groups.of, axis=1)
    return blocked


def _is_taxed(shard: Shard, sales: LotSales) -> Mask:
    taxed: Mask = shard.accounts.tax_kind[sales.account] == TAXABLE
    return taxed


@kernel
def _match(client, group, quantity, loss, left, pool, disallowed):  # type: ignore[no-untyped-def]
    for row in range(len(client)):
        others = pool[client[row], group[row]] - left[row]
        if loss[row] <= 0 or others <= 0:
            continue
        matched = min(others, quantity[row])
        disallowed[row] = share_of(loss[row], matched, quantity[row])
        pool[client[row], group[row]] -= matched
