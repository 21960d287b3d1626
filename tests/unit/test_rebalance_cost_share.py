"""One horizon is charged with a share of a trade, as if it were solved for a whole holding."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from shard_examples import made_shard, valued
from shard_market import MARKET, OUTLOOK, SESSION

from models.vocabulary import HORIZON_SESSIONS
from pipelines.rebalance.goal_problems import start_of, target_problems
from pipelines.rebalance.limits.make_bounds import make_bounds
from pipelines.rebalance.policy import POLICY, Policy
from pipelines.rebalance.solver.problems import Problems
from pipelines.rebalance.solver.solve import solve

SHARD = valued(made_shard(MARKET, 40, seed=5), MARKET)


def problems(policy: Policy) -> Problems:
    bounds = make_bounds(SHARD, MARKET, OUTLOOK, policy)
    start = start_of(SHARD, MARKET, SESSION, policy, bounds)
    rows = np.flatnonzero(bounds.is_advised)
    return target_problems(bounds, rows, OUTLOOK.expected_returns, start)


WHOLE = problems(replace(POLICY, holding_sessions=HORIZON_SESSIONS))
"""Held for one horizon, a trade's whole cost counts against it."""


def test_cost_and_tax_are_charged_by_the_share_of_the_holding_that_the_horizon_is() -> None:
    shared = problems(replace(POLICY, holding_sessions=12 * HORIZON_SESSIONS))
    assert pytest.approx(shared.buy_cost * 12, rel=1e-12) == WHOLE.buy_cost
    assert pytest.approx(shared.sell_cost * 12, rel=1e-12) == WHOLE.sell_cost
    assert WHOLE.buy_cost.max() == POLICY.cost_bps / 10_000
    assert WHOLE.sell_cost.max() > WHOLE.buy_cost.max()  # some pay tax
    assert (shared.buy_cost + shared.sell_cost >= 0).all()


def test_a_share_of_the_cost_in_one_horizon_is_the_whole_cost_in_the_holding_period() -> None:
    horizons = 12
    shared = problems(replace(POLICY, holding_sessions=horizons * HORIZON_SESSIONS))
    risk = replace(OUTLOOK.today, covariance=OUTLOOK.today.covariance * horizons)
    longer = replace(WHOLE, expected=WHOLE.expected * horizons)
    ours, theirs = solve(OUTLOOK.today, shared, POLICY), solve(risk, longer, POLICY)
    assert ours.weights == pytest.approx(theirs.weights, abs=1e-9)
    assert ours.objective * horizons == pytest.approx(theirs.objective, rel=1e-9, abs=1e-12)
    short = solve(OUTLOOK.today, WHOLE, POLICY)
    assert np.abs(ours.weights - short.weights).max() > 0.01


def test_the_longer_a_purchase_is_held_the_nearer_a_target_is_to_that_without_cost() -> None:
    free = dataclasses.replace(
        WHOLE, buy_cost=np.zeros_like(WHOLE.buy_cost), sell_cost=np.zeros_like(WHOLE.sell_cost)
    )
    optimum = solve(OUTLOOK.today, free, POLICY).weights
    gaps = [
        np.abs(solve(OUTLOOK.today, problems(policy), POLICY).weights - optimum).sum()
        for policy in (replace(POLICY, holding_sessions=each) for each in (21, 63, 252, 1008))
    ]
    assert gaps == sorted(gaps, reverse=True)
