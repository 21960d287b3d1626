"""A goal's one target over its accounts: exact, by tax, and with as little trading as possible."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trade_shards import Case, any_case, market_of, ordinary_case, prices_of, shard_of

from models.vocabulary import AssetClass, TaxKind
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.trades.location import LOCATION_TIERS, locate, may_buy
from pipelines.rebalance.trades.weights import NANOS, NO_TARGET

SEEDS = st.integers(0, 2**63 - 1)
TAXABLE, DEFERRED, FREE = range(3)


def cents_of(case: Case, nanos: Integers) -> Integers:
    wealth = case.shard.accounts.wealth_cents[:, None]
    return np.maximum(nanos[:, :-1], 0).astype(object) * wealth // NANOS


def assert_that_targets_add_up(seed: int, of_a_goal: int) -> None:
    case = ordinary_case(seed, 12, of_a_goal)
    accounts = case.shard.accounts
    nanos = locate(case.shard, case.goal_nanos, case.market)
    assert (nanos.sum(axis=1) == NANOS).all()
    assert (nanos >= 0).all()
    for goal, wanted in enumerate(case.goal_nanos):
        mine = accounts.goal == goal
        wealth = accounts.wealth_cents[mine]
        kept = accounts.cash_buffer_cents[mine] + accounts.frozen_cents[mine]
        room = np.maximum(0, wealth - kept).sum()
        whole = wanted[:-1].astype(object) * int(wealth.sum()) // NANOS
        if room < whole.sum():
            whole = whole * int(room) // whole.sum()
        placed = cents_of(case, nanos)[mine].sum(axis=0)
        # A cent or two for each share of an account in a symbol, and a billionth of its worth.
        slack = 30 * of_a_goal + wealth.sum() // NANOS
        assert (np.abs(placed - whole) <= slack).all()


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_the_targets_of_accounts_add_up_to_that_of_their_goal(seed: int, of_a_goal: int) -> None:
    assert_that_targets_add_up(seed, of_a_goal)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_targets_add_up_ten_thousand_times(seed: int, of_a_goal: int) -> None:
    assert_that_targets_add_up(seed, of_a_goal)


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_each_account_keeps_its_buffer_and_what_is_frozen(seed: int, of_a_goal: int) -> None:
    case = any_case(seed, 12, of_a_goal)
    accounts = case.shard.accounts
    nanos = locate(case.shard, case.goal_nanos, case.market)
    several = (nanos[:, -1] >= 0) & (
        np.bincount(accounts.goal[nanos[:, -1] >= 0], minlength=12)[accounts.goal] > 1
    )
    kept = np.minimum(accounts.wealth_cents, accounts.cash_buffer_cents + accounts.frozen_cents)
    invested = cents_of(case, nanos).sum(axis=1)
    assert (accounts.wealth_cents - invested >= kept)[several].all()


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_the_only_account_of_a_goal_has_the_identical_target(seed: int) -> None:
    case = any_case(seed, 12)
    nanos = locate(case.shard, case.goal_nanos, case.market)
    has_target = nanos[:, -1] != NO_TARGET
    assert (nanos[has_target] == case.goal_nanos[has_target]).all()
    assert (has_target == (case.shard.accounts.wealth_cents > 0)).all()


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_taxable_accounts_sell_nothing_that_the_goal_wants_all_of(
    seed: int, of_a_goal: int
) -> None:
    case = ordinary_case(seed, 12, of_a_goal)
    accounts = case.shard.accounts
    nanos = locate(case.shard, case.goal_nanos, case.market)
    cents = cents_of(case, nanos)
    for goal, wanted in enumerate(case.goal_nanos):
        mine = np.flatnonzero((accounts.goal == goal) & (accounts.tax_kind == TAXABLE))
        worth = int(accounts.wealth_cents[accounts.goal == goal].sum())
        whole = wanted[:-1].astype(object) * worth // NANOS
        value = accounts.value_cents[mine]
        is_wanted = value.sum(axis=0) <= whole
        # What must be sold to raise the account's part of the cash is sold in proportion.
        has_cash = np.minimum(value, np.where(is_wanted, value, whole)).sum(axis=1) <= (
            cents[mine].sum(axis=1)
        )
        sold = value - cents[mine]
        assert (sold[has_cash][:, is_wanted] <= 30).all()


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_accounts_that_hold_their_targets_are_given_them_again(seed: int, of_a_goal: int) -> None:
    case = ordinary_case(seed, 12, of_a_goal)
    accounts = case.shard.accounts
    nanos = locate(case.shard, case.goal_nanos, case.market)
    value = cents_of(case, nanos).astype(np.int64)
    cash = accounts.wealth_cents - value.sum(axis=1)
    there = replace(accounts, value_cents=value, cash_micros=cash * 10_000)
    again = locate(replace(case.shard, accounts=there), case.goal_nanos, case.market)
    off = np.abs(cents_of(case, again) - value)
    assert (off <= 60 * of_a_goal).all()


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_what_may_only_be_sold_is_wanted_only_where_it_is_held(seed: int, of_a_goal: int) -> None:
    case = any_case(seed, 12, of_a_goal)
    accounts = case.shard.accounts
    cents = cents_of(case, locate(case.shard, case.goal_nanos, case.market))
    several = np.bincount(accounts.goal[accounts.wealth_cents > 0], minlength=12) > 1
    leaving = ~may_buy(case.market)
    assert (cents <= accounts.value_cents)[several[accounts.goal]][:, leaving].all()


def located(kinds: list[int], wealth: list[int], weights: list[float], **held: Any) -> Any:
    """Dollars of a bond and a stock in accounts of one goal, from what is held (nothing)."""
    market = market_of([1_000_000, 1_000_000], ["bond", "technology"])
    micros = np.array(held.get("held", [[0, 0]] * len(kinds))) * 1_000_000
    shard = shard_of(
        market,
        micros,
        [
            100 * worth - value
            for worth, value in zip(wealth, micros.sum(axis=1) // 10_000, strict=True)
        ],
        goal=np.zeros(len(kinds)),
        tax_kind=kinds,
    )
    nanos = [round(weight * NANOS) for weight in weights]
    found = locate(shard, np.array([[*nanos, NANOS - sum(nanos)]]), market)
    assert prices_of(market).tolist() == [1_000_000, 1_000_000]
    return (found[:, :-1] * np.array(wealth)[:, None] / NANOS).round(2).tolist()


def test_bonds_fill_the_tax_deferred_account_and_growth_the_tax_free_one() -> None:
    assert located([TAXABLE, DEFERRED, FREE], [500, 300, 200], [0.25, 0.75]) == [
        [0, 500],
        [250, 50],
        [0, 200],
    ]
    assert located([TAXABLE, DEFERRED, FREE], [500, 300, 200], [0.6, 0.4]) == [
        [100, 400],
        [300, 0],
        [200, 0],
    ]


def test_a_taxable_account_sells_no_bond_only_to_move_it() -> None:
    held = [[100, 0], [0, 300]]
    assert located([TAXABLE, DEFERRED], [500, 500], [0.3, 0.7], held=held) == [
        [100, 400],
        [200, 300],
    ]
    sheltered = located([FREE, DEFERRED], [500, 500], [0.3, 0.7], held=held)
    assert sheltered == [[0, 500], [300, 200]]


def test_of_two_accounts_taxed_alike_each_keeps_what_it_holds() -> None:
    held = [[0, 400], [300, 0]]
    assert located([DEFERRED, DEFERRED], [500, 500], [0.4, 0.6], held=held) == [
        [100, 400],
        [300, 200],
    ]


def test_cash_is_spread_by_worth() -> None:
    assert located([TAXABLE, DEFERRED], [800, 200], [0.0, 0.9]) == [[0, 720], [0, 180]]


def test_each_class_and_kind_of_account_has_its_place() -> None:
    classes = [name for names, _ in LOCATION_TIERS for name in names]
    assert sorted(classes) == sorted(AssetClass)
    assert all(sorted(kinds) == sorted(TaxKind) for _, kinds in LOCATION_TIERS)


@pytest.mark.parametrize("change", [{"issue": 1}, {"goal": -1}, {"wealth_cents": 0}])
def test_an_account_that_cannot_be_advised_has_no_target_and_takes_no_part(change: Any) -> None:
    case = ordinary_case(3, 4, 2)
    columns = {name: getattr(case.shard.accounts, name).copy() for name in change}
    for name, value in change.items():
        columns[name][1] = value
    shard = replace(case.shard, accounts=replace(case.shard.accounts, **columns))
    nanos = locate(shard, case.goal_nanos, case.market)
    assert (nanos[1] == NO_TARGET).all()
    assert (nanos[0] == case.goal_nanos[0]).all()
    none = np.where(np.arange(2)[:, None] == 0, NO_TARGET, case.goal_nanos)
    assert (locate(case.shard, none, case.market)[:2] == NO_TARGET).all()
