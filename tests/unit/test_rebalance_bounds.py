"""Bounds of goals: glide path, suitability, cash, wishes, and that some weights keep to them."""

import dataclasses
import math

import numpy as np
import pytest
from goal_examples import changed_goals, goals_shard, mixed_market, mixed_outlook
from hypothesis import given, settings
from hypothesis import strategies as st
from rebalance_examples import SESSION
from shard_examples import changed_accounts

from models.vocabulary import Constraint, GoalKind
from pipelines.rebalance.inputs.screening import GOAL_ISSUES, GoalIssue
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.limits.glide_path import highest_score, score_in_force
from pipelines.rebalance.limits.holdings import goal_holdings
from pipelines.rebalance.limits.make_bounds import aimed_volatility, make_bounds
from pipelines.rebalance.limits.relaxation import bit
from pipelines.rebalance.market.aversion import risk_tolerance, target_volatility
from pipelines.rebalance.market.forecasts import Forecast, RunForecasts
from pipelines.rebalance.market.outlook import make_outlook
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.shard_advice import advise
from pipelines.rebalance.solver.feasibility import least_turnover

SEEDS = st.integers(0, 2**32 - 1)


def bounds_of(shard: Shard, sold_only: int | None = None) -> Bounds:
    return make_bounds(shard, mixed_market(sold_only), mixed_outlook(sold_only), POLICY)


def one(seed: int = 3, **goal: object) -> Shard:
    """One goal that wants nothing special, with accounts that were never advised."""
    shard = goals_shard(1, seed)
    count, width = shard.goals.excluded.shape
    plain = {
        "kind": np.full(count, list(GoalKind).index(GoalKind.WEALTH), np.int8),
        "risk_score": np.full(count, 60),
        "max_risky_weight": np.full(count, 0.6),
        "max_loss": np.full(count, 0.3),
        "min_cash_cents": np.zeros(count, np.int64),
        "excluded": np.zeros((count, width), np.bool_),
        "symbol_cap": np.ones(count),
        "horizon_days": np.full(count, 7_000),
    }
    plain |= {name: np.full_like(plain[name], value) for name, value in goal.items()}
    nothing = np.zeros(len(shard.accounts.goal), np.int64)
    none = np.full_like(shard.accounts.last_nanos, -1)
    shard = changed_accounts(
        shard, cash_buffer_cents=nothing, frozen_cents=nothing, last_nanos=none
    )
    return changed_goals(shard, **plain)


def hold_bounds_to_what_suits(seed: int) -> None:
    sold_only = (None, 2)[seed % 2]
    shard = goals_shard(6, seed, sold_only)
    bounds, goals = bounds_of(shard, sold_only), shard.goals
    risk, holdings = mixed_outlook(sold_only).long_run, goal_holdings(shard)
    least = least_turnover(risk.class_of, risk.is_risky, bounds, holdings.current)
    assert (least[bounds.is_advised] <= bounds.turnover[bounds.is_advised] + 1e-9).all()
    assert (bounds.risky_upper <= goals.max_risky_weight).all()
    lowered = bounds.risk_score / goals.risk_score
    suits = goals.max_risky_weight * lowered - holdings.frozen_weight
    assert (bounds.risky_upper <= np.maximum(suits, 0) + 1e-12).all()
    assert (bounds.risk_score <= goals.risk_score).all()
    sigma = (
        bounds.tolerance
        * POLICY.reference_risk_aversion
        * mixed_outlook(sold_only).reference_volatility
    )
    loss = sigma * POLICY.stress_deviations
    assert (loss <= np.maximum(goals.max_loss, 1e-5) * (1 + 1e-12)).all()
    assert (bounds.tolerance > 0).all()
    assert (bounds.upper[goals.excluded] == 0).all()
    assert (bounds.upper <= goals.symbol_cap[:, None]).all()
    kept = np.minimum(goals.min_cash_cents / np.maximum(holdings.wealth_cents, 1), 1)
    assert (bounds.invested_upper <= np.maximum(1 - kept - holdings.frozen_weight, 0) + 1e-12).all()
    if sold_only is not None:
        assert (bounds.upper[:, sold_only] <= holdings.current[:, sold_only]).all()
    assert ((bounds.infeasible > 0) <= ~bounds.is_advised).all()


@settings(max_examples=120, deadline=None)
@given(SEEDS)
def test_bounds_admit_a_target_and_none_exceeds_what_suits_or_is_wished(seed: int) -> None:
    hold_bounds_to_what_suits(seed)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(SEEDS)
def test_bounds_hold_ten_thousand_times(seed: int) -> None:
    hold_bounds_to_what_suits(seed)


def test_the_target_volatility_rises_with_the_score_from_one_to_twenty_percent() -> None:
    found = target_volatility(np.array([1, 50.5, 100]), POLICY)
    assert found == pytest.approx([0.01, 0.105, 0.20])


@pytest.mark.parametrize("score", [0, 101, np.nan])
def test_a_score_outside_its_range_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match=r"outside 1\.\.100"):
        target_volatility(score, POLICY)


def test_the_unbounded_optimum_in_equilibrium_has_the_volatility_asked_for() -> None:
    outlook = mixed_outlook()
    asked = np.array([0.02, 0.10])
    tolerance = risk_tolerance(asked, outlook.reference_volatility, POLICY)
    covariance = outlook.long_run.covariance
    for t, volatility in zip(tolerance, asked, strict=True):
        weights = np.linalg.solve(covariance / t, outlook.long_run_prior)
        assert np.sqrt(weights @ covariance @ weights * 12) == pytest.approx(volatility)


def test_a_small_risky_share_is_not_made_up_for_with_riskier_symbols() -> None:
    outlook, market = mixed_outlook(), mixed_market()
    is_risky = outlook.long_run.is_risky[outlook.long_run.class_of]
    reference = market.reference_weights
    share = reference[is_risky].sum()
    risky = np.array([share / 4, 1.0])
    modest = outlook.reference_volatility / 2
    found = aimed_volatility(np.array([0.2, modest]), risky, market, outlook)
    assert found == pytest.approx([outlook.reference_volatility / 4, modest])
    tolerance = risk_tolerance(found, outlook.reference_volatility, POLICY)
    optimum = np.linalg.solve(outlook.long_run.covariance / tolerance[0], outlook.long_run_prior)
    assert optimum == pytest.approx(reference / 4)
    assert optimum[is_risky].sum() == pytest.approx(risky[0])


@pytest.mark.parametrize(
    ("kind", "years", "highest"),
    [
        (GoalKind.RETIREMENT, 40, 90),
        (GoalKind.RETIREMENT, 12.5, 70),
        (GoalKind.RETIREMENT, 0, 50),
        (GoalKind.RETIREMENT, -20, 30),
        (GoalKind.HOUSE, 0.5, 1),
        (GoalKind.HOUSE, 20, 80),
        (GoalKind.EDUCATION, 15, 95),
        (GoalKind.EDUCATION, 0, 1),
        (GoalKind.EMERGENCY_FUND, 30, 10),
        (GoalKind.WEALTH, 1, 100),
    ],
)
def test_the_glide_path_of_each_kind(kind: GoalKind, years: float, highest: float) -> None:
    number = np.array([list(GoalKind).index(kind)], np.int8)
    assert highest_score(number, np.array([float(years)]), POLICY)[0] == pytest.approx(highest)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 4), st.integers(1, 100), st.integers(-4_000, 15_000), st.integers(0, 4_000))
def test_a_nearer_date_never_raises_the_score(kind: int, score: int, days: int, less: int) -> None:
    goals = one(kind=kind, risk_score=score).goals
    far = score_in_force(
        dataclasses.replace(goals, horizon_days=goals.horizon_days * 0 + days), POLICY
    )
    near = score_in_force(
        dataclasses.replace(goals, horizon_days=goals.horizon_days * 0 + days - less), POLICY
    )
    assert (near <= far).all()
    assert (far <= score).all()
    assert (near >= 1).all()


def test_the_score_in_force_lowers_the_risky_share() -> None:
    house = list(GoalKind).index(GoalKind.HOUSE)
    assert bounds_of(one(kind=house, horizon_days=300)).risky_upper[0] == pytest.approx(0.01)
    assert bounds_of(one(kind=house, horizon_days=9_000)).risky_upper[0] == 0.6


@pytest.mark.parametrize("tempting", [(3,), tuple(range(7))])
def test_no_forecast_lifts_the_risky_share_above_what_suits(tempting: tuple[int, ...]) -> None:
    """Each of them is to gain half in a month, and is believed fully."""
    market, shard = mixed_market(), goals_shard(20, 11)
    believed = tuple(Forecast(market.symbols[n], math.log(1.5), 0.05, 1.0) for n in tempting)
    outlook = make_outlook(market, RunForecasts(believed, believed, ()), POLICY)
    advice = advise(shard, market, outlook, POLICY, SESSION)
    risky = mixed_outlook().long_run.is_risky[mixed_outlook().long_run.class_of]
    new = advice.targets.is_new
    share = advice.targets.goal_nanos[new, :-1][:, risky].sum(axis=1) / 1e9
    assert new.sum() > 10
    assert (share <= advice.bounds.risky_upper[new] + 1e-9).all()


def test_who_can_bear_no_loss_keeps_cash_and_safe_classes() -> None:
    bounds = bounds_of(one(max_loss=0.0, max_risky_weight=0.0))
    assert bounds.is_advised.all()
    assert (bounds.risky_upper == 0).all()
    assert (bounds.relaxed == 0).all()
    assert (bounds.invested_lower == 0).all()


def test_withdrawals_above_all_worth_leave_cash_alone_and_a_buffer_above_it_stops_advice() -> None:
    shard = one()
    all_of_it = changed_goals(shard, min_cash_cents=shard.goals.target_cents * 0 + 10**12)
    bounds = bounds_of(all_of_it)
    assert bounds.is_advised.all()
    assert (bounds.invested_upper == 0).all()
    assert (bounds.relaxed == bit(Constraint.MINIMUM_INVESTED)).all()
    buffered = changed_accounts(shard, cash_buffer_cents=shard.accounts.wealth_cents + 1)
    held = bounds_of(buffered)
    assert not held.is_advised.any()
    assert (held.infeasible == bit(Constraint.CLIENT_WISH)).all()


def test_who_excludes_everything_is_held_by_the_own_wish() -> None:
    shard = one()
    bounds = bounds_of(changed_goals(shard, excluded=np.ones_like(shard.goals.excluded)))
    assert (bounds.infeasible == bit(Constraint.CLIENT_WISH)).all()
    assert not bounds.is_advised.any()


def test_contradictory_preferences_cost_the_minimum_to_invest_and_no_wish() -> None:
    bounds = bounds_of(one(symbol_cap=0.001))
    assert (bounds.relaxed == bit(Constraint.MINIMUM_INVESTED)).all()
    assert bounds.upper.max() == 0.001


def test_without_a_profile_there_is_no_advice_and_a_passed_date_is_no_hindrance() -> None:
    shard = one()
    issue = np.full(len(shard.goals.issue), GOAL_ISSUES.index(GoalIssue.NO_RISK_PROFILE), np.int8)
    assert not bounds_of(changed_goals(shard, issue=issue)).is_advised.any()
    passed = np.full(
        len(shard.goals.issue), GOAL_ISSUES.index(GoalIssue.TARGET_DATE_PASSED), np.int8
    )
    assert bounds_of(changed_goals(shard, issue=passed)).is_advised.all()


def test_turnover_is_limited_only_where_the_last_target_stands() -> None:
    shard = one()
    assert np.isinf(bounds_of(shard).turnover).all()
    bounds = bounds_of(shard)
    advised = changed_accounts(
        shard,
        last_nanos=np.zeros_like(shard.accounts.last_nanos),
        last_risk_score=bounds.risk_score[shard.accounts.goal],
        last_upper=bounds.upper[shard.accounts.goal],
    )
    assert (bounds_of(advised).turnover == POLICY.max_turnover).all()
    other_score = changed_accounts(advised, last_risk_score=advised.accounts.last_risk_score + 1)
    assert np.isinf(bounds_of(other_score).turnover).all()
    short = changed_accounts(
        advised,
        cash_micros=advised.accounts.cash_micros * 0,
        cash_buffer_cents=advised.accounts.cash_buffer_cents + 1,
    )
    assert np.isinf(bounds_of(short).turnover).all()


def test_accounts_with_an_issue_take_no_part_in_their_goal() -> None:
    shard = goals_shard(5, 11)
    issue = np.zeros(len(shard.accounts.issue), np.int8)
    issue[0] = 1
    goal = shard.accounts.goal[0]
    without = goal_holdings(changed_accounts(shard, issue=issue)).wealth_cents[goal]
    before = goal_holdings(shard).wealth_cents[goal]
    assert before - without == shard.accounts.wealth_cents[0]


def test_what_is_frozen_counts_against_the_limit_of_its_class() -> None:
    shard = one()
    accounts, energy = shard.accounts, mixed_market().classes.index("energy")
    by_class = np.zeros((len(accounts.goal), len(mixed_market().classes)), np.int64)
    by_class[:, energy] = accounts.wealth_cents // 20
    frozen = changed_accounts(shard, frozen_cents=by_class.sum(axis=1), frozen_class_cents=by_class)
    before, after = bounds_of(shard).class_upper, bounds_of(frozen).class_upper
    share = (accounts.wealth_cents // 20).sum() / frozen.accounts.wealth_cents.sum()
    assert after[:, energy] == pytest.approx(before[:, energy] - share, abs=1e-6)
    assert (np.delete(after, energy, 1) == np.delete(before, energy, 1)).all()
