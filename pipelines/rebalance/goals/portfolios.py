"""What a goal's portfolio is taken to earn and to risk in the long run: no forecast enters."""

from dataclasses import dataclass

import numpy as np

from models.vocabulary import HORIZON_SESSIONS
from pipelines.rebalance.arrays import Floats, Integers, Matrix, Vector
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.kernels import kernel
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.market.aversion import reference_exposure, target_volatility
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.market.risk import SESSIONS_PER_YEAR
from pipelines.rebalance.policy import Policy

_NANOS = 1_000_000_000
_HORIZONS_PER_YEAR = SESSIONS_PER_YEAR / HORIZON_SESSIONS


@dataclass(frozen=True)
class LongRun:
    """Annual prospects of goals' portfolios, (goals,) each.

    Attributes
    ----------
    excess : expected simple return above cash, in equilibrium.
    volatility : under the long-run covariance.
    """

    excess: Floats
    volatility: Floats


def long_run(weights: Floats, outlook: Outlook) -> LongRun:
    """Return what (goals, symbols) weights earn and risk; cash is the rest, and risks nothing."""
    excess, variance = _of_each(
        np.ascontiguousarray(weights), outlook.long_run_prior, outlook.long_run.covariance
    )
    return LongRun(excess * _HORIZONS_PER_YEAR, np.sqrt(variance * _HORIZONS_PER_YEAR))


def aimed_weights(
    shard: Shard,
    account_nanos: Integers,
    bounds: Bounds,
    market: Market,
    outlook: Outlook,
    policy: Policy,
) -> Floats:
    """Return the weights that each goal holds once its accounts are on target.

    Accounts without a target keep what they hold. Goals that hold nothing yet are taken to follow
    the reference portfolio at the volatility of their score.

    Parameters
    ----------
    account_nanos : (accounts, symbols + 1) targets in force; -1 where there is none.
    bounds : of the goals, with their worth and the risk scores in force.

    Returns
    -------
    (goals, symbols).
    """
    accounts, worth = shard.accounts, bounds.wealth_cents
    rows = np.flatnonzero((accounts.issue == 0) & (accounts.goal >= 0))
    has_target = account_nanos[rows, -1:] >= 0
    wealth = accounts.wealth_cents[rows, None]
    aimed = account_nanos[rows, :-1] / _NANOS * wealth
    cents = np.zeros(bounds.upper.shape)
    np.add.at(cents, accounts.goal[rows], np.where(has_target, aimed, accounts.value_cents[rows]))
    volatility = target_volatility(np.maximum(bounds.risk_score, 1), policy)
    exposure = reference_exposure(volatility, outlook.reference_volatility)
    return np.where(
        worth[:, None] > 0,
        cents / np.maximum(worth, 1)[:, None],
        exposure[:, None] * market.reference_weights,
    )


@kernel
def _of_each(weights: Floats, expected: Vector, covariance: Matrix) -> tuple[Floats, Floats]:
    """Return each row's expected return and variance, added up in the order of symbols."""
    goals, symbols = weights.shape
    returns, variances = np.zeros(goals), np.zeros(goals)
    for goal in range(goals):
        for first in range(symbols):
            held = weights[goal, first]
            if held == 0:
                continue
            returns[goal] += held * expected[first]
            with_others = 0.0
            for second in range(symbols):
                with_others += covariance[first, second] * weights[goal, second]
            variances[goal] += held * with_others
    return returns, variances
