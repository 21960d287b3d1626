"""Wash sales as IRS Publication 550 works them out, over all accounts of a client."""

import dataclasses
import datetime as dt

import numpy as np
import pyarrow as pa
from tax_shards import SHARE, Holder, Lot, market_of, shard_of, sized_of

from models.vocabulary import TaxKind
from pipelines.rebalance.inputs.shard import OpenOrders, Shard
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.harvest import find_opportunities
from pipelines.rebalance.trades.lots import choose_lots
from pipelines.rebalance.trades.wash_sales import blocked_buys, spoiling_buys

MARKET = market_of(AAA="large", BBB="large")
"""AAA and BBB track the same thing, as SPY and IVV do."""
SESSION = dt.date(2022, 12, 28)
LONG_AGO = dt.date(2022, 6, 1)
LATELY = SESSION - dt.timedelta(days=30)
LOSER = Lot("AAA", 10 * SHARE, 200_000, LONG_AGO)
"""Bought for 2,000 dollars, worth 1,000."""


def disallowed(holders: list[Holder], trades: list[dict[str, int]]) -> list[int]:
    shard = shard_of(MARKET, holders)
    sales = choose_lots(shard, sized_of(MARKET, trades), MARKET, SESSION)
    return sales.disallowed_cents.tolist()


def test_more_sold_than_bought_disallows_the_loss_on_what_was_bought() -> None:
    # Publication 550, "More or less stock bought than sold", example 1: 100 shares bought for
    # 5,000 in September, 50 on 21 and 25 on 28 December; the 100 are sold on 4 January for 4,000.
    market = market_of(price_micros=40_000_000)
    lots = [
        Lot("AAA", 100 * SHARE, 500_000, dt.date(2021, 9, 24)),
        Lot("AAA", 50 * SHARE, 275_000, dt.date(2021, 12, 21)),
        Lot("AAA", 25 * SHARE, 112_500, dt.date(2021, 12, 28)),
    ]
    # In two accounts, since ours would sell the dearest first and the example sells the oldest.
    shard = shard_of(market, [Holder(lots[:1]), Holder(lots[1:])])
    sized = sized_of(market, [{"AAA": -100 * SHARE}, {}])
    sales = choose_lots(shard, sized, market, dt.date(2022, 1, 4))
    assert (sales.basis_cents - sales.proceeds_cents).tolist() == [100_000]
    assert sales.disallowed_cents.tolist() == [75_000]


def test_a_purchase_thirty_days_ago_disallows_a_loss_and_one_of_thirty_one_does_not() -> None:
    for bought, expected in ((LATELY, 100_000), (LATELY - dt.timedelta(days=1), 0)):
        other = Holder([Lot("AAA", 10 * SHARE, 90_000, bought)])
        assert disallowed([Holder([LOSER]), other], [{"AAA": -10 * SHARE}, {}]) == [expected]


def test_a_substitute_in_a_retirement_account_of_the_client_disallows_a_loss() -> None:
    substitute = Lot("BBB", 10 * SHARE, 90_000, LATELY)
    for client, expected in ((0, 100_000), (1, 0)):
        other = Holder([substitute], TaxKind.TAX_FREE, client)
        assert disallowed([Holder([LOSER]), other], [{"AAA": -10 * SHARE}, {}]) == [expected]


def test_another_class_member_of_another_group_disallows_nothing() -> None:
    other = Holder([Lot("CCC", 10 * SHARE, 90_000, LATELY)])
    assert disallowed([Holder([LOSER]), other], [{"AAA": -10 * SHARE}, {}]) == [0]


def test_selling_the_lately_bought_shares_themselves_is_no_wash_sale() -> None:
    bought = Lot("AAA", 10 * SHARE, 200_000, LATELY)
    assert disallowed([Holder([bought])], [{"AAA": -10 * SHARE}]) == [0]
    # Rev. Rul. 56-602: nor is what is left of the lot a replacement, but another lot is.
    assert disallowed([Holder([bought])], [{"AAA": -4 * SHARE}]) == [0]
    other = Holder([Lot("AAA", SHARE, 10_000, LATELY)])
    assert disallowed([Holder([bought]), other], [{"AAA": -4 * SHARE}, {}]) == [10_000]


def test_a_share_bought_is_matched_once() -> None:
    other = Holder([Lot("AAA", 5 * SHARE, 40_000, LATELY)])
    trades = [{"AAA": -10 * SHARE}, {"AAA": -10 * SHARE}, {}]
    assert disallowed([Holder([LOSER]), Holder([LOSER]), other], trades) == [50_000, 0]
    matched = Holder([Lot("AAA", 5 * SHARE, 40_000, LATELY, is_replacement=True)])
    assert disallowed([Holder([LOSER]), matched], [{"AAA": -10 * SHARE}, {}]) == [0]


def test_a_purchase_of_the_same_run_disallows_a_loss_and_is_named_as_spoiling() -> None:
    shard = shard_of(MARKET, [Holder([LOSER]), Holder(), Holder(client=1)])
    trades = [{"AAA": -10 * SHARE}, {"BBB": 3 * SHARE, "CCC": SHARE}, {"BBB": SHARE}]
    sized = sized_of(MARKET, trades)
    sales = choose_lots(shard, sized, MARKET, SESSION)
    assert sales.disallowed_cents.tolist() == [30_000]
    # Whatever else of the group the client's accounts might buy would spoil it too.
    spoiling = spoiling_buys(shard, sales, MARKET, POLICY)
    assert np.argwhere(spoiling).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_loss_of_the_last_thirty_days_blocks_its_group_in_all_accounts_of_the_client() -> None:
    holders = [Holder(), Holder(tax_kind=TaxKind.TAX_DEFERRED), Holder(client=1)]
    shard = shard_of(MARKET, holders, [(0, "BBB", 5 * SHARE, 5_000)])
    blocked = blocked_buys(shard, MARKET, POLICY)
    assert np.argwhere(blocked).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_loss_of_cents_blocks_nothing() -> None:
    small = POLICY.wash_sale_minimum_loss_cents - 1
    shard = shard_of(MARKET, [Holder()], [(0, "AAA", SHARE, small)])
    assert not blocked_buys(shard, MARKET, POLICY).any()


def with_order(shard: Shard, account: int, symbol: str, left_micros: int) -> Shard:
    order = OpenOrders(
        trade_id=pa.array(["order"]),
        symbol=pa.array([symbol]),
        account=np.array([account]),
        left_micros=np.array([left_micros]),
        is_own=np.array([False]),
    )
    return dataclasses.replace(shard, orders=order)


def test_a_purchase_that_is_still_with_the_broker_counts_as_one() -> None:
    shard = shard_of(MARKET, [Holder([LOSER]), Holder(tax_kind=TaxKind.TAX_DEFERRED)])
    sized = sized_of(MARKET, [{"AAA": -10 * SHARE}, {}])
    assert find_opportunities(shard, MARKET, SESSION, POLICY).loss_cents.any()
    for symbol, expected in (("BBB", 40_000), ("CCC", 0), ("OUTSIDE", 0)):
        ordered = with_order(shard, 1, symbol, 4 * SHARE)
        sales = choose_lots(ordered, sized, MARKET, SESSION)
        assert sales.disallowed_cents.tolist() == [expected]
        found = find_opportunities(ordered, MARKET, SESSION, POLICY)
        assert found.loss_cents.any() == (expected == 0)


def test_a_sell_at_a_loss_that_is_still_with_the_broker_blocks_its_group() -> None:
    holders = [Holder([LOSER]), Holder(tax_kind=TaxKind.TAX_DEFERRED), Holder(client=1)]
    shard = shard_of(MARKET, holders)
    blocked = blocked_buys(with_order(shard, 0, "AAA", -4 * SHARE), MARKET, POLICY)
    assert np.argwhere(blocked).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    for account, symbol in ((0, "CCC"), (1, "AAA"), (2, "AAA")):
        selling = with_order(shard, account, symbol, -SHARE)
        assert not blocked_buys(selling, MARKET, POLICY).any()
