"""What a run expects of the market: covariances, prior and forecasts, and the models on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.rebalance.arrays import Matrix, Vector
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
from pipelines.rebalance.solver.definition import AllocationModel


@dataclass(frozen=True)
class Forecast:
    """A forecast of the log return over the horizon, and the confidence that it earned."""

    symbol: str
    expected_log_return: float
    stdev_log_return: float
    confidence: float


@dataclass(frozen=True)
class Outlook:
    """The market as every account of a run sees it.

    Attributes
    ----------
    reference_volatility : annual, of the reference portfolio, from the long-run covariance; it
        links risk scores to risk aversion, so that a calm month does not raise anyone's risk.
    long_run_prior, todays_prior : equilibrium excess returns under each covariance.
    expected_returns : today's prior with the forecasts as views.
    long_run, today : models without trading cost, one per covariance.
    with_cost : the model that makes the target.
    """

    reference_volatility: float
    long_run_prior: Vector
    todays_prior: Vector
    expected_returns: Vector
    long_run: AllocationModel
    today: AllocationModel
    with_cost: AllocationModel


def make_outlook(market: Market, forecasts: Sequence[Forecast], policy: Policy) -> Outlook:
    """Estimate risk and returns and compile the models, once for all accounts of a run.

    A forecast for a symbol that may not be bought is not used.

    Raises
    ------
    RebalanceError
        Returns or forecasts are not finite, or history is too short.
    """
    reference = market.reference_weights
    long_run = long_run_covariance(market.daily_returns, policy)
    today = todays_covariance(market.daily_returns, policy)
    todays_prior = equilibrium_returns(today, reference, policy)

    def model(covariance: Matrix, *, charges_cost: bool) -> AllocationModel:
        return AllocationModel(
            covariance, market.membership, charges_cost=charges_cost, policy=policy
        )

    return Outlook(
        reference_volatility=annual_volatility(reference, long_run),
        long_run_prior=equilibrium_returns(long_run, reference, policy),
        todays_prior=todays_prior,
        expected_returns=_with_views(market, forecasts, todays_prior, today, policy),
        long_run=model(long_run, charges_cost=False),
        today=model(today, charges_cost=False),
        with_cost=model(today, charges_cost=True),
    )


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
        (forecast for forecast in forecasts if forecast.symbol in position),
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
