"""Compiled loops of ``sizing``: what is bought, and what is bought with what is left.

``values`` and ``group_values`` are the worth in cents of each symbol and of each group (a class, or
last all risky ones) as trades so far leave them, and are kept up to date.
"""

import numpy as np

from pipelines.rebalance.kernels import part
from pipelines.rebalance.trades.arithmetic import fee_of, floored, notional_of
from pipelines.rebalance.trades.limits_kernel import add_to_groups
from pipelines.rebalance.trades.selling_kernel import left_over, positions_by, signed_notional


@part
def cost_of(quantity, price, cost_bps):  # type: ignore[no-untyped-def]
    """Return what a purchase takes with its fee, in cents."""
    notional = notional_of(quantity, price)
    return notional + fee_of(notional, cost_bps)


@part
def buy_gaps(  # type: ignore[no-untyped-def]
    kept, sold, price, class_of, is_risky, group_limit, may_buy, lot, rules, cash, fees,
    purse, values, group_values, bought, settled,
):  # fmt: skip
    """Fill in purchases towards targets, reduced in proportion where cash or classes are short.

    Returns the cash afterwards and all fees so far.
    """
    cost_bps, smallest = rules
    budget = left_over(cash, fees, purse)
    symbols = len(price)
    missing, gaps = np.zeros(symbols, np.int64), np.zeros(symbols, np.int64)
    for symbol in range(symbols):
        if sold[symbol] == 0 and settled[symbol] > kept[symbol]:
            if may_buy[symbol]:
                missing[symbol] = gaps[symbol] = settled[symbol] - kept[symbol]
            else:
                settled[symbol] = kept[symbol]
    _fit_groups(kept, gaps, price, class_of, is_risky, group_limit, group_values)
    wanted = np.int64(0)
    for symbol in range(symbols):
        if gaps[symbol] > 0:
            wanted += cost_of(gaps[symbol], price[symbol], cost_bps)
    # Each order's notional and fee round by up to half a cent, before and after the reduction.
    affordable = max(0, budget - 2 * symbols) if wanted > budget else wanted
    for symbol in range(symbols):
        if missing[symbol] == 0:
            continue
        gap = gaps[symbol]
        if affordable < wanted:
            gap = floored(gap, affordable, wanted)
        settled[symbol] = kept[symbol] + gap
        quantity = gap // lot * lot
        notional = notional_of(quantity, price[symbol])
        if quantity > 0 and notional >= smallest:
            bought[symbol] = quantity
            fee = fee_of(notional, cost_bps)
            cash, fees = cash - notional - fee, fees + fee
            _hold(symbol, kept[symbol] + quantity, price, class_of, is_risky, values, group_values)
    return cash, fees


@part
def _hold(symbol, quantity, price, class_of, is_risky, values, group_values):  # type: ignore[no-untyped-def]
    value = notional_of(quantity, price[symbol])
    add_to_groups(symbol, value - values[symbol], class_of, is_risky, group_values)
    values[symbol] = value


@part
def _fit_groups(  # type: ignore[no-untyped-def]
    kept, gaps, price, class_of, is_risky, group_limit, group_values
):
    """Reduce gaps in proportion where what whole lots left unsold fills their group."""
    for group in range(len(group_limit)):
        filled, wanted, members = 0, np.int64(0), 0
        for symbol in range(len(price)):
            if _is_part(symbol, group, class_of, is_risky, group_limit):
                members += 1
                filled += notional_of(kept[symbol] + gaps[symbol], price[symbol])
                wanted += notional_of(gaps[symbol], price[symbol])
        if wanted == 0 or filled <= group_limit[group]:
            continue
        # Each notional is rounded by up to half a cent, apart and together.
        room = max(0, group_limit[group] - group_values[group] - 2 * members)
        for symbol in range(len(price)):
            if _is_part(symbol, group, class_of, is_risky, group_limit):
                gaps[symbol] = floored(gaps[symbol], min(wanted, room), wanted)


@part
def _is_part(symbol, group, class_of, is_risky, groups):  # type: ignore[no-untyped-def]
    return is_risky[symbol] if group == len(groups) - 1 else class_of[symbol] == group


@part
def spend_leftover(  # type: ignore[no-untyped-def]
    kept, sold, target, price, limit, class_of, is_risky, group_limit, may_buy, lot, rules, cash,
    fees, purse, values, group_values, bought, settled,
):  # fmt: skip
    """Buy lots of what is furthest below its target, as long as cash and limits allow.

    What is held and at most half a lot below its target is there: a sale to the nearest lot leaves
    it so, and the next run would buy it back.
    """
    cost_bps, smallest = rules
    left = left_over(cash, fees, purse)
    if left <= 0:
        return
    shortfall = np.empty(len(price), np.int64)
    for symbol in range(len(price)):
        missing = target[symbol] - kept[symbol] - bought[symbol]
        shortfall[symbol] = signed_notional(missing, price[symbol])
    order = positions_by(shortfall)
    for place in range(len(order)):
        symbol = order[place]
        missing = target[symbol] - kept[symbol] - bought[symbol]
        if missing <= 0 or sold[symbol] > 0 or not may_buy[symbol]:
            continue
        number, done = class_of[symbol], bought[symbol]
        spent = cost_of(done, price[symbol], cost_bps)
        room = group_limit[number] - group_values[number]
        if is_risky[symbol]:
            room = min(room, group_limit[-1] - group_values[-1])
        quantity = _most_affordable(
            kept[symbol], done, target[symbol], price[symbol], limit[symbol],
            room + values[symbol], left + spent, lot, cost_bps,
        )  # fmt: skip
        if quantity > done and notional_of(quantity, price[symbol]) >= smallest:
            cash += spent - cost_of(quantity, price[symbol], cost_bps)
            fees -= fee_of(notional_of(done, price[symbol]), cost_bps)
            fees += fee_of(notional_of(quantity, price[symbol]), cost_bps)
            left = left_over(cash, fees, purse)
            bought[symbol] = quantity
            _hold(symbol, kept[symbol] + quantity, price, class_of, is_risky, values, group_values)
            reached = min(target[symbol], kept[symbol] + quantity)
            settled[symbol] = max(settled[symbol], reached)


@part
def _most_affordable(  # type: ignore[no-untyped-def]
    kept, done, target, price, limit, group_room, cash, lot, cost_bps
):
    """Return what may be bought of a symbol in all, up to the lot that reaches its target."""
    missing = target - kept - done
    fewest, most = 0, (missing + (lot - 1 if kept == 0 else (lot - 1) // 2)) // lot
    while fewest < most:
        # One lot is the most common answer, or none.
        middle = 1 if fewest == 0 and most == 1 else (fewest + most + 1) // 2
        quantity = done + middle * lot
        value = notional_of(kept + quantity, price)
        is_allowed = (
            cost_of(quantity, price, cost_bps) <= cash
            and (kept + quantity <= target or value <= limit)
            and value <= group_room
        )
        if is_allowed:
            fewest = middle
        else:
            most = middle - 1
    return done + fewest * lot
