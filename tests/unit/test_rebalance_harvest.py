"""Losses that are taken, substitutes that are bought, and what selling costs in tax."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tax_shards import SHARE, Holder, Lot, market_of, shard_of

from models.vocabulary import TaxKind
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.harvest import (
    Harvest,
    find_opportunities,
    harvest,
    substitutes_of,
)
from pipelines.rebalance.trades.tax import account_sell_taxes, sell_costs

SESSION = dt.date(2022, 12, 28)
OLD, NEW = dt.date(2020, 1, 2), dt.date(2022, 9, 1)
LATELY = dt.date(2022, 12, 1)
MARKET = market_of(AAA="large", BBB="large")
NANOS = 1_000_000_000
COVARIANCE = np.array(
    [
        [1.0, 0.99, 0.8, 0.1, 0.1],
        [0.99, 1.0, 0.8, 0.1, 0.1],
        [0.8, 0.8, 1.0, 0.1, 0.1],
        [0.1, 0.1, 0.1, 1.0, 0.5],
        [0.1, 0.1, 0.1, 0.5, 1.0],
    ]
)
DEEP = Lot("AAA", 10 * SHARE, 150_000, NEW)
"""A loss of 500 dollars on 1,500."""


def losses(*holders: Holder) -> list[list[int]]:
    found = find_opportunities(shard_of(MARKET, holders), MARKET, SESSION, POLICY)
    assert ((found.quantity_micros > 0) == (found.loss_cents > 0)).all()
    return np.argwhere(found.loss_cents).tolist()


def taken(shard: Shard, nanos: list[list[int]], upper: float = 1.0) -> Harvest:
    found = find_opportunities(shard, MARKET, SESSION, POLICY)
    limits = np.full(shard.accounts.held_micros.shape, upper)
    substitutes = substitutes_of(MARKET, COVARIANCE)
    return harvest(shard, np.array(nanos), found, substitutes, limits, MARKET, POLICY)


def test_a_deep_loss_of_a_taxable_account_is_worth_taking() -> None:
    assert losses(Holder([DEEP])) == [[0, 0]]


@pytest.mark.parametrize(
    "holder",
    [
        Holder([DEEP], TaxKind.TAX_DEFERRED),
        Holder([dataclasses.replace(DEEP, basis_cents=104_000)]),  # a small share
        Holder([dataclasses.replace(DEEP, quantity_micros=SHARE // 100, basis_cents=200)]),
        Holder([dataclasses.replace(DEEP, basis_cents=None)]),
        Holder([dataclasses.replace(DEEP, basis_cents=50_000)]),  # a gain
    ],
)
def test_a_loss_that_is_none_or_small_or_untaxed_is_left(holder: Holder) -> None:
    assert losses(holder) == []


def test_a_loss_that_a_purchase_would_take_away_is_left() -> None:
    bought = Lot("BBB", SHARE, 10_000, LATELY)
    assert losses(Holder([DEEP]), Holder([bought], TaxKind.TAX_FREE)) == []
    assert losses(Holder([DEEP]), Holder([bought], client=1)) == [[0, 0]]


def test_a_loss_of_shares_bought_lately_themselves_is_taken() -> None:
    assert losses(Holder([dataclasses.replace(DEEP, bought=LATELY)])) == [[0, 0]]


def test_only_the_lots_that_lost_are_sold() -> None:
    shard = shard_of(MARKET, [Holder([DEEP, Lot("AAA", 10 * SHARE, 10_000, OLD)])])
    result = taken(shard, [[600_000_000, 0, 0, 0, 0, 400_000_000]])
    # Half of the account's wealth stays where the gain is; the target's rest moves.
    assert result.account_nanos.tolist() == [[500_000_000, 0, 100_000_000, 0, 0, 400_000_000]]
    assert result.sold_micros[0, 0] == DEEP.quantity_micros


def test_the_substitute_is_of_the_same_class_and_of_another_group() -> None:
    substitutes = substitutes_of(MARKET, COVARIANCE)
    assert substitutes.tolist() == [
        [2, -1, -1, -1, -1],
        [2, -1, -1, -1, -1],
        [0, 1, -1, -1, -1],
        [4, -1, -1, -1, -1],
        [3, -1, -1, -1, -1],
    ]
    result = taken(shard_of(MARKET, [Holder([DEEP])]), [[NANOS, 0, 0, 0, 0, 0]])
    assert result.account_nanos.tolist() == [[0, 0, NANOS, 0, 0, 0]]
    assert result.is_harvested.tolist() == [True]


def test_without_room_for_a_substitute_the_account_waits() -> None:
    shard = shard_of(MARKET, [Holder([DEEP])])
    result = taken(shard, [[NANOS, 0, 0, 0, 0, 0]], upper=0.5)
    assert result.account_nanos.tolist() == [[NANOS, 0, 0, 0, 0, 0]]
    assert not result.is_harvested.any()


def test_a_substitute_that_lost_itself_lately_is_not_bought() -> None:
    shard = shard_of(MARKET, [Holder([DEEP])], [(0, "CCC", SHARE, 50_000)])
    assert not taken(shard, [[NANOS, 0, 0, 0, 0, 0]]).is_harvested.any()


def test_two_losses_are_not_each_others_substitute() -> None:
    lots = [DEEP, dataclasses.replace(DEEP, symbol="CCC")]
    shard = shard_of(MARKET, [Holder(lots)])
    half = NANOS // 2
    assert not taken(shard, [[half, 0, half, 0, 0, 0]]).is_harvested.any()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_harvest_moves_within_a_class_and_keeps_every_sum(data: st.DataObject) -> None:
    lot = st.builds(
        Lot,
        symbol=st.sampled_from(MARKET.symbols),
        quantity_micros=st.integers(1, 10**9),
        basis_cents=st.none() | st.integers(0, 10**8),
        bought=st.dates(OLD, SESSION),
    )
    holder = st.builds(Holder, lots=st.lists(lot, max_size=6), client=st.integers(0, 1))
    shard = shard_of(MARKET, data.draw(st.lists(holder, min_size=1, max_size=3)))
    cuts = data.draw(
        st.lists(
            st.lists(st.integers(0, NANOS), min_size=5, max_size=5),
            min_size=len(shard.accounts.client),
            max_size=len(shard.accounts.client),
        )
    )
    nanos = [np.diff([0, *sorted(cut), NANOS]).tolist() for cut in cuts]
    before = np.array(nanos)
    result = taken(shard, nanos, upper=data.draw(st.sampled_from([0.0, 0.3, 1.0])))
    after = result.account_nanos
    assert (after >= 0).all()
    assert (after[:, -1] == before[:, -1]).all()
    classes = MARKET.membership.astype(np.int64)
    assert (after[:, :-1] @ classes.T == before[:, :-1] @ classes.T).all()
    # Nothing of a group whose loss is taken is wanted more.
    groups = np.array([0, 0, 1, 2, 3])
    for account, symbol in np.argwhere(result.sold_micros):
        alike = groups == groups[symbol]
        same = shard.accounts.client == shard.accounts.client[account]
        assert (after[same][:, :-1][:, alike] <= before[same][:, :-1][:, alike]).all()


def test_marginal_tax_follows_the_lots_that_are_sold_next() -> None:
    holders = [
        Holder([Lot("AAA", SHARE, 6_000, OLD)]),  # gain of 40 % at 15 %
        Holder([Lot("AAA", SHARE, 6_000, NEW)]),  # at 24 %
        Holder([Lot("AAA", SHARE, 6_000, NEW)], TaxKind.TAX_FREE),
        Holder([Lot("AAA", SHARE, None, None)]),
        Holder([Lot("AAA", SHARE, 6_000, NEW), Lot("AAA", SHARE, 6_000, OLD)]),
        Holder([Lot("AAA", SHARE, 6_000, NEW), Lot("AAA", SHARE, 15_000, OLD)]),
    ]
    taxes = account_sell_taxes(shard_of(MARKET, holders), MARKET, SESSION, POLICY)
    assert taxes[:, 0] == pytest.approx([0.06, 0.096, 0, 0, 0.06, -0.075], abs=1e-12)
    assert not taxes[:, 1:].any()


def test_a_loss_that_is_taken_away_saves_no_tax() -> None:
    holders = [Holder([DEEP]), Holder([Lot("BBB", SHARE, 10_000, LATELY)])]
    taxes = account_sell_taxes(shard_of(MARKET, holders), MARKET, SESSION, POLICY)
    assert taxes[0, 0] == 0


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 100_000), st.floats(0, 0.01), st.floats(0, 0.01), st.sampled_from([OLD, NEW]))
def test_buying_and_selling_never_earns(
    basis: int, buy: float, sell: float, bought: dt.date
) -> None:
    shard = shard_of(MARKET, [Holder([Lot("AAA", SHARE, basis, bought)])])
    costs = sell_costs(shard, MARKET, SESSION, POLICY, np.array(buy), np.array(sell))
    assert (costs + buy >= 0).all()
    assert (costs[:, 1:] == sell).all()


def test_a_goals_tax_is_that_of_its_accounts_weighted_by_what_they_hold() -> None:
    holders = [
        Holder([Lot("AAA", 3 * SHARE, 18_000, OLD)]),
        Holder([Lot("AAA", SHARE, 6_000, OLD)], TaxKind.TAX_FREE),
    ]
    shard = shard_of(MARKET, holders)
    accounts = dataclasses.replace(shard.accounts, goal=np.zeros(2, np.int64))
    shard = dataclasses.replace(shard, accounts=accounts)
    costs = sell_costs(shard, MARKET, SESSION, POLICY, np.array(0.0), np.array(0.001))
    assert costs[0, 0] == pytest.approx(0.001 + 0.06 * 0.75)
