"""What a run expects of the market: covariances, prior, and what each view makes of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.vocabulary import AllocationView
from pipelines.rebalance.arrays import Matrix, Vector
from pipelines.rebalance.market.forecasts import Forecast, RunForecasts
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.returns import (
    blend_views,
    equilibrium_returns,
    excess_return_views,
    risk_free_return,
)
from pipelines.rebalance.market.risk import (
    annual_volatility,
    long_run_covariance,
    todays_covariance,
)
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.problems import Risk

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outlook:
    """The market as every goal of a run sees it; returns are simple, in excess, of the horizon.

    Attributes
    ----------
    reference_volatility : annual, of the reference portfolio, from the long-run covariance; it
        links risk scores to risk aversion, so that a calm month does not raise anyone's risk.
    long_run, today : risk under each covariance.
    long_run_prior, todays_prior : (symbols,) equilibrium returns under each covariance.
    expected_returns : (symbols,) today's prior with the serving forecasts as views: the target's.
    view_returns : (views, symbols) today's prior with the forecasts of each ``AllocationView``,
        in their order. A view without forecasts, or with no confidence in any, is the prior.
    """

    reference_volatility: float
    long_run: Risk
    today: Risk
    long_run_prior: Vector
    todays_prior: Vector
    expected_returns: Vector
    view_returns: Matrix


def make_outlook(market: Market, forecasts: RunForecasts, policy: Policy) -> Outlook:
    """Estimate risk and returns once for all goals of a run.

    A forecast for a symbol that may not be bought is not used, nor is one that is no finite
    number: its symbol keeps the prior.

    Raises
    ------
    RebalanceError
        Returns are not finite, history is too short, or a confidence lies outside [0, 1].
    """
    reference = market.reference_weights
    long_run = long_run_covariance(market.daily_returns, policy)
    today = todays_covariance(market.daily_returns, policy)
    todays_prior = equilibrium_returns(today, reference, policy)

    def with_views(of: Sequence[Forecast]) -> Vector:
        return _with_views(market, of, todays_prior, today, policy)

    by_view = {
        AllocationView.LSTM: forecasts.lstm,
        AllocationView.MA: forecasts.moving_average,
        AllocationView.NONE: (),
    }
    return Outlook(
        reference_volatility=annual_volatility(reference, long_run),
        long_run=_risk(long_run, market, policy),
        today=_risk(today, market, policy),
        long_run_prior=equilibrium_returns(long_run, reference, policy),
        todays_prior=todays_prior,
        expected_returns=with_views(forecasts.serving),
        view_returns=np.stack([with_views(by_view[view]) for view in AllocationView]),
    )


def _risk(covariance: Matrix, market: Market, policy: Policy) -> Risk:
    class_of = market.membership.argmax(axis=0).astype(np.int64)
    is_risky = np.array([name not in policy.safe_classes for name in market.classes])
    return Risk(covariance, class_of, len(market.classes), is_risky)


def _with_views(
    market: Market,
    forecasts: Sequence[Forecast],
    prior: Vector,
    covariance: Matrix,
    policy: Policy,
) -> Vector:
    position = {
        symbol: index
        for index, symbol in enumerate(market.symbols)
        if market.instruments[symbol].is_member
    }
    used = sorted(
        (
            forecast
            for forecast in forecasts
            if forecast.symbol in position and _is_finite(forecast)
        ),
        key=lambda forecast: forecast.symbol,
    )
    views = excess_return_views(
        np.array([forecast.expected_log_return for forecast in used]),
        np.array([forecast.stdev_log_return for forecast in used]),
        risk_free_return(policy),
    )
    return blend_views(
        prior,
        covariance,
        np.array([position[forecast.symbol] for forecast in used], dtype=np.intp),
        views,
        np.array([forecast.confidence for forecast in used]),
        policy.tau,
    )


def _is_finite(forecast: Forecast) -> bool:
    numbers = (forecast.expected_log_return, forecast.stdev_log_return, forecast.confidence)
    if np.isfinite(numbers).all():
        return True
    logger.warning("the forecast for %s is no finite number; it is not used", forecast.symbol)
    return False
