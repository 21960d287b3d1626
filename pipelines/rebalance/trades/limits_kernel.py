"""Compiled loops of ``sizing``: what of a goal's limits is each account's, in cents."""

import numpy as np

from pipelines.rebalance.kernels import kernel, part
from pipelines.rebalance.trades.arithmetic import cents_of, floored


@kernel
def goal_totals(is_traded, goal, nanos, wealth, goals):  # type: ignore[no-untyped-def]
    """Return the worth of each goal's accounts (goals,) and of their targets (goals, symbols)."""
    symbols = nanos.shape[1] - 1
    worth = np.zeros(goals, np.int64)
    targets = np.zeros((goals, symbols), np.int64)
    for account in range(len(goal)):
        if is_traded[account]:
            worth[goal[account]] += wealth[account]
            for symbol in range(symbols):
                targets[goal[account], symbol] += cents_of(nanos[account, symbol], wealth[account])
    return worth, targets


@part
def account_limits(  # type: ignore[no-untyped-def]
    nanos, wealth, worth, targets, upper, group_upper, class_of, is_risky, limit, group_limit
):
    """Fill in the most cents that an account may hold of each symbol and of each group.

    Groups are the classes, and last all symbols in risky classes together.

    Parameters
    ----------
    nanos, wealth : of the account.
    worth, targets, upper, group_upper : of its goal; limits in billionths.
    """
    own = np.zeros(len(group_limit), np.int64)
    together = np.zeros(len(group_limit), np.int64)
    for symbol in range(len(limit)):
        target = cents_of(nanos[symbol], wealth)
        add_to_groups(symbol, target, class_of, is_risky, own)
        add_to_groups(symbol, targets[symbol], class_of, is_risky, together)
        most = cents_of(max(0, upper[symbol]), worth)
        limit[symbol] = _part_of(most, target, targets[symbol], wealth, worth)
    for group in range(len(group_limit)):
        most = cents_of(max(0, group_upper[group]), worth)
        group_limit[group] = _part_of(most, own[group], together[group], wealth, worth)


@part
def add_to_groups(symbol, step, class_of, is_risky, sums):  # type: ignore[no-untyped-def]
    """Add a symbol's cents to those of its class and, last, of what is risky."""
    sums[class_of[symbol]] += step
    if is_risky[symbol]:
        sums[-1] += step


@part
def _part_of(limit, own, together, wealth, worth):  # type: ignore[no-untyped-def]
    """Return an account's own target and its share of what the goal's target leaves to a limit."""
    if together > limit:
        return floored(own, limit, together)
    return own + floored(limit - together, wealth, worth)
