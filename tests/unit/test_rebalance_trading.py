"""Trades in integers: identities to the cent, whatever the account."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.vocabulary import MICROS, Side
from pipelines.rebalance.limits.drift import drift, outside_band
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.scalar.book import Book
from pipelines.rebalance.trades.scalar.orders import fee_cents, lot_micros, notional_cents
from pipelines.rebalance.trades.scalar.sizing import size_trades
from pipelines.rebalance.trades.scalar.weights import NANOS, Target

WHOLE, FRACTION = lot_micros("whole", POLICY), lot_micros("fractional", POLICY)


@st.composite
def books(draw) -> Book:
    """Any account: prices from cents to thousands, dust, odd fractions, buffers above cash."""
    count = draw(st.integers(1, 6))
    prices = draw(st.lists(st.integers(10_000, 5_000_000_000), min_size=count, max_size=count))
    lot = draw(st.sampled_from([WHOLE, FRACTION]))
    held = draw(
        st.lists(st.integers(0, 500) | st.just(0), min_size=count, max_size=count).map(
            lambda lots: [number * lot for number in lots]
        )
    )
    if draw(st.booleans()):
        held[0] += draw(st.integers(0, MICROS))
    cash = draw(st.integers(0, 5_000_000))
    values = [notional_cents(quantity, price) for quantity, price in zip(held, prices, strict=True)]
    wealth = cash + sum(values)
    if wealth == 0:
        cash = wealth = 1
    shares = np.array(draw(st.lists(st.integers(0, 10), min_size=count + 1, max_size=count + 1)))
    if shares.sum() == 0:
        shares[-1] = 1
    nanos = [int(share) * NANOS // int(shares.sum()) for share in shares[:-1]]
    target = Target(tuple(nanos), NANOS - sum(nanos))
    class_of = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    in_class = [sum(n for n, of in zip(nanos, class_of, strict=True) if of == c) for c in (0, 1)]
    buffer = min(draw(st.integers(0, 100_000)), target.cash_cents(wealth))
    return Book(
        held=held,
        target=target.quantities(wealth, prices),
        price_micros=prices,
        upper_nanos=[draw(st.sampled_from([n, min(NANOS, 2 * n)])) for n in nanos],
        class_of=class_of,
        class_upper_nanos=[draw(st.sampled_from([n, min(NANOS, 2 * n)])) for n in in_class],
        wealth_cents=wealth,
        cash_cents=cash,
        buffer_cents=buffer,
        reserve_cents=max(buffer, target.cash_cents(wealth)),
        lot_micros=lot,
    )


@given(st.integers(1, 10**13), st.integers(1, 10**10))
@example(5_000_000, 1_000)  # half a cent goes to 0
@example(15_000_000, 1_000)  # one and a half to 2
def test_notional_is_rounded_half_to_even(quantity: int, price: int) -> None:
    assert notional_cents(quantity, price) == round(Fraction(quantity * price, 10**10))


@settings(max_examples=200, deadline=None)
@given(books())
def test_cash_adds_up_to_the_cent(book: Book) -> None:
    orders = size_trades(book, POLICY)
    cash = book.cash_cents
    for order in orders.orders:
        assert order.notional_cents == notional_cents(order.quantity_micros, order.price_micros)
        assert order.fee_cents == fee_cents(order.notional_cents, POLICY)
        cash += order.notional_cents if order.side is Side.SELL else -order.notional_cents
        cash -= order.fee_cents
    assert orders.cash_before_cents == book.cash_cents
    assert orders.cash_after_cents == cash


@settings(max_examples=200, deadline=None)
@given(books())
def test_cash_is_never_negative_and_buys_leave_the_reserve(book: Book) -> None:
    orders = size_trades(book, POLICY)
    cash = book.cash_cents
    for order in orders.orders:
        cash += order.notional_cents if order.side is Side.SELL else -order.notional_cents
        cash -= order.fee_cents
        assert cash >= 0
    if orders.buys_cents:
        assert orders.cash_after_cents >= book.reserve_cents


@settings(max_examples=200, deadline=None)
@given(books())
def test_the_buffer_is_kept_unless_nothing_is_left_to_sell(book: Book) -> None:
    orders = size_trades(book, POLICY)
    left = list(book.held)
    for order in orders.orders:
        left[order.position] += (
            order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
        )
    sellable = any(quantity >= book.lot_micros for quantity in left)
    assert orders.cash_after_cents >= book.buffer_cents or not sellable


@settings(max_examples=200, deadline=None)
@given(books())
def test_sells_come_first_and_never_exceed_what_is_held(book: Book) -> None:
    orders = size_trades(book, POLICY).orders
    sides = [order.side for order in orders]
    assert sides == sorted(sides, key=lambda side: side is Side.BUY)
    for order in orders:
        if order.side is Side.SELL:
            assert order.quantity_micros <= book.held[order.position]
    assert len({order.position for order in orders}) == len(orders)


@settings(max_examples=200, deadline=None)
@given(books())
def test_every_trade_is_whole_lots_or_a_whole_position(book: Book) -> None:
    for order in size_trades(book, POLICY).orders:
        everything = order.side is Side.SELL and order.quantity_micros == book.held[order.position]
        in_lots = order.quantity_micros % book.lot_micros == 0
        assert in_lots or (everything and book.lot_micros == FRACTION)
        assert order.quantity_micros > 0
        assert order.notional_cents > 0


@settings(max_examples=200, deadline=None)
@given(books())
def test_a_trade_misses_what_cash_allows_by_one_lot_at_most(book: Book) -> None:
    orders = size_trades(book, POLICY)
    for order in orders.orders:
        signed = order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
        settled = orders.settled[order.position] - book.held[order.position]
        assert abs(signed - settled) <= book.lot_micros


@settings(max_examples=200, deadline=None)
@given(books())
def test_buying_one_more_lot_breaks_no_upper_bound(book: Book) -> None:
    for order in size_trades(book, POLICY).orders:
        quantity = book.held[order.position] + order.quantity_micros
        if order.side is Side.BUY and quantity > book.target[order.position]:
            value = notional_cents(quantity, book.price_micros[order.position])
            assert value * NANOS <= book.upper_nanos[order.position] * book.wealth_cents


@settings(max_examples=200, deadline=None)
@given(books())
@example(
    Book(
        held=[0, 0, 221000, 0, 215000],
        target=[0, 0, 0, 606769223, 127994183],
        price_micros=[10000, 10000, 356809955, 10000, 94812],
        upper_nanos=[0, 0, 0, 76923076, 153846153],
        class_of=[0, 0, 0, 0, 1],
        class_upper_nanos=[76923076, 153846153],
        wealth_cents=7888,
        cash_cents=0,
        buffer_cents=0,
        reserve_cents=6068,
        lot_micros=1000,
    )
)
def test_buys_lift_no_class_above_its_limit(book: Book) -> None:
    orders = size_trades(book, POLICY).orders
    left = list(book.held)
    for order in orders:
        left[order.position] += (
            order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
        )
    for order in orders:
        if order.side is Side.BUY:
            number = book.class_of[order.position]
            value = sum(
                notional_cents(quantity, price)
                for quantity, price, of in zip(left, book.price_micros, book.class_of, strict=True)
                if of == number
            )
            assert value * NANOS <= book.class_upper_nanos[number] * book.wealth_cents


@settings(max_examples=200, deadline=None)
@given(books())
def test_buys_below_the_minimum_are_not_made(book: Book) -> None:
    for order in size_trades(book, POLICY).orders:
        if order.side is Side.BUY:
            assert order.notional_cents >= POLICY.minimum_notional_cents


@settings(max_examples=200, deadline=None)
@given(books())
def test_once_trades_are_filled_the_same_target_asks_for_a_lot_at_most(
    book: Book,
) -> None:
    first = size_trades(book, POLICY)
    held = list(book.held)
    for order in first.orders:
        held[order.position] += (
            order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
        )
    filled = Book(
        held=held,
        target=list(first.settled),
        price_micros=book.price_micros,
        upper_nanos=book.upper_nanos,
        class_of=book.class_of,
        class_upper_nanos=book.class_upper_nanos,
        wealth_cents=book.wealth_cents,
        cash_cents=first.cash_after_cents,
        buffer_cents=book.buffer_cents,
        reserve_cents=book.reserve_cents,
        lot_micros=book.lot_micros,
    )
    again = size_trades(filled, POLICY)
    for order in again.orders:
        gap = abs(held[order.position] - first.settled[order.position])
        assert order.quantity_micros <= gap + book.lot_micros


def whole_share_book(**changes) -> Book:
    values = {
        "held": [0, 0],
        "target": [2_600_000, 3_400_000],
        "price_micros": [100_000_000, 50_000_000],
        "upper_nanos": [NANOS, NANOS],
        "class_of": [0, 0],
        "class_upper_nanos": [NANOS],
        "wealth_cents": 60_000,
        "cash_cents": 60_000,
        "buffer_cents": 0,
        "reserve_cents": 0,
        "lot_micros": WHOLE,
    }
    return Book(**(values | changes))


def test_leftover_cash_buys_another_share_of_what_is_furthest_below_its_target() -> None:
    orders = size_trades(whole_share_book(), POLICY).orders
    bought = {order.position: order.quantity_micros for order in orders}
    # 2 at 100 and 3 at 50 leave 250 dollars; a share of the first is missing 60 dollars' worth,
    # one of the second 20 dollars' worth.
    assert bought == {0: 3_000_000, 1: 4_000_000}


def test_leftover_cash_stops_at_the_reserve() -> None:
    orders = size_trades(whole_share_book(reserve_cents=22_000), POLICY).orders
    assert {order.position: order.quantity_micros for order in orders} == {
        0: 2_000_000,
        1: 3_000_000,
    }


def test_leftover_cash_lifts_no_class_above_its_limit() -> None:
    # One class may hold 402: 2 at 100 and 3 at 50 leave room for one share at 50, not for one at
    # 100, though that one is further below its target.
    bounded = whole_share_book(class_upper_nanos=[NANOS * 67 // 100])
    orders = size_trades(bounded, POLICY).orders
    assert {order.position: order.quantity_micros for order in orders} == {
        0: 2_000_000,
        1: 4_000_000,
    }
    apart = whole_share_book(class_of=[0, 1], class_upper_nanos=[NANOS, NANOS // 3])
    assert size_trades(apart, POLICY).orders[0].quantity_micros == 3_000_000


def test_what_whole_shares_leave_unsold_takes_room_from_buys_of_its_class() -> None:
    # 0.4 of two shares at 100 should go and cannot; what stays is all that the class may hold.
    full = whole_share_book(
        held=[2_000_000, 0],
        target=[1_600_000, 800_000],
        price_micros=[100_000_000, 50_000_000],
        cash_cents=20_000,
        wealth_cents=40_000,
        class_upper_nanos=[NANOS // 2],
    )
    assert size_trades(full, POLICY).orders == ()
    roomy = whole_share_book(
        held=[2_000_000, 0],
        target=[1_600_000, 800_000],
        price_micros=[100_000_000, 50_000_000],
        cash_cents=20_000,
        wealth_cents=40_000,
    )
    assert [order.quantity_micros for order in size_trades(roomy, POLICY).orders] == [1_000_000]


def test_a_whole_position_is_sold_even_below_the_minimum() -> None:
    book = whole_share_book(
        held=[50_000, 0], target=[0, 0], lot_micros=FRACTION, cash_cents=0, wealth_cents=500
    )
    (order,) = size_trades(book, POLICY).orders
    assert (order.side, order.quantity_micros, order.notional_cents) == (Side.SELL, 50_000, 500)


def test_a_small_part_of_a_position_is_not_sold() -> None:
    book = whole_share_book(held=[50_000, 0], target=[10_000, 0], lot_micros=FRACTION, cash_cents=0)
    assert size_trades(book, POLICY).orders == ()


def test_a_whole_share_account_keeps_the_odd_fraction_that_it_holds() -> None:
    book = whole_share_book(held=[2_500_000, 0], target=[0, 0])
    (order,) = size_trades(book, POLICY).orders
    assert order.quantity_micros == 2_000_000


def test_a_sale_to_just_below_the_target_is_enough_though_cents_round_above_the_bound() -> None:
    # 70 shares at 0.094929 are worth 664.503 cents, which round to more than a third of 1,994.
    book = whole_share_book(
        held=[210_000_000, 0],
        target=[70_017_240, 0],
        price_micros=[94_929, 10_000],
        upper_nanos=[333_333_333, 0],
        cash_cents=0,
        wealth_cents=1_994,
    )
    (order,) = size_trades(book, POLICY).orders
    assert order.quantity_micros == 140_000_000


def test_a_sale_does_not_leave_a_symbol_above_its_bound() -> None:
    # Half a share of 100 is wanted and 60 may be held; one share would be nearer than none.
    bounded = whole_share_book(
        held=[3_000_000, 0], target=[510_000, 0], upper_nanos=[NANOS // 5, 0], wealth_cents=30_000
    )
    (order,) = size_trades(bounded, POLICY).orders
    assert order.quantity_micros == 3_000_000
    free = whole_share_book(held=[3_000_000, 0], target=[510_000, 0], wealth_cents=30_000)
    assert size_trades(free, POLICY).orders[0].quantity_micros == 2_000_000


@pytest.mark.parametrize(
    ("current", "target", "is_outside"),
    [
        ([0.40, 0.60], [0.36, 0.64], False),  # large positions: 5 % of wealth
        ([0.42, 0.58], [0.36, 0.64], True),
        ([0.049, 0.951], [0.04, 0.96], False),  # small ones: a quarter of their target
        ([0.052, 0.948], [0.04, 0.96], True),
        ([0.009, 0.991], [0.0, 1.0], False),  # none wanted: 1 % of wealth
        ([0.011, 0.989], [0.0, 1.0], True),
    ],
)
def test_the_band_is_absolute_for_large_and_relative_for_small_positions(
    current: list[float], target: list[float], is_outside: bool
) -> None:
    grains = np.zeros(1)
    assert outside_band(np.array(current), np.array(target), grains, POLICY) is is_outside


def test_a_gap_that_no_trade_can_close_is_inside_the_band() -> None:
    current, target = np.array([0.50, 0.50]), np.array([0.36, 0.64])
    assert outside_band(current, target, np.array([0.08]), POLICY)
    assert not outside_band(current, target, np.array([0.10]), POLICY)


def test_new_cash_is_outside_the_band_though_no_symbol_is() -> None:
    current, target = np.array([0.16, 0.16, 0.68]), np.array([0.2, 0.2, 0.6])
    assert outside_band(current, target, np.zeros(2), POLICY)


def test_drift_is_the_share_of_wealth_in_the_wrong_place() -> None:
    assert drift(np.array([0.5, 0.5]), np.array([0.4, 0.6])) == pytest.approx(0.1)
