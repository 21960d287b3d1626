"""Why accounts are acted on, and where those that drifted are led."""

import dataclasses

import numpy as np
import pytest
from goal_examples import changed_goals, goals_shard, mixed_market, mixed_outlook
from hypothesis import given, settings
from hypothesis import strategies as st
from shard_examples import changed_accounts

from models.vocabulary import Trigger
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.limits.destination import destination_nanos
from pipelines.rebalance.limits.drift import account_grains, account_weights, outside_band
from pipelines.rebalance.limits.make_bounds import make_bounds
from pipelines.rebalance.limits.triggers import trigger_of
from pipelines.rebalance.policy import POLICY, Destination

NANOS = 1_000_000_000
SEEDS = st.integers(0, 2**32 - 1)
TRIGGERS = tuple(Trigger)


def bounds_of(shard: Shard) -> Bounds:
    return make_bounds(shard, mixed_market(), mixed_outlook(), POLICY)


def triggers(shard: Shard, bounds: Bounds | None = None) -> list[Trigger]:
    found = trigger_of(shard, bounds or bounds_of(shard), mixed_market(), POLICY)
    return [TRIGGERS[number] for number in found]


def on_target(seed: int = 4) -> Shard:
    """Clients whose last targets are what they hold, made under today's limits."""
    shard = goals_shard(8, seed)
    count, width = shard.accounts.value_cents.shape
    none = np.zeros(count, np.int64)
    shard = changed_goals(
        shard,
        max_risky_weight=np.full(len(shard.goals.kind), 0.3),
        excluded=np.zeros_like(shard.goals.excluded),
        symbol_cap=np.ones(len(shard.goals.kind)),
        min_cash_cents=np.zeros(len(shard.goals.kind), np.int64),
        risk_score=np.full(len(shard.goals.kind), 30),
        max_loss=np.full(len(shard.goals.kind), 0.5),
        horizon_days=np.full(len(shard.goals.kind), 9_000),
        kind=np.zeros(len(shard.goals.kind), np.int8),
    )
    each = shard.accounts.wealth_cents // 20
    shard = changed_accounts(
        shard,
        value_cents=np.tile(each[:, None], (1, width)),
        held_micros=np.ones((count, width), np.int64),
        cash_micros=(shard.accounts.wealth_cents - width * each) * 10_000,
        frozen_cents=none,
        cash_buffer_cents=none,
        new_cash_cents=none,
        sessions_since_trade=none + 30,
        is_whole=np.zeros(count, np.bool_),
        issue=none.astype(np.int8),
    )
    # A class of three symbols at a twentieth each keeps to every limit but that on risk.
    nanos = np.floor(account_weights(shard.accounts) * NANOS).astype(np.int64)
    nanos[:, -1] = NANOS - nanos[:, :-1].sum(axis=1)
    shard = changed_accounts(shard, last_nanos=nanos)
    bounds = bounds_of(shard)
    return changed_accounts(
        shard,
        last_risk_score=bounds.risk_score[shard.accounts.goal],
        last_upper=bounds.upper[shard.accounts.goal],
    )


def one_changed(shard: Shard, name: str, add: object) -> Shard:
    values = getattr(shard.accounts, name).copy()
    values[0] += add
    return changed_accounts(shard, **{name: values})


def test_accounts_on_their_last_target_have_no_trigger() -> None:
    assert set(triggers(on_target())) == {Trigger.NONE}


def test_accounts_without_a_target_have_their_first_advice() -> None:
    shard = on_target()
    never = changed_accounts(shard, last_nanos=np.full_like(shard.accounts.last_nanos, -1))
    assert set(triggers(never)) == {Trigger.FIRST_ADVICE}


@pytest.mark.parametrize(("name", "add"), [("last_risk_score", 1), ("last_upper", 0.05)])
def test_another_score_or_another_limit_is_a_change_of_profile(name: str, add: float) -> None:
    found = triggers(one_changed(on_target(), name, add))
    assert found[0] is Trigger.PROFILE_CHANGE
    assert set(found[1:]) == {Trigger.NONE}


def test_limits_that_a_former_release_did_not_keep_change_nothing() -> None:
    shard = on_target()
    assert set(
        triggers(changed_accounts(shard, last_upper=shard.accounts.last_upper * np.nan))
    ) == {Trigger.NONE}


def test_a_last_target_that_breaks_todays_limits_is_a_change_of_constraints() -> None:
    shard = on_target()
    bounds = bounds_of(shard)
    for name, value in (
        ("risky_upper", 0.1),
        ("invested_upper", 0.3),
        ("invested_lower", 0.4),
        ("class_upper", 0.08),
    ):
        tight = dataclasses.replace(bounds, **{name: np.full_like(getattr(bounds, name), value)})
        assert set(triggers(shard, tight)) == {Trigger.CONSTRAINT_CHANGE}, name
        within = POLICY.narrowest_band * 0.9
        now = np.full_like(getattr(bounds, name), 0.35 if "invested" in name else 0.2)
        loose = now + (within if name == "invested_lower" else -within)
        if name != "class_upper":
            near = dataclasses.replace(bounds, **{name: loose})
            assert set(triggers(shard, near)) == {Trigger.NONE}, name


def test_the_limit_of_what_may_only_be_sold_follows_what_is_held_and_triggers_nothing() -> None:
    shard, bounds = on_target(), bounds_of(on_target())
    upper = bounds.upper.copy()
    upper[:, 2] = 0.01
    less = dataclasses.replace(bounds, upper=upper)
    found = trigger_of(shard, less, mixed_market(sold_only=2), POLICY)
    assert {TRIGGERS[number] for number in found} == {Trigger.NONE}
    assert set(triggers(shard, less)) == {Trigger.PROFILE_CHANGE}


def test_a_goal_is_held_to_its_limits_only_when_all_its_accounts_have_a_target() -> None:
    shard = on_target()
    accounts_of = np.bincount(shard.accounts.goal)
    goal = int(np.flatnonzero(accounts_of > 1)[0])
    new, *others = np.flatnonzero(shard.accounts.goal == goal)
    last = shard.accounts.last_nanos.copy()
    last[new] = -1
    bounds = bounds_of(shard)
    tight = dataclasses.replace(bounds, risky_upper=np.full_like(bounds.risky_upper, 0.01))
    found = triggers(changed_accounts(shard, last_nanos=last), tight)
    assert found[new] is Trigger.FIRST_ADVICE
    assert {found[other] for other in others} == {Trigger.NONE}


def test_new_cash_counts_from_its_share_of_worth_and_until_it_is_invested() -> None:
    shard = on_target()
    wealth = int(shard.accounts.wealth_cents[0])
    more = wealth // 10
    paid_in = one_changed(one_changed(shard, "cash_micros", more * 10_000), "new_cash_cents", more)
    assert triggers(paid_in)[0] is Trigger.CASH_FLOW
    invested = one_changed(shard, "new_cash_cents", more)
    assert triggers(invested)[0] is Trigger.NONE
    little = one_changed(one_changed(shard, "cash_micros", 9_000_000), "new_cash_cents", 900)
    assert triggers(little)[0] is Trigger.NONE


def test_a_withdrawal_and_cash_below_the_buffer_are_cash_flows() -> None:
    shard = on_target()
    less = -int(shard.accounts.wealth_cents[0]) // 10
    out = one_changed(one_changed(shard, "cash_micros", less * 10_000), "new_cash_cents", less)
    assert triggers(out)[0] is Trigger.CASH_FLOW
    cash = int(shard.accounts.cash_micros[0]) // 10_000
    assert triggers(one_changed(shard, "cash_buffer_cents", cash))[0] is Trigger.NONE
    assert triggers(one_changed(shard, "cash_buffer_cents", cash + 1))[0] is Trigger.CASH_FLOW


def drifted() -> Shard:
    shard = on_target()
    value = shard.accounts.value_cents.copy()
    value[0, 0] += int(shard.accounts.wealth_cents[0]) // 10
    return changed_accounts(shard, value_cents=value)


def test_drift_waits_for_the_cooldown_and_nothing_else_does() -> None:
    shard = drifted()
    assert triggers(shard)[0] is Trigger.DRIFT
    lately = changed_accounts(
        shard, sessions_since_trade=np.full(len(shard.accounts.goal), POLICY.cooldown_sessions - 1)
    )
    assert triggers(lately)[0] is Trigger.NONE
    assert triggers(one_changed(lately, "last_risk_score", 1))[0] is Trigger.PROFILE_CHANGE


def test_a_harvest_is_named_last_and_an_issue_silences_everything() -> None:
    shard = drifted()
    count = len(shard.accounts.goal)
    found = trigger_of(shard, bounds_of(shard), mixed_market(), POLICY, np.ones(count, np.bool_))
    assert TRIGGERS[found[0]] is Trigger.DRIFT
    assert {TRIGGERS[number] for number in found[1:]} == {Trigger.HARVEST}
    wrong = changed_accounts(shard, issue=np.full(count, 2, np.int8))
    assert set(triggers(wrong)) == {Trigger.NONE}


def test_triggers_of_an_account_do_not_depend_on_its_company() -> None:
    shard = goals_shard(40, 9)
    whole = triggers(shard)
    goals = int(shard.accounts.goal[25]) + 1
    rows = shard.accounts.goal < goals
    few = {name: getattr(shard.goals, name)[:goals] for name in shard.goals.__dataclass_fields__}
    kept = {
        name: value.filter(rows.tolist()) if hasattr(value, "filter") else value[rows]
        for name, value in vars(shard.accounts).items()
    }
    part = dataclasses.replace(
        shard,
        goals=dataclasses.replace(shard.goals, **few),
        accounts=dataclasses.replace(shard.accounts, **kept),
    )
    assert triggers(part) == [one for one, is_in in zip(whole, rows, strict=True) if is_in]


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_the_bands_edge_is_on_the_way_to_the_target_and_inside_its_band(seed: int) -> None:
    shard, market = goals_shard(3, seed), mixed_market()
    to_edge = dataclasses.replace(POLICY, destination=Destination.BAND_EDGE)
    rng = np.random.default_rng(seed)
    count = len(shard.accounts.goal)
    nanos = np.floor(rng.dirichlet(np.ones(8), count) * NANOS).astype(np.int64)
    nanos[:, -1] = NANOS - nanos[:, :-1].sum(axis=1)
    nanos[rng.random(count) < 0.2] = -1
    drift = np.full(count, TRIGGERS.index(Trigger.DRIFT))
    found = destination_nanos(shard, nanos, drift, market, to_edge)
    current = account_weights(shard.accounts)
    has_target = nanos[:, 0] >= 0
    assert (found[~has_target] == -1).all()
    rows = np.flatnonzero(has_target & (shard.accounts.wealth_cents > 100_000))
    held, edge, target = current[rows], found[rows] / NANOS, nanos[rows] / NANOS
    assert (found[rows].sum(axis=1) == NANOS).all()
    symbols = slice(0, -1)
    low, high = np.minimum(held, target), np.maximum(held, target)
    assert (edge[:, symbols] >= low[:, symbols] - 2e-9).all()
    assert (edge[:, symbols] <= high[:, symbols] + 2e-9).all()
    grains = account_grains(shard.accounts, market, to_edge)[rows] + 1e-8
    assert not outside_band(edge, target, grains, to_edge).any()
    # Whatever is not outside its band stays as it is.
    inside = ~outside_band(held, target, np.zeros_like(grains), to_edge)
    assert np.abs(edge - held)[inside].max(initial=0) <= 1e-8


def test_drift_goes_to_the_target_by_default_and_new_targets_always_do() -> None:
    shard, market = drifted(), mixed_market()
    drift = trigger_of(shard, bounds_of(shard), market, POLICY)
    last = shard.accounts.last_nanos
    assert (destination_nanos(shard, last, drift, market, POLICY) == last).all()
    to_edge = dataclasses.replace(POLICY, destination=Destination.BAND_EDGE)
    assert (destination_nanos(shard, last, drift, market, to_edge)[0] != last[0]).any()
    first = np.zeros_like(drift)
    assert (destination_nanos(shard, last, first, market, to_edge) == last).all()
