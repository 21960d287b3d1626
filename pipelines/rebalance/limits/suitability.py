"""What a client can bear, whatever a forecast says: a volatility, and a share of risky weights."""

import numpy as np

from pipelines.rebalance.arrays import Floats, Mask
from pipelines.rebalance.inputs.shard import Goals
from pipelines.rebalance.market.aversion import target_volatility
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy

LOWEST_VOLATILITY = 1e-6
"""Risk tolerance stays above 0, also of a client who can bear no loss: the optimum is cash."""


def suitable_volatility(goals: Goals, scores: Floats, policy: Policy) -> Floats:
    """Return the annual volatility that goals may aim at.

    That of the score in force, or less: a year as bad as the worst of a hundred, taken as
    ``policy.stress_deviations`` standard deviations below no return at all (an optimistic measure
    where returns have fat tails, a cautious one where they have a premium), must not lose more
    than the goal's ``max_loss``.

    Parameters
    ----------
    scores : (goals,) risk scores in force; 0 where there is none.
    """
    bearable = np.maximum(goals.max_loss, 0.0) / policy.stress_deviations
    asked = target_volatility(np.maximum(scores, 1.0), policy)
    return np.maximum(np.minimum(asked, bearable), LOWEST_VOLATILITY)


def suitable_risky_weight(goals: Goals, scores: Floats) -> Floats:
    """Return the largest share of worth in risky classes.

    It is the profile's, lowered like the score where the glide path lowers that.
    """
    lowered = scores / np.maximum(goals.risk_score, 1)
    return np.clip(goals.max_risky_weight * lowered, 0.0, 1.0)


def risky_classes(market: Market, policy: Policy) -> Mask:
    """Say which of the market's classes count as risky: all but ``policy.safe_classes``."""
    return np.array([name not in policy.safe_classes for name in market.classes])
