"""Covariance of returns over the horizon: today's and the long-run one."""

import numpy as np

from models.vocabulary import HORIZON_SESSIONS
from pipelines.errors import RebalanceError
from pipelines.rebalance.arrays import Matrix
from pipelines.rebalance.policy import Policy

SESSIONS_PER_YEAR = 252


def todays_covariance(daily_returns: Matrix, policy: Policy) -> Matrix:
    """Return the covariance of simple returns over the horizon that holds now.

    Exponentially weighted (skfolio's ``EWCovariance``), so that it follows the market's mood.

    Parameters
    ----------
    daily_returns : (sessions, symbols), oldest first, simple returns of one session.

    Returns
    -------
    (symbols, symbols), positive definite, returns over 21 sessions.

    Raises
    ------
    RebalanceError
        A return is not finite, there are too few, or a symbol never moved.
    """
    from skfolio.moments import EWCovariance  # heavy, and estimated once for all processes

    window = _window(daily_returns, policy.covariance_window_sessions, policy)
    estimator = EWCovariance(half_life=policy.covariance_half_life_sessions, nearest=False)
    return _over_horizon(estimator.fit(window).covariance_, policy)


def long_run_covariance(daily_returns: Matrix, policy: Policy) -> Matrix:
    """Return the covariance of simple returns over the horizon over many years.

    Shrunk towards a multiple of the identity [1]_ (skfolio's ``LedoitWolf``), equal weight for
    every session. Shapes, units and errors as in :func:`todays_covariance`.

    References
    ----------
    .. [1] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88 (2004).
    """
    from skfolio.moments import LedoitWolf

    window = _window(daily_returns, policy.long_run_window_sessions, policy)
    return _over_horizon(
        LedoitWolf(assume_centered=True, nearest=False).fit(window).covariance_, policy
    )


def annual_volatility(weights: Matrix, covariance: Matrix) -> float:
    """Return a portfolio's annual volatility from the covariance over the horizon."""
    variance = float(weights @ covariance @ weights)
    return float(np.sqrt(variance * SESSIONS_PER_YEAR / HORIZON_SESSIONS))


def _window(daily_returns: Matrix, sessions: int, policy: Policy) -> Matrix:
    if len(daily_returns) < policy.minimum_history_sessions:
        raise RebalanceError(
            "sessions with returns of every symbol",
            len(daily_returns),
            f"a covariance needs {policy.minimum_history_sessions}",
            "Ingest more history, or leave out the symbols that lack it.",
        )
    window = np.ascontiguousarray(daily_returns[-sessions:])
    if not np.isfinite(window).all():
        raise RebalanceError(
            "daily returns",
            int((~np.isfinite(window)).sum()),
            "that many are not finite",
            "Look at the price mart; quality should have rejected such prices.",
        )
    frozen = np.flatnonzero(np.ptp(window, axis=0) == 0)
    if len(frozen):
        raise RebalanceError(
            "columns of the daily returns",
            frozen.tolist(),
            "these symbols never moved in the covariance's window",
            "Leave them out of the market; their prices are stale.",
        )
    return window


def _over_horizon(daily: Matrix, policy: Policy) -> Matrix:
    """Scale to the horizon, as independent sessions add up, and lift eigenvalues near zero."""
    covariance = (daily + daily.T) * (HORIZON_SESSIONS / 2)
    eigenvalues, vectors = np.linalg.eigh(covariance)
    largest = float(eigenvalues[-1])
    smallest_allowed = largest / policy.largest_condition_number
    if eigenvalues[0] < smallest_allowed:
        lifted = np.maximum(eigenvalues, smallest_allowed)
        covariance = (vectors * lifted) @ vectors.T
        covariance = (covariance + covariance.T) / 2
    return np.ascontiguousarray(covariance)
