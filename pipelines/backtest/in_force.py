"""Targets of our portfolios that stand, and when they are replaced and traded to."""

from dataclasses import dataclass

import numpy as np

from pipelines.rebalance.arrays import Floats, Mask
from pipelines.rebalance.limits.drift import outside_band
from pipelines.rebalance.policy import Policy


@dataclass
class TargetsInForce:
    """What our portfolios were last to hold, and what could be bought then.

    Attributes
    ----------
    targets : (ours, symbols); NaN before the first.
    could_buy : (ours, symbols).
    """

    targets: Floats
    could_buy: Mask

    @classmethod
    def none(cls, ours: int, symbols: int) -> "TargetsInForce":
        """Return that there is none yet."""
        return cls(np.full((ours, symbols), np.nan), np.zeros((ours, symbols), np.bool_))

    def is_changed(self, can_buy: Mask) -> Mask:
        """Say for which portfolios there is something new to buy, (ours,), as at the first time.

        As for accounts, whose limits are others then, turnover has no limit in this case.
        """
        return np.asarray((can_buy & ~self.could_buy).any(axis=1))

    def is_due(self, weights: Floats, can_buy: Mask, policy: Policy) -> Mask:
        """Say which portfolios get a new target, (ours,).

        Those for which there is something new to buy, that hold what can no longer be bought, or
        with a weight outside its drift band around the target in force.

        Parameters
        ----------
        weights : (ours, symbols) drifted.
        can_buy : (symbols,).
        """
        left = _holds_what_left(weights, can_buy)
        return self.is_changed(can_buy) | left | _outside(weights, self.targets, policy)

    def replace(
        self, due: Mask, found: Floats, weights: Floats, can_buy: Mask, policy: Policy
    ) -> Floats:
        """Put new targets into force and return those that are traded to, NaN elsewhere.

        A new target is traded to where what is held is outside the bands around it, as accounts do.

        Parameters
        ----------
        due : (ours,) which are replaced; not where none was found.
        found : (ours, symbols) new targets; NaN where there is none.
        weights : (ours, symbols) drifted.
        """
        is_new = due & np.isfinite(found).all(axis=1)
        self.targets[is_new], self.could_buy[is_new] = found[is_new], can_buy
        trades = is_new & (_outside(weights, found, policy) | _holds_what_left(weights, can_buy))
        return np.where(trades[:, None], found, np.nan)


def _holds_what_left(weights: Floats, can_buy: Mask) -> Mask:
    return np.asarray((weights[:, ~can_buy] > 0).any(axis=1))


def _outside(weights: Floats, targets: Floats, policy: Policy) -> Mask:
    """Say which weights, cash included, are outside the band; never around a target of NaN."""
    return outside_band(_with_cash(weights), _with_cash(targets), np.zeros_like(weights), policy)


def _with_cash(weights: Floats) -> Floats:
    return np.column_stack((weights, 1 - weights.sum(axis=1)))
