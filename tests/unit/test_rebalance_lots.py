"""Which tax lots a sell closes: the order, the dates of the law, and cents that sum."""

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tax_shards import SHARE, Holder, Lot, day, market_of, shard_of, sized_of

from models.vocabulary import TaxKind
from pipelines.rebalance.trades.lot_kernels import WITHOUT_LOT, share_of
from pipelines.rebalance.trades.lots import NO_LOT, choose_lots, is_long_term, lot_ids

SESSION = dt.date(2022, 12, 28)
OLD, NEW = dt.date(2020, 1, 2), dt.date(2022, 9, 1)
MARKET = market_of()


@pytest.mark.parametrize(
    ("bought", "first_long_term_sale"),
    [
        # Publication 550: bought on 5 February 2021, 5 February 2022 is one year, not more.
        (dt.date(2021, 2, 5), dt.date(2022, 2, 6)),
        (dt.date(2021, 12, 31), dt.date(2023, 1, 1)),
        # Rev. Rul. 66-7: from the last day of a month the period begins with the next month.
        (dt.date(2019, 2, 28), dt.date(2020, 3, 1)),
        (dt.date(2020, 2, 29), dt.date(2021, 3, 1)),
        (dt.date(2020, 2, 28), dt.date(2021, 3, 1)),
        (dt.date(2019, 4, 30), dt.date(2020, 5, 1)),
    ],
)
def test_a_sale_is_long_term_from_the_day_after_a_whole_year(
    bought: dt.date, first_long_term_sale: dt.date
) -> None:
    since = np.array([day(bought)])
    assert is_long_term(since, first_long_term_sale).all()
    assert not is_long_term(since, first_long_term_sale - dt.timedelta(days=1)).any()


def test_an_unknown_holding_period_is_not_long_term() -> None:
    assert not is_long_term(np.array([-1]), SESSION).any()


def test_lots_are_sold_losses_first_then_long_term_gains_and_the_unknown_last() -> None:
    lots = {
        "short-term gain": Lot("AAA", SHARE, 5_000, NEW),
        "unknown": Lot("AAA", SHARE, None, None),
        "long-term gain": Lot("AAA", SHARE, 1_000, OLD),
        "long-term loss": Lot("AAA", SHARE, 30_000, OLD),
        "short-term loss": Lot("AAA", SHARE, 11_000, NEW),
        "dearer short-term loss": Lot("AAA", SHARE, 12_000, NEW),
    }
    shard = shard_of(MARKET, [Holder(list(lots.values()))])
    sales = choose_lots(shard, sized_of(MARKET, [{"AAA": -6 * SHARE}]), MARKET, SESSION)
    assert [list(lots)[lot] for lot in sales.lot] == [
        "dearer short-term loss",
        "short-term loss",
        "long-term loss",
        "long-term gain",
        "short-term gain",
        "unknown",
    ]
    assert sales.is_long_term.tolist() == [False, False, True, True, False, False]
    assert sales.basis_cents.tolist() == [12_000, 11_000, 30_000, 1_000, 5_000, -1]


def test_a_lot_that_lost_after_the_fee_is_a_loss() -> None:
    lots = [Lot("AAA", SHARE, 9_000, OLD), Lot("AAA", SHARE, 9_999, OLD)]
    shard = shard_of(MARKET, [Holder(lots)])
    sales = choose_lots(shard, sized_of(MARKET, [{"AAA": -SHARE}], 5), MARKET, SESSION)
    assert sales.lot.tolist() == [1]
    assert (sales.proceeds_cents.tolist(), sales.basis_cents.tolist()) == ([9_995], [9_999])


def test_a_holding_without_lots_counts_as_one_lot_of_unknown_basis() -> None:
    shard = shard_of(MARKET, [Holder([], more={"AAA": 3 * SHARE})])
    sales = choose_lots(shard, sized_of(MARKET, [{"AAA": -2 * SHARE}]), MARKET, SESSION)
    assert sales.lot.tolist() == [WITHOUT_LOT]
    assert sales.basis_cents.tolist() == [-1]
    assert lot_ids(shard, sales).to_pylist() == [NO_LOT]


def test_what_lots_do_not_tell_of_is_sold_after_them() -> None:
    shard = shard_of(MARKET, [Holder([Lot("AAA", SHARE, 1, NEW)], more={"AAA": SHARE})])
    sales = choose_lots(shard, sized_of(MARKET, [{"AAA": -2 * SHARE}]), MARKET, SESSION)
    assert lot_ids(shard, sales).to_pylist() == ["lot-0", NO_LOT]


def test_sells_of_retirement_accounts_have_lots_and_no_disallowed_loss() -> None:
    holder = Holder([Lot("AAA", SHARE, 20_000, NEW)], TaxKind.TAX_DEFERRED)
    shard = shard_of(MARKET, [holder, Holder()])
    sized = sized_of(MARKET, [{"AAA": -SHARE}, {"AAA": SHARE}])
    sales = choose_lots(shard, sized, MARKET, SESSION)
    assert (sales.lot.tolist(), sales.disallowed_cents.tolist()) == ([0], [0])


def test_no_sells_give_no_rows() -> None:
    shard = shard_of(MARKET, [Holder([Lot("AAA", SHARE, 1, NEW)])])
    assert len(choose_lots(shard, sized_of(MARKET, [{"BBB": SHARE}]), MARKET, SESSION).lot) == 0


_lots = st.builds(
    Lot,
    symbol=st.sampled_from(["AAA", "BBB", "CCC", "GONE"]),
    quantity_micros=st.integers(1, 10**13),
    basis_cents=st.none() | st.integers(0, 10**12),
    bought=st.none() | st.dates(dt.date(2015, 1, 1), SESSION),
)
_holders = st.builds(
    Holder,
    lots=st.lists(_lots, max_size=8),
    tax_kind=st.sampled_from(TaxKind),
    client=st.integers(0, 1),
    more=st.dictionaries(st.sampled_from(["AAA", "BBB"]), st.integers(1, 10**13), max_size=1),
)


def _assert_that_lots_sum(holders: list[Holder], shares: list[float]) -> None:
    shard = shard_of(MARKET, holders)
    trades = [
        {
            symbol: -int(held * share)
            for symbol, held, share in zip(MARKET.symbols, row, shares, strict=False)
        }
        for row in shard.accounts.held_micros
    ]
    sized = sized_of(MARKET, trades, fee_cents=3)
    sales = choose_lots(shard, sized, MARKET, SESSION)
    sold, net = np.zeros((2, *sized.traded_micros.shape), np.int64)
    np.add.at(sold, (sales.account, sales.symbol), sales.quantity_micros)
    np.add.at(net, (sales.account, sales.symbol), sales.proceeds_cents)
    assert (sold == np.maximum(-sized.traded_micros, 0)).all()
    assert (net == np.where(sold > 0, sized.notional_cents - sized.fee_cents, 0)).all()
    own = sales.lot >= 0
    lot, lots = sales.lot[own], shard.lots
    assert len(set(lot.tolist())) == len(lot)
    assert (sales.quantity_micros[own] <= lots.quantity_micros[lot]).all()
    # What is sold of a basis and what stays are that basis, and nothing is sold below zero.
    basis = sales.basis_cents[own]
    assert ((basis >= 0) == (lots.basis_cents[lot] >= 0)).all()
    assert (basis <= lots.basis_cents[lot]).all()
    whole = sales.quantity_micros[own] == lots.quantity_micros[lot]
    assert (basis[whole] == lots.basis_cents[lot][whole]).all()
    loss = np.where(sales.basis_cents >= 0, sales.basis_cents - sales.proceeds_cents, 0)
    assert (sales.disallowed_cents >= 0).all()
    assert (sales.disallowed_cents <= np.maximum(loss, 0)).all()


_shares = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@settings(max_examples=300, deadline=None)
@given(st.lists(_holders, min_size=1, max_size=3), _shares)
def test_parts_of_lots_sum_to_what_is_sold(holders: list[Holder], shares: list[float]) -> None:
    _assert_that_lots_sum(holders, shares)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(st.lists(_holders, min_size=1, max_size=3), _shares)
def test_parts_of_lots_sum_in_ten_thousand_cases(
    holders: list[Holder], shares: list[float]
) -> None:
    _assert_that_lots_sum(holders, shares)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 10**15), st.integers(1, 10**18), st.data())
def test_a_share_of_cents_is_exact_where_products_pass_64_bits(
    cents: int, whole: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(0, whole))
    assert share_of(cents, part, whole) == round(Fraction(cents * part, whole))
