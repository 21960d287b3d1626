"""How far accounts that drifted are brought: to the target, or to the edge of its band."""

import numpy as np

from models.vocabulary import Trigger
from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.drift import account_grains, account_weights, bands
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Destination, Policy

_DRIFT = tuple(Trigger).index(Trigger.DRIFT)
_NANOS = 1_000_000_000


def destination_nanos(
    shard: Shard, account_nanos: Integers, trigger: Integers, market: Market, policy: Policy
) -> Integers:
    """Return where accounts' trades should lead: their target, or a point on the way to it.

    What drifted goes to the target or, where the policy says so, to the band's edge [1]_: on the
    straight line from what is held to the target, as far as the last weight needs to get into its
    band. The line keeps to every limit that both of its ends keep to. For all else a target is
    new, and so is the destination.

    Parameters
    ----------
    account_nanos : (accounts, symbols + 1) targets in billionths, cash last; -1: none.
    trigger : (accounts,) as ``trigger_of`` returns it.

    Returns
    -------
    (accounts, symbols + 1) billionths that sum to those of the target; -1 where there is none.

    References
    ----------
    .. [1] H. Leland, "Optimal portfolio management with transactions costs and capital gains
       taxes", University of California at Berkeley, RPF-290 (1999).
    """
    destination = account_nanos.copy()
    if policy.destination is Destination.TARGET:
        return destination
    rows = np.flatnonzero((account_nanos[:, -1] >= 0) & (trigger == _DRIFT))
    current, target = account_weights(shard.accounts)[rows], account_nanos[rows] / _NANOS
    grains = account_grains(shard.accounts, market, policy)[rows]
    edge = _band_edge(current, target, grains, policy)
    destination[rows] = _between(current, edge, account_nanos[rows])
    return destination


def _band_edge(current: Floats, target: Floats, grains: Floats, policy: Policy) -> Floats:
    """Return weights of which none is outside its band, and one is at the edge of it."""
    gaps = current - target
    widths = np.abs(gaps)
    # A gap that no trade can close is no reason to go further.
    counts = widths > np.column_stack((grains, grains.sum(axis=1)))
    divisor = np.where(widths > 0, widths, 1.0)
    shares = np.where(counts, bands(target, policy) / divisor, 1.0)
    kept = np.minimum(shares.min(axis=1), 1.0)
    return np.asarray(target + kept[:, None] * gaps)


def _between(current: Floats, wanted: Floats, target_nanos: Integers) -> Integers:
    """Return weights in billionths, rounded down, never beyond the target; cash takes the rest."""
    held = np.floor(current[:, :-1] * _NANOS).astype(np.int64)
    symbols = np.floor(wanted[:, :-1] * _NANOS).astype(np.int64)
    aim = target_nanos[:, :-1]
    symbols = np.clip(symbols, np.minimum(held, aim), np.maximum(held, aim))
    cash = target_nanos.sum(axis=1) - symbols.sum(axis=1)
    return np.column_stack((symbols, cash))
