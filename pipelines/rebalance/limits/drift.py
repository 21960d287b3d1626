"""How far accounts are from their targets, and whether that is too far."""

import numpy as np

from pipelines.rebalance.arrays import Floats, Mask
from pipelines.rebalance.inputs.shard import Accounts
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.orders import grain_cents


def account_weights(accounts: Accounts) -> Floats:
    """Return (accounts, symbols + 1) drifted weights; cash, with what is frozen, is the rest."""
    wealth = np.maximum(accounts.wealth_cents, 1)
    invested = accounts.value_cents.sum(axis=1)
    cents = np.column_stack((accounts.value_cents, accounts.wealth_cents - invested))
    return np.asarray(cents / wealth[:, None])


def account_grains(accounts: Accounts, market: Market, policy: Policy) -> Floats:
    """Return (accounts, symbols) the smallest trade of each symbol as a weight."""
    prices = np.array(market.price_micros, dtype=np.int64)
    grains = grain_cents(accounts.is_whole, prices, policy)
    return np.asarray(grains / np.maximum(accounts.wealth_cents, 1)[:, None])


def drift(current: Floats, target: Floats) -> Floats:
    """Return half the sums of absolute weight gaps: the shares of wealth in the wrong place.

    Parameters
    ----------
    current, target : (accounts, symbols + 1), cash last.
    """
    return np.asarray(np.abs(current - target).sum(axis=1) / 2)


def bands(target: Floats, policy: Policy) -> Floats:
    """Return how far weights may be from their targets.

    The band around a target t is min(absolute, max(relative * t, narrowest)): absolute for large
    positions, relative for small ones, since a 5 % sleeve within +-5 % could double unnoticed.
    """
    relative = np.maximum(policy.relative_band * target, policy.narrowest_band)
    return np.minimum(policy.absolute_band, relative)


def outside_band(current: Floats, target: Floats, grains: Floats, policy: Policy) -> Mask:
    """Say which accounts have a weight outside its band.

    A gap that no trade can close is no drift: of a symbol's gap its grain is taken off, of the gap
    of cash what the symbols' grains explain, and of what is below its target what others hold of a
    lot too much. Otherwise a small account of whole shares would trade for ever.

    Parameters
    ----------
    current, target : (accounts, symbols + 1), cash last.
    grains : (accounts, symbols) the smallest trade of each symbol as a weight.
    """
    gaps = np.abs(current - target)
    unavoidable = np.minimum(gaps[:, :-1], grains)
    above = current[:, :-1] > target[:, :-1]
    stuck = np.where(above & (gaps[:, :-1] < grains), gaps[:, :-1], 0.0).sum(axis=1)
    explained = unavoidable + np.where(above, 0.0, stuck[:, None])
    closable = gaps - np.column_stack((explained, unavoidable.sum(axis=1)))
    return np.asarray((closable > bands(target, policy)).any(axis=1))
