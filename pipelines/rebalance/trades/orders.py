"""What orders cost, as arrays: quantities, notionals, fees and lots; and who can be traded."""

import numpy as np

from models.vocabulary import MICROS
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.shard import Accounts
from pipelines.rebalance.kernels import kernel
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.arithmetic import (
    LARGEST_CENTS,
    LARGEST_MICROS,
    LARGEST_PRICE_MICROS,
    fee_of,
    notional_of,
    quantity_of,
)

_HEADROOM = 1 / 4  # of the largest quantity, for what rounding up to lots adds


def notional_cents(quantity_micros: Integers, price_micros: Integers) -> Integers:
    """Return quantities, at least 0, times prices in cents, rounded half to even; broadcasts."""
    quantities, prices = np.broadcast_arrays(quantity_micros, price_micros)
    return _notionals(_flat(quantities), _flat(prices)).reshape(quantities.shape)


def fee_cents(notional: Integers, policy: Policy) -> Integers:
    """Return the estimated cost of trades in cents, rounded half to even."""
    notional = np.asarray(notional, dtype=np.int64)
    return _fees(_flat(notional), policy.cost_bps).reshape(notional.shape)


def target_micros(nanos: Integers, wealth_cents: Integers, price_micros: Integers) -> Integers:
    """Return the quantities that weights stand for, in micros of a share, rounded down.

    Parameters
    ----------
    nanos : (accounts, symbols) or (accounts, symbols + 1), cash last; negative ones give 0.
    wealth_cents : (accounts,).
    price_micros : (symbols,).

    Returns
    -------
    (accounts, symbols).
    """
    return _target_micros(
        np.ascontiguousarray(nanos), np.ascontiguousarray(wealth_cents), price_micros
    )


def lot_micros(is_whole: Mask, policy: Policy) -> Integers:
    """Return the smallest step of a quantity for each account."""
    return np.where(is_whole, MICROS, policy.fractional_lot_micros)


def grain_cents(is_whole: Mask, price_micros: Integers, policy: Policy) -> Integers:
    """Return (accounts, symbols): the worth of the smallest trade that each account can make."""
    lots = notional_cents(lot_micros(is_whole, policy)[:, None], price_micros[None, :])
    return np.maximum(lots, policy.minimum_notional_cents)


def is_tradable(accounts: Accounts, price_micros: Integers) -> Mask:
    """Say which accounts' numbers are such that no product of sizing can overflow.

    See :mod:`pipelines.rebalance.trades.arithmetic`. Beyond it are accounts without worth, debts,
    short positions, and what is too large.
    """
    return np.asarray(
        (accounts.wealth_cents > 0)
        & (accounts.cash_micros >= 0)
        & (accounts.cash_buffer_cents >= 0)
        & (accounts.frozen_cents >= 0)
        & (accounts.held_micros >= 0).all(axis=1)
        & ~is_too_large(accounts, price_micros)
    )


def is_too_large(accounts: Accounts, price_micros: Integers) -> Mask:
    """Say which accounts have a number that sizing cannot count with.

    That is a thousand billion dollars, or prices so low that quantities do not fit.
    """
    prices = np.asarray(price_micros, dtype=np.int64)
    if len(prices) and not (prices.min() >= 1 and prices.max() <= LARGEST_PRICE_MICROS):
        return np.ones(len(accounts.wealth_cents), dtype=np.bool_)
    largest_quantity = LARGEST_MICROS * _HEADROOM
    cheapest = float(prices.min()) if len(prices) else 1.0
    most = np.minimum(largest_quantity, LARGEST_CENTS * 1e10 / prices).astype(np.int64)
    return np.asarray(
        (accounts.wealth_cents > LARGEST_CENTS)
        | (accounts.wealth_cents * 1e10 / cheapest > largest_quantity)
        | (accounts.cash_micros // 10_000 > LARGEST_CENTS)
        | (accounts.cash_buffer_cents > LARGEST_CENTS)
        | (accounts.frozen_cents > LARGEST_CENTS)
        | (accounts.held_micros > most).any(axis=1)
    )


def _flat(values: Integers) -> Integers:
    return np.ascontiguousarray(values, dtype=np.int64).ravel()


@kernel
def _notionals(quantities, prices):  # type: ignore[no-untyped-def]
    result = np.empty(len(quantities), np.int64)
    for i in range(len(quantities)):
        result[i] = notional_of(quantities[i], prices[i])
    return result


@kernel
def _fees(notionals, cost_bps):  # type: ignore[no-untyped-def]
    result = np.empty(len(notionals), np.int64)
    for i in range(len(notionals)):
        result[i] = fee_of(notionals[i], cost_bps)
    return result


@kernel
def _target_micros(nanos, wealth_cents, price_micros):  # type: ignore[no-untyped-def]
    accounts, symbols = len(nanos), len(price_micros)
    result = np.zeros((accounts, symbols), np.int64)
    for account in range(accounts):
        for symbol in range(symbols):
            if nanos[account, symbol] > 0 and wealth_cents[account] > 0:
                result[account, symbol] = quantity_of(
                    nanos[account, symbol], wealth_cents[account], price_micros[symbol]
                )
    return result
