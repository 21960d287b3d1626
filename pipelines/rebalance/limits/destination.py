"""How far accounts are brought: to the target, to the band's edge, or as far as new cash goes."""

import numpy as np

from models.vocabulary import Trigger
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.drift import (
    account_grains,
    account_weights,
    bands,
    outside_band,
)
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Destination, Policy

_TRIGGERS = tuple(Trigger)
_NANOS = 1_000_000_000


def destination_nanos(
    shard: Shard, account_nanos: Integers, trigger: Integers, market: Market, policy: Policy
) -> Integers:
    """Return where accounts' trades should lead: their target, or a point on the way to it.

    Where cash came or went, it first buys what is underweight or sells what is overweight, each in
    proportion to its gap; nothing is turned over if that brings every weight into its band. What
    drifted goes to the target or, where the policy says so, to the band's edge: on the straight
    line from what is held to the target, as far as the last weight needs to get into its band.
    The line keeps to every limit that both of its ends keep to. For all else a target is new, and
    so is the destination.

    Parameters
    ----------
    account_nanos : (accounts, symbols + 1) targets in billionths, cash last; -1: none.
    trigger : (accounts,) as :func:`trigger_of` returns it.

    Returns
    -------
    (accounts, symbols + 1) billionths that sum to those of the target; -1 where there is none.
    """
    destination = account_nanos.copy()
    has_target = account_nanos[:, -1] >= 0
    by_cash = np.flatnonzero(has_target & (trigger == _TRIGGERS.index(Trigger.CASH_FLOW)))
    by_drift = np.flatnonzero(has_target & (trigger == _TRIGGERS.index(Trigger.DRIFT)))
    current, target = account_weights(shard.accounts), account_nanos / _NANOS
    grains = account_grains(shard.accounts, market, policy)

    moved = _along_cash(current[by_cash], target[by_cash])
    is_enough = ~outside_band(moved, target[by_cash], grains[by_cash], policy)
    enough = by_cash[is_enough]
    destination[enough] = _between(current[enough], moved[is_enough], account_nanos[enough])
    if policy.destination is Destination.BAND_EDGE:
        rest = np.sort(np.concatenate((by_drift, by_cash[~is_enough])))
        edge = _band_edge(current[rest], target[rest], policy)
        destination[rest] = _between(current[rest], edge, account_nanos[rest])
    return destination


def is_moved_by_cash_alone(
    shard: Shard, account_nanos: Integers, trigger: Integers, market: Market, policy: Policy
) -> Mask:
    """Say for which accounts with a cash flow that cash alone brings every weight into its band.

    Parameters and shapes as of :func:`destination_nanos`.
    """
    is_flow = (account_nanos[:, -1] >= 0) & (trigger == _TRIGGERS.index(Trigger.CASH_FLOW))
    rows = np.flatnonzero(is_flow)
    current = account_weights(shard.accounts)[rows]
    target = account_nanos[rows] / _NANOS
    grains = account_grains(shard.accounts, market, policy)[rows]
    is_flow[rows] = ~outside_band(_along_cash(current, target), target, grains, policy)
    return is_flow


def _along_cash(current: Floats, target: Floats) -> Floats:
    """Spend cash above its target on what is underweight, or raise it from what is overweight."""
    gaps = target[:, :-1] - current[:, :-1]
    excess = current[:, -1] - target[:, -1]
    has_more = (excess > 0)[:, None]
    wanted = np.where(has_more, np.maximum(gaps, 0.0), np.minimum(gaps, 0.0))
    total = np.abs(wanted.sum(axis=1))
    share = np.minimum(np.abs(excess) / np.where(total > 0, total, 1.0), 1.0)
    symbols = current[:, :-1] + share[:, None] * wanted
    return np.column_stack((symbols, 1 - symbols.sum(axis=1)))


def _band_edge(current: Floats, target: Floats, policy: Policy) -> Floats:
    gaps = current - target
    widths = np.abs(gaps)
    ratios = np.where(widths > 0, bands(target, policy) / np.where(widths > 0, widths, 1.0), 1.0)
    kept = np.minimum(ratios.min(axis=1), 1.0)
    return np.asarray(target + kept[:, None] * gaps)


def _between(current: Floats, wanted: Floats, target_nanos: Integers) -> Integers:
    """Return weights in billionths, rounded down, never beyond the target; cash takes the rest."""
    held = np.floor(current[:, :-1] * _NANOS).astype(np.int64)
    symbols = np.floor(wanted[:, :-1] * _NANOS).astype(np.int64)
    aim = target_nanos[:, :-1]
    symbols = np.clip(symbols, np.minimum(held, aim), np.maximum(held, aim))
    cash = target_nanos.sum(axis=1) - symbols.sum(axis=1)
    return np.column_stack((symbols, cash))
