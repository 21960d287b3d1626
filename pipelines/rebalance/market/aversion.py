"""From risk scores to the risk aversion that the optimiser uses, through target volatility."""

import numpy as np
import numpy.typing as npt

from pipelines.rebalance.arrays import Floats
from pipelines.rebalance.policy import Policy

LOWEST_SCORE = 1
HIGHEST_SCORE = 100


def target_volatility(scores: npt.ArrayLike, policy: Policy) -> Floats:
    """Return the annual volatilities that risk scores ask for, linear from 1 to 100.

    Raises
    ------
    ValueError
        A score lies outside 1..100.
    """
    asked = np.asarray(scores, dtype=np.float64)
    if not ((asked >= LOWEST_SCORE) & (asked <= HIGHEST_SCORE)).all():
        raise ValueError("a risk score lies outside 1..100")
    step = (asked - LOWEST_SCORE) / (HIGHEST_SCORE - LOWEST_SCORE)
    return policy.lowest_target_vol + step * (policy.highest_target_vol - policy.lowest_target_vol)


def risk_tolerance(volatility: Floats, reference_volatility: float, policy: Policy) -> Floats:
    """Return the tolerances (1 / aversion) at which unbounded optima have these volatilities.

    With equilibrium returns the optimum is (delta / lambda) of the reference portfolio, so
    lambda = delta * sigma_reference / sigma_target.

    Parameters
    ----------
    volatility, reference_volatility : annual.
    """
    return volatility / (policy.reference_risk_aversion * reference_volatility)


def reference_exposure(volatility: Floats, reference_volatility: float) -> Floats:
    """Return the shares of wealth in the reference portfolio that have these volatilities."""
    return np.minimum(1.0, volatility / reference_volatility)
