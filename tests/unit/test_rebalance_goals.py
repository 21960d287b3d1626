"""Projections of goals: beside simulation, monotone, and levers that do what they say."""

import dataclasses
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from goal_examples import changed_goals, goals_shard, mixed_market, mixed_outlook
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.vocabulary import GoalKind, GoalLever
from pipelines.rebalance.goals.portfolios import long_run
from pipelines.rebalance.goals.projection import (
    DAYS_PER_MONTH,
    HORIZON_YEARS,
    PROBABILITY_ERROR,
    Projections,
    project,
)
from pipelines.rebalance.goals.sentences import dollars
from pipelines.rebalance.goals.worth_kernel import MOMENTS, Plan, accumulate, with_deposit
from pipelines.rebalance.inputs.shard import PlannedFlows, Shard
from pipelines.rebalance.limits.glide_path import highest_score
from pipelines.rebalance.limits.make_bounds import make_bounds
from pipelines.rebalance.policy import POLICY

NO_END = 10**6
KINDS = list(GoalKind)


@cache
def _any_shard() -> Shard:
    return goals_shard(1, 3)


def goal(
    wealth_cents: int = 5_000_000,
    target_cents: int = 20_000_000,
    months: float = 240,
    monthly_cents: int = 30_000,
    score: int = 70,
    kind: GoalKind = GoalKind.WEALTH,
    capacity: int | None = None,
    flows: PlannedFlows | None = None,
) -> Shard:
    """One goal with one account in cash, on the mixed market."""
    shard = _any_shard()
    accounts = shard.accounts
    first = {name: getattr(accounts, name)[:1] for name in accounts.__dataclass_fields__}
    nothing = np.zeros_like(accounts.value_cents[:1])
    accounts = dataclasses.replace(
        accounts,
        **first
        | {
            "goal": np.zeros(1, np.int64),
            "value_cents": nothing,
            "held_micros": nothing,
            "frozen_cents": np.zeros(1, np.int64),
            "cash_micros": np.array([wealth_cents * 10_000]),
            "wealth_cents": np.array([wealth_cents]),
            "issue": np.array([0 if wealth_cents else 7], np.int8),
        },
    )
    goals = {name: getattr(shard.goals, name)[:1] for name in shard.goals.__dataclass_fields__}
    days = round(months * DAYS_PER_MONTH)
    shard = dataclasses.replace(
        shard, goals=dataclasses.replace(shard.goals, **goals), accounts=accounts
    )
    monthly = PlannedFlows(*(np.array([value]) for value in (0, monthly_cents, 30, NO_END, 1)))
    shard = dataclasses.replace(shard, planned_flows=flows or monthly)
    return changed_goals(
        shard,
        target_cents=np.array([target_cents]),
        target_day=np.array([19_354 + days]),
        horizon_days=np.array([days]),
        risk_score=np.array([score]),
        capacity_score=np.array([score if capacity is None else capacity]),
        max_loss=np.array([0.5]),
        max_risky_weight=np.array([1.0]),
        kind=np.array([KINDS.index(kind)], np.int8),
        min_cash_cents=np.zeros(1, np.int64),
    )


def aims(invested: float = 0.8) -> npt.NDArray[np.int64]:
    """A target in stocks, bonds and cash."""
    nanos = np.zeros((1, 8), np.int64)
    nanos[0, [0, 1, 2, 4]] = np.round(np.array([0.3, 0.2, 0.2, 0.3]) * invested * 1e9)
    nanos[0, -1] = 1_000_000_000 - nanos.sum()
    return nanos


def projected(shard: Shard, invested: float = 0.8) -> Projections:
    market, outlook = mixed_market(), mixed_outlook()
    bounds = make_bounds(shard, market, outlook, POLICY)
    return project(shard, bounds, aims(invested), market, outlook, POLICY)


def chance(**wants: object) -> float:
    return float(projected(goal(**wants)).success_probability[0])


def simulated(shard: Shard, paths: int, seed: int) -> npt.NDArray[np.float64]:
    """Worth at the date of every path, day of payment by day of payment, month by month."""
    goals, flows = shard.goals, shard.planned_flows
    market, outlook = mixed_market(), mixed_outlook()
    score = make_bounds(shard, market, outlook, POLICY).risk_score[0]
    portfolio = long_run(aims()[:, :-1] / 1e9, outlook)
    cash = 1 + POLICY.risk_free_rate
    excess = np.log1p(portfolio.excess[0] / cash)
    variance = np.log1p((portfolio.volatility[0] / (cash + portfolio.excess[0])) ** 2)
    months = goals.horizon_days[0] / DAYS_PER_MONTH
    edges = np.append(np.arange(0, months, 1.0), months)
    rng = np.random.default_rng(seed)
    worth = np.full(2 * paths, float(shard.accounts.wealth_cents[0]))
    for start, end in pairwise(edges):
        years = (months - (start + end) / 2) / 12
        cap = highest_score(goals.kind, np.array([years]), POLICY)[0]
        if goals.kind[0] != KINDS.index(GoalKind.RETIREMENT):
            cap = min(cap, 100 * years / HORIZON_YEARS)
        scale = max(min(score, cap), 1) / score
        year, half = (end - start) / 12, rng.standard_normal(paths)
        drift = np.log(cash) + scale * excess - scale**2 * variance / 2
        noise = np.concatenate((half, -half)) * scale * np.sqrt(variance * year)
        worth *= np.exp(drift * year + noise)
        for cents, first, last, step in zip(
            flows.signed_cents, flows.first_day, flows.last_day, flows.step_months, strict=True
        ):
            worth += cents * _due(first, last, step, start, end)
    return worth


def _due(first: int, last: int, step: int, start: float, end: float) -> int:
    times = first / DAYS_PER_MONTH + (np.arange(1 if step == 0 else 1_000) * step)
    return int(((times > start) & (times <= end) & (times <= last / DAYS_PER_MONTH)).sum())


LUMPS = PlannedFlows(
    goal=np.zeros(3, np.int64),
    signed_cents=np.array([20_000, 3_000_000, -1_500_000]),
    first_day=np.array([15, 1_200, 2_400]),
    last_day=np.array([3_000, NO_END, NO_END]),
    step_months=np.array([1, 0, 0]),
)


@pytest.mark.parametrize(
    "wants",
    [
        {"months": 240},
        {"months": 6, "score": 3, "target_cents": 5_210_000},
        {"months": 480, "monthly_cents": 20_000, "target_cents": 60_000_000, "score": 95},
        {"months": 120, "kind": GoalKind.EDUCATION, "target_cents": 12_500_000},
        {"months": 400, "kind": GoalKind.RETIREMENT, "target_cents": 45_000_000},
        {"months": 90, "kind": GoalKind.HOUSE, "target_cents": 9_000_000},
        {"months": 150, "wealth_cents": 1_000, "monthly_cents": 50_000, "target_cents": 9_500_000},
        {"months": 200, "flows": LUMPS, "target_cents": 13_500_000},
        {"months": 120, "monthly_cents": -25_000, "target_cents": 3_500_000},
    ],
)
def test_chances_and_ranges_agree_with_a_simulation_of_the_same_assumptions(
    wants: dict[str, object],
) -> None:
    shard = goal(**wants)
    worth = simulated(shard, 40_000, seed=1)
    found = projected(shard)
    share = float((worth >= shard.goals.target_cents[0]).mean())
    assert 0.02 < share < 0.98, "the target is out of reach of a test"
    assert found.success_probability[0] == pytest.approx(share, abs=PROBABILITY_ERROR / 4)
    expected = np.quantile(worth, [0.1, 0.5, 0.9])
    ends = [found.lower_cents[0], found.median_cents[0], found.upper_cents[0]]
    assert ends == pytest.approx(expected, rel=0.015)


def test_chances_of_goals_nearly_in_cash_are_as_near_as_is_stated() -> None:
    """So certain a worth makes half a month's interest on deposits count."""
    shard = goal(1_000_000, 1_870_000, 120, 5_000, score=1)
    worth = simulated(shard, 40_000, seed=2)
    share = float((worth >= shard.goals.target_cents[0]).mean())
    assert 0.1 < share < 0.9, "the target is out of reach of a test"
    assert projected(shard).success_probability[0] == pytest.approx(share, abs=PROBABILITY_ERROR)


def test_one_payment_is_lognormal_and_met_exactly() -> None:
    """Against the closed form of a lognormal, with no flow and no glide path in the way."""
    plan = Plan(
        24.0, 1e6, 50.0, 0.03, 0.02, np.zeros(0), np.zeros((0, 3)), np.array([0.0]),
        np.array([100.0]), 1e-9, 0.02,
    )  # fmt: skip
    moments = np.empty(MOMENTS)
    accumulate(plan, 50.0, 0.0, moments)
    mean, variance = 1e6 * np.exp(2 * 0.05), np.exp(2 * 0.02)
    assert moments[[0, 2, 5]] == pytest.approx(
        [mean, mean**2 * variance, mean**3 * variance**3], rel=1e-12
    )


def test_a_further_deposit_is_what_the_same_deposit_would_be_if_it_were_planned() -> None:
    def moments_with(cents: float) -> npt.NDArray[np.float64]:
        plan = Plan(
            36.0, 1e6, 50.0, 0.03, 0.02, np.array([cents]), np.array([[0.5, 1e6, 1.0]]),
            np.array([0.0]), np.array([100.0]), 4.0, 0.02,
        )  # fmt: skip
        moments = np.empty(MOMENTS)
        accumulate(plan, 50.0, 0.0, moments)
        return moments

    further = with_deposit(moments_with(7e3), 3e4)
    assert further == pytest.approx(moments_with(3.7e4)[[0, 2, 5]], rel=1e-12)


ANY_GOAL = st.fixed_dictionaries(
    {
        "wealth_cents": st.integers(100_000, 50_000_000),
        "target_cents": st.integers(1_000_000, 90_000_000),
        "months": st.integers(2, 500),
        "monthly_cents": st.integers(0, 300_000),
        "score": st.integers(2, 90),
        "kind": st.sampled_from(KINDS),
    }
)
SLACK = 0.005


@settings(max_examples=120, deadline=None)
@given(ANY_GOAL, st.integers(1, 100_000), st.integers(1, 5_000_000))
def test_chances_rise_with_deposits_and_wealth_and_fall_with_the_target(
    wants: dict[str, int], monthly: int, more: int
) -> None:
    before = chance(**wants)
    assert chance(**wants | {"monthly_cents": wants["monthly_cents"] + monthly}) >= before - SLACK
    assert chance(**wants | {"wealth_cents": wants["wealth_cents"] + more}) >= before - SLACK
    assert chance(**wants | {"target_cents": wants["target_cents"] + more}) <= before + 1e-12


@settings(max_examples=100, deadline=None)
@given(ANY_GOAL, st.integers(1, 120))
def test_waiting_helps_whoever_has_less_than_the_target(wants: dict[str, int], later: int) -> None:
    assume(wants["wealth_cents"] < wants["target_cents"])
    before = chance(**wants)
    assert chance(**wants | {"months": wants["months"] + later}) >= before - SLACK


@settings(max_examples=100, deadline=None)
@given(ANY_GOAL)
def test_every_lever_alone_reaches_the_aim_and_a_little_less_does_not(
    wants: dict[str, int],
) -> None:
    wants["capacity"] = min(100, wants["score"] + 30)
    shard = goal(**wants)
    found, aimed = projected(shard), POLICY.aimed_probability
    levers = found.levers
    if found.success_probability[0] >= aimed:
        assert levers.best[0] == -1
        assert found.later_target_day[0] == -1
        return
    extra, lower = levers.extra_monthly_cents[0], levers.lower_target_cents[0]
    later, score = found.later_target_day[0], levers.higher_risk_score[0]
    monthly = wants["monthly_cents"]
    if lower > 0:
        assert chance(**wants | {"target_cents": lower}) >= aimed - 1e-9
        assert chance(**wants | {"target_cents": int(lower * 1.01) + 2}) < aimed + 1e-9
    if extra > 0:
        # A planned deposit falls due once a month; the lever's are spread over it.
        assert chance(**wants | {"monthly_cents": monthly + int(extra * 1.1) + 100}) >= aimed - 0.02
    if later > 0:
        days = later - shard.goals.target_day[0]
        put_off = wants["months"] + days / DAYS_PER_MONTH
        assert chance(**wants | {"months": put_off}) >= aimed - SLACK
    if score > 0:
        assert wants["score"] < score <= wants["capacity"]
    assert levers.best[0] >= 0 or max(extra, lower, later, score) < 0


def test_the_horizon_lowers_scores_from_where_the_profile_says() -> None:
    profile = Path(__file__).parents[2] / "dbt/models/marts/client_profile.sql"
    stated = re.search(r"longest_horizon_years = (\d+)", profile.read_text("utf-8"))
    assert stated is not None
    assert float(stated[1]) == HORIZON_YEARS


def test_nobody_is_advised_more_risk_than_finances_and_glide_path_allow() -> None:
    def higher(capacity: int) -> int:
        shard = goal(3_000_000, 15_420_000, 360, 20_000, score=10, capacity=capacity)
        return int(projected(shard, invested=0.1).levers.higher_risk_score[0])

    assert higher(capacity=10) == higher(capacity=12) == -1
    assert 10 < higher(capacity=60) <= 60
    fund = goal(months=240, score=10, capacity=90, kind=GoalKind.EMERGENCY_FUND)
    assert projected(fund).levers.higher_risk_score[0] == -1


def test_a_passed_date_is_told_as_it_is() -> None:
    found = projected(goal(months=-1, wealth_cents=5_000_000, target_cents=5_000_000))
    assert found.success_probability[0] == 1.0
    assert found.median_cents[0] == 5_000_000
    assert found.levers.best[0] == -1
    assert "date has passed" in found.sentence[0].as_py()
    short = projected(goal(months=-1, wealth_cents=4_999_999, target_cents=5_000_000))
    assert short.success_probability[0] == 0.0


def test_sentences_say_the_chance_the_range_the_best_lever_and_that_they_are_estimates() -> None:
    found = projected(goal())
    text = found.sentence[0].as_py()
    assert "Your chance of having $200,000 by 28 December 2042 is about" in text
    assert "That counts on the $72,000 that you plan to pay in until then." in text
    assert "before taxes and inflation: it takes cash to earn 2% a year" in text
    assert f"Saving {dollars(found.levers.extra_monthly_cents)[0]} more each month" in text
    assert "would raise the chance to 80%" in text
    assert "estimate" in text
    assert list(GoalLever)[found.levers.best[0]] is GoalLever.SAVE_MORE
    likely = projected(goal(target_cents=5_100_000)).sentence[0].as_py()
    assert "would raise" not in likely


def test_a_worth_that_is_all_but_certain_is_one_number() -> None:
    text = projected(goal(score=1, monthly_cents=0), invested=0.0).sentence[0].as_py()
    assert "The accounts would then be worth about $74,300." in text
    assert "plan to" not in text


def test_plans_that_use_the_money_up_say_so() -> None:
    text = projected(goal(monthly_cents=-100_000)).sentence[0].as_py()
    assert "What is planned to be taken out would use the accounts up before then." in text
    assert "That counts the $240,000 that you plan to take out until then." in text


def test_a_retiree_keeps_what_the_glide_path_allows() -> None:
    """Fifteen years of horizon would take a goal to cash at its date; retirement goes on."""

    def upper(kind: GoalKind) -> int:
        return int(projected(goal(months=24, score=50, kind=kind, monthly_cents=0)).upper_cents[0])

    assert upper(GoalKind.RETIREMENT) > 1.05 * upper(GoalKind.WEALTH)


def test_dollars_have_commas_and_no_cents() -> None:
    cents = np.array([0, 49, 99_999, 100_000_050, 123_456_789_012_345])
    assert dollars(cents).to_pylist() == ["$0", "$0", "$1,000", "$1,000,000", "$1,234,567,890,123"]


def test_goals_are_projected_alike_in_any_company() -> None:
    shard = goals_shard(30, 8)
    market, outlook = mixed_market(), mixed_outlook()
    nanos = shard.accounts.last_nanos
    together = project(
        shard, make_bounds(shard, market, outlook, POLICY), nanos, market, outlook, POLICY
    )
    rows = shard.accounts.goal < 7
    accounts = shard.accounts
    kept = {
        name: getattr(accounts, name).filter(rows.tolist())
        if hasattr(getattr(accounts, name), "filter")
        else getattr(accounts, name)[rows]
        for name in accounts.__dataclass_fields__
    }
    goals = {name: getattr(shard.goals, name)[:7] for name in shard.goals.__dataclass_fields__}
    part = dataclasses.replace(
        shard,
        goals=dataclasses.replace(shard.goals, **goals),
        accounts=dataclasses.replace(accounts, **kept),
    )
    alone = project(
        part, make_bounds(part, market, outlook, POLICY), nanos[rows], market, outlook, POLICY
    )
    for name in ("success_probability", "lower_cents", "upper_cents"):
        assert getattr(alone, name).tobytes() == getattr(together, name)[:7].tobytes()
    assert alone.sentence.equals(together.sentence[:7])


def test_goals_that_cannot_be_valued_have_no_projection() -> None:
    shard = goal()
    unpriced = dataclasses.replace(shard.accounts, issue=np.array([2], np.int8))
    found = projected(dataclasses.replace(shard, accounts=unpriced))
    assert not found.is_projected[0]
    assert found.sentence[0].as_py() == ""
