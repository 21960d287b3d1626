"""Expected simple excess returns over the horizon: equilibrium, and the forecasts as views."""

import numpy as np
import numpy.typing as npt

from models.vocabulary import HORIZON_SESSIONS
from pipelines.errors import RebalanceError
from pipelines.rebalance.arrays import Matrix, Vector
from pipelines.rebalance.market.risk import SESSIONS_PER_YEAR
from pipelines.rebalance.policy import Policy


def equilibrium_returns(covariance: Matrix, reference_weights: Vector, policy: Policy) -> Vector:
    """Return the excess returns at which the reference portfolio is optimal.

    pi = delta * Sigma @ w_reference [1]_, over the horizon that the covariance speaks of.

    References
    ----------
    .. [1] F. Black and R. Litterman, "Global portfolio optimization", Financial Analysts
       Journal 48 (1992).
    """
    return policy.reference_risk_aversion * (covariance @ reference_weights)


def risk_free_return(policy: Policy) -> float:
    """Return what cash earns over the horizon."""
    return float((1 + policy.risk_free_rate) ** (HORIZON_SESSIONS / SESSIONS_PER_YEAR) - 1)


def excess_return_views(
    expected_log_returns: Vector, stdev_log_returns: Vector, risk_free: float
) -> Vector:
    """Turn log-normal forecasts into expected simple excess returns, exp(m + s^2/2) - 1 - rf.

    Raises
    ------
    RebalanceError
        A forecast is not finite.
    """
    views = np.expm1(expected_log_returns + stdev_log_returns**2 / 2) - risk_free
    _require_finite("forecasts", views)
    return views


def blend_views(
    prior: Vector,
    covariance: Matrix,
    positions: npt.NDArray[np.intp],
    views: Vector,
    confidences: Vector,
    tau: float,
) -> Vector:
    """Return the Black-Litterman mean of prior and views on single symbols.

    Skill enters once, as the confidence c of each view: Omega = (1/c - 1) P tau Sigma P'. With one
    c for all symbols the result is (1 - c) prior + c views; c = 1 gives the views. A view of
    confidence 0 is dropped, and without any view the prior comes back bit for bit.

    Parameters
    ----------
    prior : (symbols,) equilibrium excess returns.
    covariance : (symbols, symbols) over the same horizon.
    positions : (views,) the symbol that each view speaks of.
    views : (views,) simple excess returns.
    confidences : (views,) in [0, 1].
    tau : uncertainty of the prior relative to the covariance.

    Raises
    ------
    RebalanceError
        A view or a confidence is not finite, or a confidence lies outside [0, 1].
    """
    _require_finite("views", views)
    _require_finite("confidences", confidences)
    if ((confidences < 0) | (confidences > 1)).any():
        raise RebalanceError(
            "confidences",
            confidences.tolist(),
            "they lie outside [0, 1]",
            "Train again; a model's confidence is a share.",
        )
    held = confidences > 0
    if not held.any():
        return prior.copy()
    rows, scale = positions[held], np.sqrt(1 / confidences[held] - 1)
    prior_uncertainty = tau * covariance[np.ix_(rows, rows)]
    omega = scale[:, None] * prior_uncertainty * scale[None, :]
    surprise = np.linalg.solve(prior_uncertainty + omega, views[held] - prior[rows])
    return prior + tau * covariance[:, rows] @ surprise


def _require_finite(what: str, values: Vector) -> None:
    if not np.isfinite(values).all():
        raise RebalanceError(
            what,
            values.tolist(),
            "not all are finite numbers",
            "Look at the forecast stage; nothing was published.",
        )
