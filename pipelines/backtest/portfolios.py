"""Portfolios of all strategies side by side: they drift with the market and pay for trades."""

from dataclasses import dataclass

import numpy as np

from pipelines.rebalance.arrays import Floats, Mask, Vector

_ROUNDS = 10
"""Of the fixed point of wealth after costs; each adds more than three digits."""


@dataclass
class Portfolios:
    """What each strategy holds; wealth begins at 1.

    Attributes
    ----------
    values : (strategies, symbols) worth of each position.
    cash : (strategies,).
    """

    values: Floats
    cash: Vector

    @classmethod
    def in_cash(cls, strategies: int, symbols: int) -> "Portfolios":
        """Return portfolios that hold nothing yet."""
        return cls(np.zeros((strategies, symbols)), np.ones(strategies))

    @property
    def wealth(self) -> Vector:
        """Worth of each portfolio, (strategies,)."""
        worth: Vector = self.values.sum(axis=1) + self.cash
        return worth

    @property
    def weights(self) -> Floats:
        """Drifted weights, (strategies, symbols); what they leave is cash."""
        return self.values / self.wealth[:, None]

    def drift(self, returns: Floats, cash_return: float) -> Floats:
        """Let some sessions pass and return the wealth after each, (sessions, strategies).

        Parameters
        ----------
        returns : (sessions, symbols) simple; NaN, where a symbol has no price, changes nothing.
        cash_return : simple, per session.
        """
        growth = np.cumprod(1 + np.where(np.isfinite(returns), returns, 0.0), axis=0)
        interest = np.cumprod(np.full(len(returns), 1 + cash_return))
        # Not a matrix product: a session's sum must not depend on how many sessions there are.
        wealth: Floats = (growth[:, None, :] * self.values).sum(axis=2)
        wealth += interest[:, None] * self.cash
        if len(returns):
            self.values = self.values * growth[-1]
            self.cash = self.cash * interest[-1]
        return wealth

    def trade(self, targets: Floats, cost: float) -> tuple[Vector, Vector]:
        """Trade to target weights of the wealth that is left after costs.

        Wealth after is W' = W - cost * sum |w' W' - v|, of which the fixed point is taken, so that
        targets are met to rounding and every dollar bought or sold has paid.

        Parameters
        ----------
        targets : (strategies, symbols); a row with NaN keeps what it holds.
        cost : share of what is bought and sold.

        Returns
        -------
        What was bought and sold, and what that cost, as shares of the wealth before; each
        (strategies,).
        """
        before = self.wealth
        stays: Mask = np.asarray(np.isnan(targets).any(axis=1))
        aimed = np.where(stays[:, None], 0.0, targets)
        after = before.copy()
        for _ in range(_ROUNDS):
            after = before - cost * np.abs(aimed * after[:, None] - self.values).sum(axis=1)
        bought = np.where(stays[:, None], self.values, aimed * after[:, None])
        traded = np.abs(bought - self.values).sum(axis=1)
        paid = cost * traded
        self.cash = np.where(stays, self.cash, before - paid - bought.sum(axis=1))
        self.values = bought
        return traded / before, paid / before
