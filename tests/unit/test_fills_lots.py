"""What fills do to a client's lots: worked examples of Publication 550, and sums that hold."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.vocabulary import CASH, MICROS_PER_CENT, Side, TaxKind
from pipelines.fills.client_book import AccountBook, ClientBook
from pipelines.fills.fill import Fill
from pipelines.fills.lots import NO_LOT, OpenLot, is_long_term
from pipelines.rebalance.trades.lots import is_long_term as are_long_term

SHARE = 1_000_000
GROUPS = {"SPY": "s&p 500", "IVV": "s&p 500", "M": "m", "X": "x"}


def book(**tax_kinds: TaxKind) -> ClientBook:
    kinds = tax_kinds or {"taxable": TaxKind.TAXABLE}
    accounts = {name: AccountBook(name, kind, {CASH: 10**13}) for name, kind in kinds.items()}
    return ClientBook(accounts, GROUPS)


_number = iter(range(10**9))


def fill(
    day: str, side: str, shares: float, dollars: float, symbol: str = "M", **more: str
) -> Fill:
    """A fill for so many dollars in all, without a fee."""
    quantity = round(shares * SHARE)
    return Fill(
        line=0,
        external_id=more.get("external_id", f"f{next(_number):09}"),
        trade_id=None,
        account_id=more.get("account_id", "taxable"),
        symbol=symbol,
        side=Side(side),
        quantity_micros=quantity,
        price_micros=round(dollars / shares * SHARE),
        fee_cents=0,
        executed_at=dt.datetime.fromisoformat(f"{day}T15:00+00:00"),
        settlement_date=None,
    )


def apply(client: ClientBook, *fills: Fill) -> None:
    for each in fills:
        client.apply(each, {})


def lots(client: ClientBook, account_id: str = "taxable") -> list[tuple[float, int | None]]:
    """Shares and basis in dollars of each lot, oldest first."""
    held = sorted(
        client.accounts[account_id].lots, key=lambda lot: lot.acquired_date or dt.date.min
    )
    return [
        (lot.quantity_micros / SHARE, lot.basis_cents and lot.basis_cents // 100) for lot in held
    ]


def test_publication_550_the_disallowed_loss_is_added_to_the_cost_of_the_new_stock() -> None:
    # 100 shares of X bought for 1,000, sold for 750, and within 30 days 100 bought for 800.
    client = book()
    apply(
        client,
        fill("2021-01-04", "buy", 100, 1_000, "X"),
        fill("2021-06-01", "sell", 100, 750, "X"),
        fill("2021-06-20", "buy", 100, 800, "X"),
    )
    assert lots(client) == [(100, 1_050)]
    (lot,) = client.accounts["taxable"].lots
    assert lot.carried_over_cents == 25_000
    # The new stock's holding period includes that of the stock sold: 148 days.
    assert lot.held_since == dt.date(2021, 6, 20) - dt.timedelta(days=148)
    assert client.wash_sales[0].disallowed_cents == 25_000


def test_publication_550_more_stock_sold_than_bought() -> None:
    client = book()
    apply(
        client,
        fill("2021-09-24", "buy", 100, 5_000, external_id="september"),
        fill("2021-12-21", "buy", 50, 2_750),
        fill("2021-12-28", "buy", 25, 1_125),
    )
    september = client.accounts["taxable"].lots[0]
    sell = fill("2022-01-04", "sell", 100, 4_000)
    client.apply(sell, {september.lot_id: 100 * SHARE})
    # The loss on 75 of the 100 shares, 750 dollars, goes to the lots that were bought.
    assert lots(client) == [(50, 3_250), (25, 1_375)]
    assert sum(wash.disallowed_cents for wash in client.wash_sales) == 75_000


def test_publication_550_more_stock_bought_than_sold_is_matched_in_the_order_of_purchase() -> None:
    client = book()
    apply(
        client,
        fill("2021-09-24", "buy", 100, 5_000),
        fill("2022-02-01", "sell", 100, 4_000),
        *(fill(f"2022-02-{day:02}", "buy", 50, 2_000) for day in (8, 9, 10, 11)),
    )
    assert lots(client) == [(50, 2_500), (50, 2_500), (50, 2_000), (50, 2_000)]


def test_a_substitute_in_a_retirement_account_forfeits_the_loss() -> None:
    client = book(taxable=TaxKind.TAXABLE, ira=TaxKind.TAX_FREE)
    apply(
        client,
        fill("2021-01-04", "buy", 10, 1_000, "SPY"),
        fill("2021-06-01", "sell", 10, 900, "SPY"),
        fill("2021-06-02", "buy", 10, 950, "IVV", account_id="ira"),
    )
    assert lots(client, "ira") == [(10, 950)]
    assert [(wash.is_forfeited, wash.disallowed_cents) for wash in client.wash_sales] == [
        (True, 10_000)
    ]


@pytest.mark.parametrize(("day", "carried"), [("2021-07-01", 100), ("2021-07-02", 0)])
def test_a_purchase_counts_for_thirty_calendar_days_after_the_sale(day: str, carried: int) -> None:
    client = book()
    apply(
        client,
        fill("2021-01-04", "buy", 10, 1_000),
        fill("2021-06-01", "sell", 10, 900),
        fill(day, "buy", 10, 950),
    )
    assert lots(client) == [(10, 950 + carried)]


def test_a_part_of_a_purchase_that_replaces_a_loss_becomes_a_lot_of_its_own() -> None:
    client = book()
    apply(
        client,
        fill("2021-01-04", "buy", 10, 1_000),
        fill("2021-06-01", "sell", 10, 900),
        fill("2021-06-02", "buy", 40, 4_000),
    )
    assert sorted(lots(client)) == [(10, 1_100), (30, 3_000)]
    # Matched once: a second loss goes to the shares that are left.
    assert len(client.replaced) == 1


def test_losses_of_retirement_accounts_are_none() -> None:
    client = book(taxable=TaxKind.TAXABLE, ira=TaxKind.TAX_DEFERRED)
    apply(
        client,
        fill("2021-01-04", "buy", 10, 1_000, account_id="ira"),
        fill("2021-06-01", "sell", 10, 900, account_id="ira"),
        fill("2021-06-02", "buy", 10, 950),
    )
    assert lots(client) == [(10, 950)]
    assert client.wash_sales == []


def test_a_sell_closes_the_lots_that_its_trade_named_before_others() -> None:
    client = book()
    apply(
        client,
        fill("2021-01-04", "buy", 10, 100, external_id="cheap"),
        fill("2021-01-05", "buy", 10, 1_000, external_id="dear"),
    )
    cheap = client.accounts["taxable"].lots[0].lot_id
    client.apply(fill("2021-03-01", "sell", 5, 500), {cheap: 3 * SHARE})
    assert lots(client) == [(7, 70), (8, 800)]


def test_a_sale_that_is_booked_late_closes_no_lot_that_was_bought_after_it() -> None:
    client = book()
    # 1,500 dollars for ten shares lost most, and would go first.
    apply(client, fill("2021-01-04", "buy", 10, 1_000), fill("2021-03-08", "buy", 10, 1_500))
    apply(client, fill("2021-03-01", "sell", 10, 900))
    (closed,) = [sale.closed for sale in client.lot_sales]
    assert (closed.basis_cents, closed.held_since) == (100_000, dt.date(2021, 1, 4))
    # Seven days later it was bought back.
    assert lots(client) == [(10, 1_600)]


def test_the_rest_of_a_purchase_replaces_no_loss_of_its_part_that_replaced_one() -> None:
    client = book()
    apply(
        client,
        fill("2021-01-04", "buy", 4, 400),
        fill("2021-03-01", "sell", 4, 300),
        fill("2021-03-02", "buy", 10, 750),
    )
    # Four of the ten replace the loss: 300 + 100 dollars. They are sold at a loss again.
    assert sorted(lots(client)) == [(4, 400), (6, 450)]
    apply(client, fill("2021-03-03", "sell", 4, 200))
    assert lots(client) == [(6, 450)]
    assert [wash.disallowed_cents for wash in client.wash_sales] == [10_000]


def test_of_two_losses_of_one_day_the_shares_bought_first_are_matched_first() -> None:
    for first in ("a", "b"):
        client = book()
        keys = {"a": "b", "b": "a"}
        apply(
            client,
            fill("2021-01-04", "buy", 10, 1_000, external_id=first),
            fill("2021-01-05", "buy", 10, 1_100, external_id=keys[first]),
            fill("2021-03-01", "sell", 20, 1_600),
            fill("2021-03-02", "buy", 10, 800),
        )
        # The lot of 4 January lost 200 dollars, the other one 300.
        assert lots(client) == [(10, 1_000)]


def test_shares_without_a_lot_are_sold_last_and_have_no_basis() -> None:
    client = book()
    client.accounts["taxable"].quantity_micros["M"] = 10 * SHARE
    apply(client, fill("2021-01-04", "buy", 1, 100), fill("2021-03-01", "sell", 4, 400))
    closed = [sale.closed for sale in client.lot_sales]
    assert [(each.lot_id == NO_LOT, each.basis_cents) for each in closed] == [
        (False, 10_000),
        (True, None),
    ]
    assert client.accounts["taxable"].lots == []


@settings(max_examples=200, deadline=None)
@given(st.dates(dt.date(1980, 1, 1), dt.date(2040, 1, 1)), st.integers(360, 370))
def test_the_year_is_counted_as_in_the_advice(bought: dt.date, days: int) -> None:
    sold = bought + dt.timedelta(days=days)
    since = np.array([(bought - dt.date(1970, 1, 1)).days])
    assert is_long_term(bought, sold) == bool(are_long_term(since, sold)[0])


_fills = st.lists(
    st.builds(
        dict,
        day=st.integers(0, 90),
        side=st.sampled_from(["buy", "buy", "sell"]),
        quantity=st.integers(1, 10**8),
        price=st.integers(10**5, 10**9),
        fee=st.integers(0, 500),
        symbol=st.sampled_from(list(GROUPS)),
        account=st.sampled_from(["taxable", "joint", "ira"]),
    ),
    min_size=1,
    max_size=14,
)


def _assert_that_basis_is_conserved(drawn: list[dict]) -> None:
    client = book(taxable=TaxKind.TAXABLE, joint=TaxKind.TAXABLE, ira=TaxKind.TAX_FREE)
    cash_before = sum(account.quantity_micros[CASH] for account in client.accounts.values())
    bought, cash = 0, 0
    for each in sorted(drawn, key=lambda one: one["day"]):
        held = client.accounts[each["account"]].quantity_micros.get(each["symbol"], 0)
        quantity = each["quantity"]
        if each["side"] == "sell":
            quantity = min(quantity, held)
        if quantity == 0:
            continue
        day = dt.date(2021, 1, 4) + dt.timedelta(days=each["day"])
        one = dataclasses.replace(
            fill(str(day), each["side"], 1, 1, each["symbol"], account_id=each["account"]),
            quantity_micros=quantity,
            price_micros=each["price"],
            fee_cents=each["fee"],
        )
        client.apply(one, {})
        bought += one.notional_cents + one.fee_cents if one.side is Side.BUY else 0
        cash += one.cash_cents
    held_basis = sum(lot.basis_cents for _, lot in client._lots())
    sold_basis = sum(sale.closed.basis_cents for sale in client.lot_sales)
    disallowed = sum(wash.disallowed_cents for wash in client.wash_sales)
    forfeited = sum(wash.disallowed_cents for wash in client.wash_sales if wash.is_forfeited)
    # What was paid is in lots, was deducted from proceeds, or is forfeited.
    assert bought == held_basis + (sold_basis - disallowed) + forfeited
    cash_after = sum(account.quantity_micros[CASH] for account in client.accounts.values())
    assert cash_after - cash_before == cash * MICROS_PER_CENT
    _assert_that_lots_are_what_is_held(client)
    for loss in client.losses:
        assert 0 <= loss.disallowed_cents <= loss.loss_cents
        assert 0 <= loss.matched_micros <= loss.quantity_micros
    for sale in client.lot_sales:
        assert sale.closed.quantity_micros > 0


def _assert_that_lots_are_what_is_held(client: ClientBook) -> None:
    for account in client.accounts.values():
        shares: dict[str, int] = {}
        for lot in account.lots:
            assert lot.quantity_micros > 0
            assert (lot.basis_cents or 0) >= lot.carried_over_cents >= 0
            shares[lot.symbol] = shares.get(lot.symbol, 0) + lot.quantity_micros
        held = {key: value for key, value in account.quantity_micros.items() if key != CASH}
        assert shares == held


@settings(max_examples=200, deadline=None)
@given(_fills)
def test_basis_is_conserved_over_lots_sales_and_wash_sales(drawn: list[dict]) -> None:
    _assert_that_basis_is_conserved(drawn)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(_fills)
def test_basis_is_conserved_in_ten_thousand_cases(drawn: list[dict]) -> None:
    _assert_that_basis_is_conserved(drawn)


def test_a_lot_of_unknown_basis_stays_unknown_when_a_loss_is_carried_over_to_it() -> None:
    client = book()
    lot = OpenLot("unknown", "M", 10 * SHARE, dt.date(2021, 5, 20), None, None, 0, None)
    client.accounts["taxable"].lots.append(lot)
    client.accounts["taxable"].quantity_micros["M"] = 10 * SHARE
    apply(client, fill("2021-01-04", "buy", 10, 1_000), fill("2021-06-01", "sell", 10, 900))
    assert lots(client) == [(10, None)]
    assert lot.carried_over_cents == 10_000
