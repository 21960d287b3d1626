"""Compiled loops of ``location``: a goal's target over its accounts, in cents.

``members`` are the accounts of one goal. Of each account there are ``kind``, ``wealth``, ``value``
(of each symbol, in cents), ``room`` (what it can invest) and ``placed`` (what of each symbol it is
to hold); of each symbol ``wanted``, what of the goal's target has no place yet.
"""

import numpy as np

from pipelines.rebalance.kernels import kernel, part
from pipelines.rebalance.trades.arithmetic import NANOS, cents_of, floored

_TAXABLE = 0  # as tuple(TaxKind) numbers it
_STAYS, _MOVES = 0, 1


@kernel
def locate_accounts(  # type: ignore[no-untyped-def]
    goal_nanos, order, first, kind, wealth, kept, value, tier_of, preferences, may_buy
):
    """Return (accounts, symbols + 1) targets in billionths; -1 for accounts that have none.

    Parameters
    ----------
    order, first : accounts of goal g are ``order[first[g] : first[g + 1]]``.
    kept : (accounts,) cents that must stay: the buffer and what is frozen.
    value : (accounts, symbols) cents held.
    tier_of : (symbols,).
    preferences : (tiers, kinds) kinds of account that a tier fills in order.
    """
    accounts, columns = len(wealth), goal_nanos.shape[1]
    result = np.full((accounts, columns), -1)
    room, placed = np.zeros(accounts, np.int64), np.zeros((accounts, columns - 1), np.int64)
    for goal in range(len(goal_nanos)):
        members = order[first[goal] : first[goal + 1]]
        if goal_nanos[goal, columns - 1] < 0:
            continue
        if len(members) == 1:
            for column in range(columns):
                result[members[0], column] = goal_nanos[goal, column]
        elif len(members) > 1:
            _locate_goal(
                goal_nanos[goal], members, kind, wealth, kept, value, tier_of, preferences,
                may_buy, room, placed, result,
            )  # fmt: skip
    return result


@part
def _locate_goal(  # type: ignore[no-untyped-def]
    nanos, members, kind, wealth, kept, value, tier_of, preferences, may_buy, room, placed, result
):
    symbols, tiers = len(tier_of), len(preferences)
    wanted, steps = np.empty(symbols, np.int64), np.empty(symbols, np.int64)
    worth, asked = np.int64(0), np.int64(0)
    for place in range(len(members)):
        worth += wealth[members[place]]
    for symbol in range(symbols):
        wanted[symbol] = cents_of(nanos[symbol], worth)
        asked += wanted[symbol]
    _make_room(members, wealth, kept, asked, wanted, room)
    _keep(members, kind, value, may_buy, wanted, room, placed)
    left = np.zeros(tiers, np.int64)
    for symbol in range(symbols):
        left[tier_of[symbol]] += wanted[symbol]
    for turn in range(tiers * preferences.shape[1] * 2):
        tier, way = turn // (preferences.shape[1] * 2), turn % 2
        preferred = preferences[tier, turn // 2 % preferences.shape[1]]
        for place in range(len(members)):
            account = members[place]
            if left[tier] > 0 and room[account] > 0 and kind[account] == preferred:
                left[tier] -= _fill(tier, tier_of, way, value, placed, wanted, room, account, steps)
    for place in range(len(members)):
        account, invested = members[place], 0
        for symbol in range(symbols):
            result[account, symbol] = floored(
                placed[account, symbol], np.int64(NANOS), wealth[account]
            )
            invested += result[account, symbol]
        result[account, symbols] = NANOS - invested


@part
def _make_room(members, wealth, kept, asked, wanted, room):  # type: ignore[no-untyped-def]
    """Fill in what each account can invest, and reduce what is wanted to what all of them can."""
    total = np.int64(0)
    for place in range(len(members)):
        account = members[place]
        room[account] = max(0, wealth[account] - kept[account])
        total += room[account]
    if total < asked:
        for symbol in range(len(wanted)):
            wanted[symbol] = floored(wanted[symbol], total, asked)
    elif total > 0:
        for place in range(len(members)):
            account = members[place]
            room[account] -= floored(room[account], total - asked, total)


@part
def _keep(members, kind, value, may_buy, wanted, room, placed):  # type: ignore[no-untyped-def]
    """Leave in taxable accounts what the goal wants of it, and what may only be sold anywhere."""
    symbols = len(wanted)
    for symbol in range(symbols):
        total = np.int64(0)
        for place in range(len(members)):
            account = members[place]
            placed[account, symbol] = 0
            if kind[account] == _TAXABLE or not may_buy[symbol]:
                placed[account, symbol] = value[account, symbol]
                total += value[account, symbol]
        if total > wanted[symbol]:
            for place in range(len(members)):
                account = members[place]
                placed[account, symbol] = floored(placed[account, symbol], wanted[symbol], total)
    for place in range(len(members)):
        _cut_to_room(members[place], wanted, room, placed)
    for symbol in range(symbols):
        if not may_buy[symbol]:
            wanted[symbol] = 0


@part
def _cut_to_room(account, wanted, room, placed):  # type: ignore[no-untyped-def]
    """Reduce what an account keeps to what it can invest, and book it."""
    total, most = np.int64(0), room[account]
    for symbol in range(len(wanted)):
        total += placed[account, symbol]
    for symbol in range(len(wanted)):
        if total > most:
            placed[account, symbol] = floored(placed[account, symbol], most, total)
        room[account] -= placed[account, symbol]
        wanted[symbol] -= placed[account, symbol]


@part
def _fill(tier, tier_of, way, value, placed, wanted, room, account, steps):  # type: ignore[no-untyped-def]
    """Place in an account what is wanted of a tier: what it holds of it, or whatever it can.

    Returns the cents placed.
    """
    total = np.int64(0)
    for symbol in range(len(wanted)):
        steps[symbol] = 0
        if tier_of[symbol] == tier:
            steps[symbol] = wanted[symbol]
            if way == _STAYS:
                held = max(0, value[account, symbol] - placed[account, symbol])
                steps[symbol] = min(held, wanted[symbol])
            total += steps[symbol]
    if total == 0:
        return 0
    before, most = room[account], min(total, room[account])
    for symbol in range(len(wanted)):
        if steps[symbol] > 0:
            step = floored(steps[symbol], most, total)
            placed[account, symbol] += step
            wanted[symbol] -= step
            room[account] -= step
    return before - room[account]
