"""Compiled loops of ``location``: a goal's target over its accounts, in cents."""

import numpy as np
from numba import njit

from pipelines.rebalance.trades.arithmetic import NANOS, cents_of, floored

_TAXABLE = 0  # as tuple(TaxKind) numbers it


@njit(cache=True, nogil=True)
def locate_accounts(  # type: ignore[no-untyped-def]
    goal_nanos, order, first, kind, wealth, kept, value, tier_of, preferences, may_buy
):
    """Return (accounts, symbols + 1) targets in billionths; -1 for accounts that are in no goal.

    Parameters
    ----------
    order, first : accounts of goal g are ``order[first[g] : first[g + 1]]``.
    kept : (accounts,) cents that must stay: the buffer and what is frozen.
    value : (accounts, symbols) cents held.
    tier_of : (symbols,).
    preferences : (tiers, kinds) kinds of account that a tier fills in order.
    """
    result = np.full((len(wealth), goal_nanos.shape[1]), -1)
    for goal in range(len(goal_nanos)):
        members = order[first[goal] : first[goal + 1]]
        if len(members) == 1:
            result[members[0]] = goal_nanos[goal]
        elif len(members) > 1:
            _locate_goal(
                goal_nanos[goal], kind[members], wealth[members], kept[members], value[members],
                tier_of, preferences, may_buy, members, result,
            )  # fmt: skip
    return result


@njit(cache=True, nogil=True)
def _locate_goal(  # type: ignore[no-untyped-def]
    nanos, kind, wealth, kept, value, tier_of, preferences, may_buy, members, result
):
    symbols = len(tier_of)
    wanted = np.empty(symbols, np.int64)
    for symbol in range(symbols):
        wanted[symbol] = cents_of(nanos[symbol], wealth.sum())
    room = _room(wanted, wealth, kept)
    placed = np.zeros((len(members), symbols), np.int64)
    _keep(kind, value, may_buy, wanted, room, placed)
    left = np.zeros(len(preferences), np.int64)
    for symbol in range(symbols):
        left[tier_of[symbol]] += wanted[symbol]
    for tier in range(len(preferences)):
        for preferred in preferences[tier]:
            for stays in (True, False):
                for account in range(len(members)):
                    if left[tier] > 0 and room[account] > 0 and kind[account] == preferred:
                        left[tier] -= _fill(
                            tier, tier_of, stays, value[account], placed[account], wanted, room,
                            account,
                        )  # fmt: skip
    for account in range(len(members)):
        row = result[members[account]]
        for symbol in range(symbols):
            row[symbol] = floored(placed[account, symbol], NANOS, wealth[account])
        row[symbols] = NANOS - row[:symbols].sum()


@njit(cache=True, nogil=True)
def _room(wanted, wealth, kept):  # type: ignore[no-untyped-def]
    """Return what each account can invest, and reduce what is wanted to what all of them can."""
    room = np.maximum(0, wealth - kept)
    total, asked = room.sum(), wanted.sum()
    if total < asked:
        for symbol in range(len(wanted)):
            wanted[symbol] = floored(wanted[symbol], total, asked)
    elif total > 0:
        for account in range(len(room)):
            room[account] -= floored(room[account], total - asked, total)
    return room


@njit(cache=True, nogil=True)
def _keep(kind, value, may_buy, wanted, room, placed):  # type: ignore[no-untyped-def]
    """Leave in taxable accounts what the goal wants of it, and what may only be sold anywhere."""
    accounts, symbols = value.shape
    for symbol in range(symbols):
        total = 0
        for account in range(accounts):
            if kind[account] == _TAXABLE or not may_buy[symbol]:
                total += value[account, symbol]
        for account in range(accounts):
            if kind[account] == _TAXABLE or not may_buy[symbol]:
                placed[account, symbol] = (
                    value[account, symbol]
                    if total <= wanted[symbol]
                    else floored(value[account, symbol], wanted[symbol], total)
                )
    for account in range(accounts):
        total = placed[account].sum()
        if total > room[account]:
            for symbol in range(symbols):
                placed[account, symbol] = floored(placed[account, symbol], room[account], total)
        room[account] -= placed[account].sum()
    for symbol in range(symbols):
        wanted[symbol] = wanted[symbol] - placed[:, symbol].sum() if may_buy[symbol] else 0


@njit(cache=True, nogil=True)
def _fill(tier, tier_of, stays, value, placed, wanted, room, account):  # type: ignore[no-untyped-def]
    """Place in an account what is wanted of a tier: what it holds of it, or whatever it can.

    Returns the cents placed.
    """
    steps = np.zeros(len(wanted), np.int64)
    for symbol in range(len(wanted)):
        if tier_of[symbol] == tier:
            held = max(0, value[symbol] - placed[symbol])
            steps[symbol] = min(held, wanted[symbol]) if stays else wanted[symbol]
    total = steps.sum()
    if total == 0:
        return 0
    before, most = room[account], min(total, room[account])
    for symbol in range(len(wanted)):
        if steps[symbol] > 0:
            step = floored(steps[symbol], most, total)
            placed[symbol] += step
            wanted[symbol] -= step
            room[account] -= step
    return before - room[account]
