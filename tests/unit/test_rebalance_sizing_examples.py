"""Sizing by hand: accounts small enough to count along."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trade_shards import bounds_of, market_of, shard_of

from models.vocabulary import NoTrade
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.arithmetic import divided_product
from pipelines.rebalance.trades.location import locate
from pipelines.rebalance.trades.orders import fee_cents, is_tradable, notional_cents
from pipelines.rebalance.trades.sized import Sized
from pipelines.rebalance.trades.sizing import TRADED, size
from pipelines.rebalance.trades.weights import NANOS

SHARE = 1_000_000
CODES = list(NoTrade)
FREE_OF_CHARGE = replace(POLICY, cost_bps=0)


def sized(
    held: list[int],
    weights: list[float],
    *,
    cash: int,
    prices: tuple[int, ...] = (100_000_000, 50_000_000),
    is_whole: bool = True,
    buffer: int = 0,
    frozen: int = 0,
    is_flow_only: bool = False,
    **limits: Any,
) -> Sized:
    """Size one account of two symbols of a class, at 100 and 50 dollars, free of charge."""
    market = market_of(prices)
    shard = shard_of(
        market, held, cash, is_whole=is_whole, buffer_cents=buffer, frozen_cents=frozen
    )
    nanos = np.array([[round(weight * NANOS) for weight in weights]])
    return size(
        shard,
        np.column_stack([nanos, NANOS - nanos.sum()]),
        bounds_of(market, 1, **limits),
        market,
        FREE_OF_CHARGE,
        idle_because=np.array([TRADED]),
        is_flow_only=np.array([is_flow_only]),
    )


def shares(made: Sized) -> list[float]:
    return (made.traded_micros[0] / SHARE).tolist()


def why(made: Sized) -> list[NoTrade | None]:
    return [CODES[code] if code >= 0 else None for code in made.no_trade[0].tolist()]


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**62), st.integers(0, 2**62), st.integers(1, 2**61))
@example(2**56, 2**56 - 1, 2**51)
def test_products_beyond_64_bits_are_divided_exactly(a: int, b: int, c: int) -> None:
    if a * b < 2**112 and a * b // c < 2**62:
        assert divided_product(a, b, c) == divmod(a * b, c)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**16), st.integers(1, 10**10))
@example(5_000_000, 1_000)  # half a cent goes to 0
@example(15_000_000, 1_000)  # one and a half to 2
def test_notional_is_rounded_half_to_even(quantity: int, price: int) -> None:
    cents, rest = divmod(quantity * price, 10**10)
    cents += 2 * rest > 10**10 or (2 * rest == 10**10 and cents % 2 == 1)
    assert notional_cents(np.array([quantity]), np.array([price])).tolist() == [cents]


def test_a_fee_is_rounded_half_to_even() -> None:
    assert fee_cents(np.array([1_000, 3_000, 10_000]), POLICY).tolist() == [0, 2, 5]


# 260 and 340 of 1,000 dollars: 2.6 and 6.8 shares.
WEIGHTS = [0.26, 0.34]


def test_leftover_cash_buys_another_share_of_what_is_furthest_below_its_target() -> None:
    # 2 at 100 and 6 at 50 leave 100 dollars; a share of the first lacks 60 dollars' worth, one of
    # the second 40 dollars' worth.
    assert shares(sized([0, 0], WEIGHTS, cash=100_000)) == [3, 6]


def test_leftover_cash_stops_at_the_reserve() -> None:
    assert shares(sized([0, 0], WEIGHTS, cash=100_000, buffer=40_100)) == [2, 7]


def test_leftover_cash_lifts_no_class_above_its_limit() -> None:
    # One class may hold 560: 500 leave room for a share at 50, not for one at 100.
    assert shares(sized([0, 0], WEIGHTS, cash=100_000, class_upper=0.56)) == [2, 7]


def test_leftover_cash_lifts_not_what_is_risky_above_its_limit() -> None:
    assert shares(sized([0, 0], WEIGHTS, cash=100_000, risky_upper=0.56)) == [2, 7]


def test_what_whole_shares_leave_unsold_takes_room_from_buys_of_its_class() -> None:
    # 0.4 of two shares at 100 should go and cannot.
    state = {"held": [2 * SHARE, 0], "weights": [16 / 45, 19 / 45], "cash": 25_000}
    assert shares(sized(**state)) == [0, 3]
    assert shares(sized(**state, class_upper=32 / 45)) == [0, 2]


def test_a_whole_position_is_sold_even_below_the_minimum() -> None:
    made = sized([50_000, 0], [0, 0], cash=0, is_whole=False)
    assert made.traded_micros.tolist() == [[-50_000, 0]]
    assert made.notional_cents.tolist() == [[500, 0]]


def test_a_small_part_of_a_position_is_not_sold() -> None:
    made = sized([50_000, 0], [0.2, 0], cash=0, is_whole=False)
    assert not made.traded_micros.any()
    assert why(made) == [NoTrade.BELOW_MINIMUM, None]


def test_a_whole_share_account_keeps_the_odd_fraction_that_it_holds() -> None:
    made = sized([2_500_000, 500_000], [0, 0], cash=0)
    assert shares(made) == [-2, 0]
    assert why(made) == [None, NoTrade.LESS_THAN_A_LOT]


def test_a_sale_to_just_below_the_target_is_enough_though_cents_round_above_the_bound() -> None:
    # 70 shares at 0.094929 are worth 664.503 cents, which round to more than a third of 1,994.
    third = 0.333333333
    made = sized([210 * SHARE, 0], [third, 0], cash=0, prices=(94_929, 10_000), upper=[third, 0])
    assert shares(made) == [-140, 0]


def test_a_sale_does_not_leave_a_symbol_above_its_bound() -> None:
    # Half a share of 100 is wanted and 60 may be held; one share would be nearer than none.
    assert shares(sized([3 * SHARE, 0], [0.17, 0], cash=0, upper=0.2)) == [-3, 0]
    assert shares(sized([3 * SHARE, 0], [0.17, 0], cash=0)) == [-2, 0]


def test_the_last_share_of_what_is_wanted_stays_as_far_as_its_bound_allows() -> None:
    assert shares(sized([3 * SHARE, 0], [0.1, 0], cash=0)) == [-2, 0]
    assert shares(sized([3 * SHARE, 0], [0.1, 0], cash=0, upper=0.2)) == [-3, 0]


@pytest.mark.parametrize(("weight", "sold"), [(0.71, 0), (0.61, -1), (0.49, -2)])
def test_less_than_a_share_too_much_is_left_alone(weight: float, sold: int) -> None:
    made = sized([3 * SHARE, 0], [weight, 0], cash=0)
    assert shares(made) == [sold, 0]
    assert why(made)[0] is (None if sold else NoTrade.LESS_THAN_A_LOT)


def test_a_deposit_buys_what_is_furthest_below_and_sells_nothing() -> None:
    # Of 1,000 dollars, 600 and 300 are wanted; 700 and 100 are held, and 200 came in.
    state = {"held": [7 * SHARE, 2 * SHARE], "weights": [0.6, 0.3], "cash": 20_000}
    assert shares(sized(**state)) == [-1, 4]
    made = sized(**state, is_flow_only=True)
    assert shares(made) == [0, 2]
    assert why(made) == [NoTrade.WITHIN_BAND, None]


def test_a_withdrawal_sells_what_is_furthest_above_and_buys_nothing() -> None:
    # Of 1,000 dollars, 500 and 300 are wanted and 200 in cash, of which 100 are missing.
    state = {"held": [7 * SHARE, 4 * SHARE], "weights": [0.5, 0.3], "cash": 10_000}
    assert shares(sized(**state)) == [-2, 2]
    assert shares(sized(**state, is_flow_only=True)) == [-1, 0]


def test_sells_are_enlarged_to_reach_the_buffer_from_what_is_furthest_above() -> None:
    state = {"held": [5 * SHARE, 10 * SHARE], "weights": [0.5, 0.5], "cash": 0}
    assert shares(sized(**state)) == [0, 0]
    assert shares(sized(**state, buffer=12_000)) == [-2, 0]


def test_what_is_frozen_counts_as_kept_cash() -> None:
    # 500 of 1,000 dollars are frozen and 500 in cash; half may be invested, and no cent is kept.
    assert shares(sized([0, 0], [0.5, 0], cash=50_000, frozen=50_000)) == [5, 0]


def test_a_purchase_that_is_too_small_or_not_paid_for_says_so() -> None:
    made = sized([0, 0], [0.5, 0.01], cash=50_000, is_whole=False)
    assert why(made) == [None, NoTrade.BELOW_MINIMUM]
    # 300 dollars in odd fractions cannot be sold, so nothing pays for the second symbol.
    made = sized([900_000, 0], [0, 0.5], cash=0)
    assert why(made) == [NoTrade.LESS_THAN_A_LOT, NoTrade.LESS_THAN_A_LOT]
    made = sized([990_000, 0], [0, 0.9], cash=0)
    assert why(made) == [NoTrade.LESS_THAN_A_LOT, NoTrade.CASH_SHORT]


@pytest.mark.parametrize(
    ("held", "cash", "price"),
    [
        (2**61, 0, 1),  # more shares than can be counted
        (10**12, 10**15, 100_000_000),  # worth more than a thousand billion dollars
        (10**6, 10**9, 10**16),  # a share at ten billion dollars
        (0, 10**12, 1),  # wanted: more shares than can be counted
        (0, 0, 100_000_000),  # nothing at all
    ],
)
def test_accounts_beyond_exact_arithmetic_are_not_traded(held: int, cash: int, price: int) -> None:
    market = market_of([price])
    ordinary = shard_of(market, [0], 1)
    shard = replace(
        ordinary,
        accounts=replace(
            ordinary.accounts,
            held_micros=np.array([[held]]),
            cash_micros=np.array([min(cash * 10_000, 2**62)]),
            wealth_cents=np.array([cash]),
        ),
    )
    assert not is_tradable(shard.accounts, np.array([price])).any()
    goal_nanos = np.array([[NANOS // 2, NANOS // 2]])
    assert (locate(shard, goal_nanos, market) == -1).all()
    made = size(
        shard,
        goal_nanos,
        bounds_of(market, 1),
        market,
        POLICY,
        idle_because=np.array([TRADED]),
        is_flow_only=np.array([False]),
    )
    assert not made.traded_micros.any()


def test_a_very_rich_account_is_traded_to_the_cent() -> None:
    made = sized([0, 0], [0.5, 0.4], cash=10**14, prices=(4_200_000_000, 123_456), is_whole=False)
    micros = made.traded_micros[0].astype(object) * np.array([4_200_000_000, 123_456])
    assert made.notional_cents[0].tolist() == ((2 * micros + 10**10) // (2 * 10**10)).tolist()
    assert made.cash_after_cents[0] >= 10**13
