"""Compiled loops of ``sizing``: what is sold, to reach targets and to raise cash."""

import numpy as np

from pipelines.rebalance.kernels import part
from pipelines.rebalance.trades.arithmetic import NANOS, divided_product, fee_of, notional_of

RAISE_TARGET_CASH, RAISE_BUFFER, RAISING_STAGES = range(3)
"""What cash is raised for, one after the other, and how many stages there are."""


@part
def proceeds_of(quantity, price, cost_bps):  # type: ignore[no-untyped-def]
    """Return what a sale brings after its fee, in cents."""
    notional = notional_of(quantity, price)
    return notional - fee_of(notional, cost_bps)


@part
def left_over(cash, fees, purse):  # type: ignore[no-untyped-def]
    """Return what may be spent: cash less the buffer and the cash of a target of what is left.

    Fees lower the account's worth, and so the target's cash; else the next run would have that
    difference to spend.
    """
    cash_nanos, wealth, frozen, buffer = purse
    kept, rest = divided_product(cash_nanos, max(0, wealth - fees), np.int64(NANOS))
    if rest > 0:
        kept += 1
    return cash - max(buffer, kept - frozen)


@part
def positions_by(worth):  # type: ignore[no-untyped-def]
    """Return positions from the largest worth on; of equal ones the first comes first."""
    order = np.arange(len(worth))
    for place in range(1, len(worth)):
        mine, at = order[place], place
        while at > 0 and worth[order[at - 1]] < worth[mine]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = mine
    return order


@part
def signed_notional(quantity, price):  # type: ignore[no-untyped-def]
    """Return quantity times price in cents, of either sign."""
    return notional_of(quantity, price) if quantity >= 0 else -notional_of(-quantity, price)


@part
def nearest_sale(held, target, price, limit, lot):  # type: ignore[no-untyped-def]
    """Return the whole lots that leave what is nearest to the target, and never a debt.

    None where the target is less than a lot away, and not the last lot of what is wanted. A lot
    more where what stays is above the target and above the symbol's limit: half a share of a dear
    symbol can be a tenth of a small account, and the limit may be its client's wish.
    """
    excess = held - target
    sale = 0
    if excess >= lot:
        sale = min(excess + lot // 2, held) // lot * lot
        if target > 0 and sale == held:
            sale -= lot
    one_more = sale + lot
    stays_above = held - sale > target
    if stays_above and one_more <= held and notional_of(held - sale, price) > limit:
        return one_more
    return sale


@part
def sell_to_target(  # type: ignore[no-untyped-def]
    held, target, price, limit, lot, sells_fractions, rules, cash, sold
):
    """Fill in the sales that leave targets, and return the cash afterwards."""
    cost_bps, smallest = rules
    for symbol in range(len(held)):
        if held[symbol] <= target[symbol]:
            continue
        # A whole-share account trades no fraction, not even to close a position.
        if target[symbol] == 0 and sells_fractions:
            quantity = held[symbol]
        else:
            quantity = nearest_sale(held[symbol], target[symbol], price[symbol], limit[symbol], lot)
        notional = notional_of(quantity, price[symbol])
        if notional >= smallest or (notional > 0 and quantity == held[symbol]):
            sold[symbol] = quantity
            cash += proceeds_of(quantity, price[symbol], cost_bps)
    return cash


@part
def raise_cash(  # type: ignore[no-untyped-def]
    stage, held, target, price, lot, rules, cash, purse, sold, settled
):
    """Sell, from the most overweight symbol on, until cash is what is wanted; return the cash.

    What is wanted is the target's cash, for which nothing is sold below its target and no sale is
    too small unless it is a whole position; then the buffer.
    """
    wanted = cash - left_over(cash, np.int64(0), purse) if stage == RAISE_TARGET_CASH else purse[3]
    if cash >= wanted:
        return cash
    cost_bps = rules[0]
    smallest = rules[1] if stage == RAISE_TARGET_CASH else 0
    overweight = np.empty(len(held), np.int64)
    for symbol in range(len(held)):
        excess = held[symbol] - sold[symbol] - target[symbol]
        overweight[symbol] = signed_notional(excess, price[symbol])
    order = positions_by(overweight)
    for place in range(len(order)):
        if cash >= wanted:
            break
        symbol = order[place]
        done = sold[symbol]
        room = held[symbol] - done
        if stage == RAISE_TARGET_CASH:
            room -= target[symbol]
        if room < lot:
            continue
        before = proceeds_of(done, price[symbol], cost_bps)
        least = before + wanted - cash
        lots = _fewest_lots(done, room // lot, price[symbol], least, smallest, lot, cost_bps)
        quantity = done + lots * lot
        notional = notional_of(quantity, price[symbol])
        is_large = notional >= smallest or quantity == held[symbol]
        after = proceeds_of(quantity, price[symbol], cost_bps)
        if is_large and after > before:
            sold[symbol] = quantity
            settled[symbol] = held[symbol] - quantity
            cash += after - before
    return cash


@part
def _fewest_lots(done, most, price, least, smallest, lot, cost_bps):  # type: ignore[no-untyped-def]
    """Return the lots beyond ``done`` for enough proceeds and notional, or all there are."""
    fewest = 0
    while fewest < most:
        middle = (fewest + most) // 2
        notional = notional_of(done + middle * lot, price)
        if notional >= smallest and notional - fee_of(notional, cost_bps) >= least:
            most = middle
        else:
            fewest = middle + 1
    return fewest
