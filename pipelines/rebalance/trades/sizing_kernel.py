"""Compiled loops of ``sizing``: one account after the other, none of which sees another.

Arrays of an account's symbols: ``held``, ``target``, ``sold``, ``bought`` and ``settled`` in micros
of a share, ``limit`` in cents. Groups are the classes, and last what is risky. ``rules`` is a tuple
of the cost in basis points and the smallest notional in cents; ``purse`` one of the target's cash
in billionths, the account's worth, its frozen holdings and its buffer in cents.
"""

import numpy as np

from models.vocabulary import MICROS
from pipelines.rebalance.kernels import kernel, part
from pipelines.rebalance.trades.arithmetic import fee_of, notional_of
from pipelines.rebalance.trades.buying_kernel import buy_gaps, spend_leftover
from pipelines.rebalance.trades.limits_kernel import account_limits, add_to_groups
from pipelines.rebalance.trades.selling_kernel import (
    RAISE_BUFFER,
    RAISE_TARGET_CASH,
    RAISING_STAGES,
    raise_cash,
    sell_to_target,
)


@kernel
def size_accounts(  # type: ignore[no-untyped-def]
    is_traded, is_flow_only, goal, nanos, target, wealth, held, cash, buffer, frozen, lot,
    may_buy, price, class_of, is_risky, worth, targets, upper, group_upper, rules,
    traded, settled, notional, fee,
):  # fmt: skip
    """Fill in what is traded, (accounts, symbols) of each; see ``sizing.size``."""
    symbols, groups = len(price), group_upper.shape[1]
    limit, group_limit = np.empty(symbols, np.int64), np.empty(groups, np.int64)
    for account in range(len(goal)):
        if not is_traded[account]:
            for symbol in range(symbols):
                settled[account, symbol] = held[account, symbol]
            continue
        mine = goal[account]
        account_limits(
            nanos[account], wealth[account], worth[mine], targets[mine], upper[mine],
            group_upper[mine], class_of, is_risky, limit, group_limit,
        )  # fmt: skip
        purse = (nanos[account, symbols], wealth[account], frozen[account], buffer[account])
        sold, bought = np.zeros(symbols, np.int64), np.zeros(symbols, np.int64)
        _size_account(
            is_flow_only[account], held[account], target[account], price, limit, class_of,
            is_risky, group_limit, may_buy[min(account, len(may_buy) - 1)], cash[account], purse,
            lot[account], rules, sold, bought, settled[account],
        )  # fmt: skip
        for symbol in range(symbols):
            quantity = sold[symbol] + bought[symbol]
            if quantity > 0:
                traded[account, symbol] = bought[symbol] - sold[symbol]
                notional[account, symbol] = notional_of(quantity, price[symbol])
                fee[account, symbol] = fee_of(notional[account, symbol], rules[0])


@part
def _size_account(  # type: ignore[no-untyped-def]
    is_flow_only, held, target, price, limit, class_of, is_risky, group_limit, may_buy, cash,
    purse, lot, rules, sold, bought, settled,
):  # fmt: skip
    symbols = len(price)
    for symbol in range(symbols):
        settled[symbol] = held[symbol] if is_flow_only else target[symbol]
    if not is_flow_only:
        cash = sell_to_target(held, target, price, limit, lot, lot < MICROS, rules, cash, sold)
    for stage in range(RAISE_TARGET_CASH if is_flow_only else RAISE_BUFFER, RAISING_STAGES):
        cash = raise_cash(stage, held, target, price, lot, rules, cash, purse, sold, settled)
    kept, fees = np.empty(symbols, np.int64), np.int64(0)
    values, group_values = np.empty(symbols, np.int64), np.zeros(len(group_limit), np.int64)
    for symbol in range(symbols):
        if is_flow_only and sold[symbol] > 0:
            return
        kept[symbol] = held[symbol] - sold[symbol]
        fees += fee_of(notional_of(sold[symbol], price[symbol]), rules[0])
        values[symbol] = notional_of(kept[symbol], price[symbol])
        add_to_groups(symbol, values[symbol], class_of, is_risky, group_values)
    if not is_flow_only:
        cash, fees = buy_gaps(
            kept, sold, price, class_of, is_risky, group_limit, may_buy, lot, rules, cash, fees,
            purse, values, group_values, bought, settled,
        )  # fmt: skip
    spend_leftover(
        kept, sold, target, price, limit, class_of, is_risky, group_limit, may_buy, lot, rules,
        cash, fees, purse, values, group_values, bought, settled,
    )  # fmt: skip
