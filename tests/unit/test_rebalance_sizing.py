"""Trades in integers: identities to the cent, whatever the accounts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sized_shards import Sizing, any_rules
from trade_shards import Case, any_case

from models.vocabulary import NoTrade
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.location import may_buy
from pipelines.rebalance.trades.orders import notional_cents
from pipelines.rebalance.trades.sizing import TRADED
from pipelines.rebalance.trades.weights import NANOS, floor_nanos

SEEDS = st.integers(0, 2**63 - 1)


def cash_adds_up_to_the_cent(made: Sizing) -> None:
    sized = made.sized
    micros = np.abs(sized.traded_micros).astype(object) * made.prices
    cents, rest = micros // 10**10, micros % 10**10
    up = (2 * rest > 10**10) | ((2 * rest == 10**10) & (cents % 2 == 1))
    assert (sized.notional_cents == cents + up).all()
    fees = sized.notional_cents * POLICY.cost_bps
    assert (np.abs(sized.fee_cents * 10_000 - fees) <= 5_000).all()
    assert (sized.cash_before_cents == made.accounts.cash_micros // 10_000).all()
    sells = np.where(made.is_sold, sized.notional_cents, 0).sum(axis=1)
    buys = np.where(made.is_bought, sized.notional_cents, 0).sum(axis=1)
    after = sized.cash_before_cents + sells - buys - sized.fee_cents.sum(axis=1)
    assert (sized.cash_after_cents == after).all()


def cash_is_never_negative_and_buys_leave_the_reserve(made: Sizing) -> None:
    assert (made.sized.cash_after_cents >= 0).all()
    buys = made.is_bought.any(axis=1)
    assert (made.sized.cash_after_cents >= made.reserve)[buys].all()


def the_buffer_is_kept_unless_nothing_is_left_to_sell(made: Sizing) -> None:
    left = notional_cents(made.after // made.lot * made.lot, made.prices[None, :])
    is_short = made.sized.cash_after_cents < made.accounts.cash_buffer_cents
    is_short &= (made.nanos[:, -1] >= 0) & (made.rules["idle_because"] == TRADED)
    assert (left[is_short] <= 1).all()


def nothing_is_sold_beyond_what_is_held(made: Sizing) -> None:
    assert (made.after >= 0).all()


def every_trade_is_whole_lots_or_a_whole_position(made: Sizing) -> None:
    traded, sized = made.sized.traded_micros, made.sized
    in_lots = traded % made.lot == 0
    everything = made.is_sold & (made.after == 0) & ~made.accounts.is_whole[:, None]
    assert (in_lots | everything).all()
    assert (sized.notional_cents[traded != 0] > 0).all()


def a_trade_misses_what_is_settled_by_one_lot_at_most(made: Sizing) -> None:
    settled = made.sized.settled_micros - made.accounts.held_micros
    missed = np.abs(made.sized.traded_micros - settled)
    assert (missed <= made.lot)[made.sized.traded_micros != 0].all()


def buys_lift_nothing_above_its_limit(made: Sizing) -> None:
    """Each account's limit is its own target and its share, by worth, of what is left to it."""
    case, accounts = made.case, made.accounts
    value = notional_cents(made.after, made.prices[None, :]).astype(object)
    nanos = np.maximum(made.nanos[:, :-1], 0).astype(object)
    target = nanos * accounts.wealth_cents[:, None] // NANOS
    is_risky = np.array([name not in POLICY.safe_classes for name in case.market.classes])
    groups = np.vstack([case.market.membership, is_risky @ case.market.membership]).astype(int)
    whole = np.zeros((len(case.goal_nanos), len(accounts.goal)), dtype=object)
    whole[accounts.goal, np.arange(len(accounts.goal))] = 1
    worth = np.maximum(whole @ accounts.wealth_cents.astype(object), 1)

    def limits(own: Any, upper: Integers) -> Any:
        most = upper.astype(object) * worth[:, None] // NANOS
        together = whole @ own
        most, together = most[accounts.goal], together[accounts.goal]
        share = (most - together) * accounts.wealth_cents[:, None] // worth[accounts.goal][:, None]
        reduced = own * most // np.maximum(together, 1)
        return np.where(together > most, reduced, own + share)

    upper = limits(target, floor_nanos(case.bounds.upper))
    beyond = made.is_bought & (made.after > made.target)
    assert (value <= upper)[beyond].all()
    group_upper = np.column_stack([case.bounds.class_upper, case.bounds.risky_upper])
    most = limits(target @ groups.T, floor_nanos(group_upper))
    is_lifted = made.is_bought.astype(int) @ groups.T > 0
    assert (value @ groups.T <= most)[is_lifted].all()


def what_is_too_small_is_not_traded(made: Sizing) -> None:
    small = made.sized.notional_cents < POLICY.minimum_notional_cents
    assert not (small & made.is_bought).any()
    for_cash = made.lacks_cash()[:, None]
    assert not (small & made.is_sold & (made.after > 0) & ~for_cash).any()


def what_left_its_universe_is_never_bought(made: Sizing) -> None:
    assert not made.is_bought[:, ~may_buy(made.case.market)].any()


def whatever_is_off_its_target_is_traded_or_says_why(made: Sizing) -> None:
    is_off = made.target != made.accounts.held_micros
    is_idle = is_off & (made.sized.traded_micros == 0)
    has_target = made.nanos[:, -1:] >= 0
    assert ((made.sized.no_trade >= 0) == (is_idle & has_target)).all()
    assert (made.sized.no_trade < len(NoTrade)).all()


IDENTITIES: tuple[Callable[[Sizing], None], ...] = (
    cash_adds_up_to_the_cent,
    cash_is_never_negative_and_buys_leave_the_reserve,
    the_buffer_is_kept_unless_nothing_is_left_to_sell,
    nothing_is_sold_beyond_what_is_held,
    every_trade_is_whole_lots_or_a_whole_position,
    a_trade_misses_what_is_settled_by_one_lot_at_most,
    buys_lift_nothing_above_its_limit,
    what_is_too_small_is_not_traded,
    what_left_its_universe_is_never_bought,
    whatever_is_off_its_target_is_traded_or_says_why,
)


def check(case: Case, seed: int) -> None:
    for made in (Sizing(case), Sizing(case, **any_rules(case, seed))):
        for identity in IDENTITIES:
            identity(made)


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS, accounts_of_a_goal=st.integers(1, 3))
def test_every_identity_holds_for_any_accounts(seed: int, accounts_of_a_goal: int) -> None:
    check(any_case(seed, 12, accounts_of_a_goal), seed)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(seed=SEEDS, accounts_of_a_goal=st.integers(1, 4))
def test_every_identity_holds_for_very_many_accounts(seed: int, accounts_of_a_goal: int) -> None:
    check(any_case(seed, 24, accounts_of_a_goal), seed)


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_what_may_not_be_bought_is_not_bought_and_changes_no_sale(seed: int) -> None:
    case = any_case(seed, 12)
    rules = any_rules(case, seed)
    blocked = Sizing(case, **rules)
    free = Sizing(case, **(rules | {"is_buy_blocked": None}))
    assert not (blocked.is_bought & rules["is_buy_blocked"]).any()
    sells = np.minimum(free.sized.traded_micros, 0)
    assert (np.minimum(blocked.sized.traded_micros, 0) == sells).all()


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_an_account_that_is_left_alone_trades_nothing(seed: int) -> None:
    case = any_case(seed, 12)
    idle = np.arange(12) % (len(NoTrade) + 1) - 1
    made = Sizing(case, idle_because=idle)
    is_off = (made.target != made.accounts.held_micros) & (idle >= 0)[:, None]
    is_off &= made.nanos[:, -1:] >= 0
    assert not made.sized.traded_micros[idle >= 0].any()
    assert (
        made.sized.no_trade[is_off] == np.broadcast_to(idle[:, None], is_off.shape)[is_off]
    ).all()
    assert (made.sized.settled_micros[idle >= 0] == made.accounts.held_micros[idle >= 0]).all()


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_a_flow_of_cash_only_moves_weights_towards_a_target_that_stands(seed: int) -> None:
    case = any_case(seed, 12)
    made = Sizing(case, is_flow_only=np.ones(12, np.bool_))
    held = made.accounts.held_micros
    assert (made.target > held)[made.is_bought].all()
    assert (made.after < made.target + made.lot)[made.is_bought].all()
    enough = ~made.lacks_cash()[:, None]
    assert (made.after >= made.target)[made.is_sold & enough].all()
    assert not (made.is_sold.any(axis=1) & made.is_bought.any(axis=1))[enough[:, 0]].any()
