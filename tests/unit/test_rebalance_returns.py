"""Risk and expected returns: one horizon, skill entering once."""

import pickle

import numpy as np
import pytest
from rebalance_examples import daily_returns

from models.vocabulary import HORIZON_SESSIONS
from pipelines.errors import RebalanceError
from pipelines.rebalance.market.returns import (
    blend_views,
    equilibrium_returns,
    excess_return_views,
    risk_free_return,
)
from pipelines.rebalance.market.risk import (
    long_run_covariance,
    todays_covariance,
)
from pipelines.rebalance.policy import POLICY, Destination, Policy

ESTIMATORS = pytest.mark.parametrize("estimate", [todays_covariance, long_run_covariance])


@pytest.fixture
def covariance():
    return todays_covariance(daily_returns(), POLICY)


@ESTIMATORS
def test_a_covariance_is_symmetric_and_positive_definite(estimate) -> None:
    estimated = estimate(daily_returns(), POLICY)
    assert np.array_equal(estimated, estimated.T)
    assert np.linalg.eigvalsh(estimated)[0] > 0


@ESTIMATORS
def test_variance_over_the_horizon_is_21_times_that_of_a_session(estimate) -> None:
    rng = np.random.default_rng(0)
    estimated = estimate(rng.normal(0, 0.01, (2520, 3)), POLICY)
    assert np.diag(estimated) == pytest.approx(HORIZON_SESSIONS * 1e-4, rel=0.25)


def test_todays_covariance_follows_a_calm_that_the_long_run_one_averages_away() -> None:
    returns = daily_returns()
    calm = returns.copy()
    calm[-200:] /= 3
    assert np.trace(todays_covariance(calm, POLICY)) < 0.5 * np.trace(
        todays_covariance(returns, POLICY)
    )
    assert np.trace(long_run_covariance(calm, POLICY)) > 0.5 * np.trace(
        long_run_covariance(returns, POLICY)
    )


@ESTIMATORS
def test_two_symbols_that_move_as_one_do_not_make_the_covariance_singular(estimate) -> None:
    returns = daily_returns()
    returns[:, 1] = returns[:, 0]
    eigenvalues = np.linalg.eigvalsh(estimate(returns, POLICY))
    assert eigenvalues[0] > 0
    assert eigenvalues[-1] / eigenvalues[0] <= POLICY.largest_condition_number * (1 + 1e-6)


@ESTIMATORS
def test_sessions_before_the_window_change_no_bit(estimate) -> None:
    returns = daily_returns(3000)
    assert np.array_equal(estimate(returns, POLICY), estimate(returns[-2520:], POLICY))


@ESTIMATORS
def test_a_return_that_is_not_a_number_is_refused(estimate) -> None:
    returns = daily_returns()
    returns[-5, 2] = np.nan
    with pytest.raises(RebalanceError, match="not finite"):
        estimate(returns, POLICY)


@ESTIMATORS
def test_too_short_a_history_is_refused(estimate) -> None:
    with pytest.raises(RebalanceError, match="252"):
        estimate(daily_returns(100), POLICY)


@ESTIMATORS
def test_a_price_that_never_moves_is_refused_by_its_place(estimate) -> None:
    returns = daily_returns()
    returns[:, 2] = 0.0
    with pytest.raises(RebalanceError, match=r"\[2\].*never moved"):
        estimate(returns, POLICY)


def test_the_reference_portfolio_is_optimal_under_the_prior(covariance) -> None:
    reference = np.full(7, 1 / 7)
    prior = equilibrium_returns(covariance, reference, POLICY)
    optimal = np.linalg.solve(POLICY.reference_risk_aversion * covariance, prior)
    assert optimal == pytest.approx(reference, abs=1e-10)


def test_a_log_normal_forecast_becomes_its_simple_excess_return() -> None:
    simple = np.exp(np.random.default_rng(1).normal(0.01, 0.08, 2_000_000)) - 1
    view = excess_return_views(np.array([0.01]), np.array([0.08]), risk_free=0.002)
    assert view[0] == pytest.approx(simple.mean() - 0.002, abs=2e-4)


def test_cash_earns_the_yearly_rate_over_twelve_horizons() -> None:
    assert (1 + risk_free_return(POLICY)) ** 12 == pytest.approx(1 + POLICY.risk_free_rate)


def test_no_confidence_gives_the_prior_bit_for_bit(covariance) -> None:
    prior = equilibrium_returns(covariance, np.full(7, 1 / 7), POLICY)
    blended = blend_views(prior, covariance, np.arange(7), np.full(7, 0.5), np.zeros(7), POLICY.tau)
    assert blended.tobytes() == prior.tobytes()


def test_full_confidence_gives_the_views(covariance) -> None:
    prior, views = np.zeros(7), np.linspace(-0.02, 0.03, 7)
    blended = blend_views(prior, covariance, np.arange(7), views, np.ones(7), POLICY.tau)
    assert blended == pytest.approx(views, abs=1e-12)


def test_one_confidence_for_all_mixes_prior_and_views_in_its_proportion(covariance) -> None:
    prior, views = np.linspace(0.001, 0.01, 7), np.linspace(-0.02, 0.03, 7)
    blended = blend_views(prior, covariance, np.arange(7), views, np.full(7, 0.3), POLICY.tau)
    assert blended == pytest.approx(0.7 * prior + 0.3 * views, abs=1e-12)


def test_views_agree_with_the_textbook_formula(covariance) -> None:
    prior, views = np.linspace(0.001, 0.01, 7), np.array([0.03, -0.01])
    positions, confidences = np.array([1, 4]), np.array([0.4, 0.9])
    tau = POLICY.tau
    pick = np.zeros((2, 7))
    pick[[0, 1], positions] = 1
    scale = np.diag(np.sqrt(1 / confidences - 1))
    omega = scale @ pick @ (tau * covariance) @ pick.T @ scale
    gain = tau * covariance @ pick.T @ np.linalg.inv(pick @ (tau * covariance) @ pick.T + omega)
    expected = prior + gain @ (views - pick @ prior)
    blended = blend_views(prior, covariance, positions, views, confidences, tau)
    assert blended == pytest.approx(expected, abs=1e-13)


def test_a_view_moves_symbols_that_move_with_it(covariance) -> None:
    blended = blend_views(
        np.zeros(7), covariance, np.array([0]), np.array([0.02]), np.array([0.5]), POLICY.tau
    )
    assert (blended > 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_forecast_that_is_not_a_number_is_refused(covariance, bad: float) -> None:
    with pytest.raises(RebalanceError, match="not all are finite"):
        excess_return_views(np.array([bad]), np.array([0.1]), 0.0)
    with pytest.raises(RebalanceError, match="not all are finite"):
        blend_views(
            np.zeros(7), covariance, np.array([0]), np.array([bad]), np.array([0.5]), POLICY.tau
        )


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan])
def test_a_confidence_that_is_no_share_is_refused(covariance, bad: float) -> None:
    with pytest.raises(RebalanceError, match="confidences"):
        blend_views(
            np.zeros(7), covariance, np.array([0]), np.array([0.1]), np.array([bad]), POLICY.tau
        )


def test_a_policy_travels_between_processes_whole() -> None:
    policy = Policy(cost_bps=7)
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_any_changed_rule_changes_the_digest_of_the_policy() -> None:
    digests = {
        Policy().digest(),
        Policy(cost_bps=6).digest(),
        Policy(absolute_band=0.06).digest(),
        Policy(class_limits={}).digest(),
        Policy(glide_paths={}).digest(),
        Policy(safe_classes=()).digest(),
        Policy(destination=Destination.BAND_EDGE).digest(),
    }
    assert len(digests) == 7
    assert Policy().digest() == POLICY.digest()
