"""What a shard knows of the past of its accounts: cash, fills, lots and losses."""

import datetime as dt
from pathlib import Path
from typing import Any

from marts import account, profile, write_marts
from rebalance_examples import SESSION
from shards_read import AFTER_A_RUN, CASH_SINCE, MARKET, NO_RUNS, one

from pipelines.rebalance.inputs.movements import NEVER_TRADED

BEFORE = CASH_SINCE - dt.timedelta(days=3)
SINCE = CASH_SINCE + dt.timedelta(hours=3)
A = MARKET.symbols.index("AAA")


def deposit(number: int, cents: int, **changes: Any) -> dict[str, Any]:
    return {
        "client_id": "c1",
        "account_id": "a1",
        "transaction_id": f"t{number}",
        "kind": "deposit",
        "cash_cents": cents,
        "quantity_micros": 0,
        "trade_date": dt.date(2022, 12, 20),
        "recorded_at": SINCE,
    } | changes


def test_new_cash_is_what_was_recorded_since_the_last_run_less_what_was_taken_back(
    tmp_path: Path,
) -> None:
    transactions = [
        deposit(1, 500),
        deposit(2, -120, kind="withdrawal"),
        deposit(3, 7_000, recorded_at=BEFORE),
        deposit(4, 40, recorded_at=BEFORE, reversed_at=SINCE),
        deposit(5, 9_000, reversed_at=SINCE),
        deposit(6, 9_000, recorded_at=BEFORE, reversed_at=BEFORE),
        deposit(7, 11, kind="dividend"),
        deposit(8, 9_000, account_id="another"),
    ]
    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account("a1", "c1"), account("a2", "c1")],
        client_profile=[profile("c1")],
        account_transaction=transactions,
    )
    assert one(path, AFTER_A_RUN).accounts.new_cash_cents.tolist() == [500 - 120 - 40, 0]
    assert one(path, NO_RUNS).accounts.new_cash_cents.tolist() == [0, 0]


def test_sessions_are_counted_since_the_last_fill_of_an_advised_trade(tmp_path: Path) -> None:
    def fill(name: str, date: dt.date, **changes: Any) -> dict[str, Any]:
        return deposit(0, 0, account_id=name, kind="buy", trade_id="t", trade_date=date) | changes

    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account(f"a{number}", "c1") for number in range(5)],
        client_profile=[profile("c1")],
        account_transaction=[
            fill("a0", dt.date(2022, 12, 22)),  # a Thursday; Monday the 26th is a holiday
            fill("a0", dt.date(2022, 12, 1)),
            fill("a1", SESSION),
            fill("a2", dt.date(2022, 12, 1), trade_id=None),
            fill("a3", dt.date(2022, 12, 1), reversed_at=SINCE),
        ],
    )
    since = one(path).accounts.sessions_since_trade
    assert since.tolist() == [3, 0, NEVER_TRADED, NEVER_TRADED, NEVER_TRADED]


def test_lots_lie_by_account_symbol_and_lot_with_unknowns_marked(tmp_path: Path) -> None:
    def lot(account_id: str, symbol: str, lot_id: str, **changes: Any) -> dict[str, Any]:
        return {
            "client_id": "c1",
            "account_id": account_id,
            "symbol": symbol,
            "lot_id": lot_id,
            "quantity_micros": 5,
            "is_replacement": False,
        } | changes

    since = dt.date(2020, 1, 2)
    lots = [
        lot("a2", "BBB", "l2"),
        lot("a1", "ZZZ", "l3", basis_cents=0),
        lot("a2", "AAA", "l4", held_since_date=since, acquired_date=since, is_replacement=True),
        lot("a2", "AAA", "l1", basis_cents=7),
        lot("nobodys", "AAA", "l0"),
    ]
    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account("a2", "c1"), account("a1", "c1"), account("a3", "c1")],
        client_profile=[profile("c1")],
        tax_lot=lots,
    )
    found = one(path).lots
    assert found.lot_id.to_pylist() == ["l3", "l1", "l4", "l2"]
    assert found.first.tolist() == [0, 1, 4, 4]
    assert found.symbol.tolist() == [-1, A, A, A + 1]
    assert found.basis_cents.tolist() == [0, 7, -1, -1]
    assert found.held_since_day.tolist() == [-1, -1, 18_263, -1]
    assert found.is_replacement.tolist() == [False, False, True, False]


def test_loss_sales_count_for_whatever_substitute_the_market_has(tmp_path: Path) -> None:
    def sale(client: str, symbol: str, micros: int, cents: int) -> dict[str, Any]:
        return {
            "client_id": client,
            "account_id": "a1",
            "symbol": symbol,
            "unmatched_micros": micros,
            "loss_cents": cents,
        }

    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account("a1", "c1"), account("a2", "c2")],
        client_profile=[profile("c1"), profile("c2")],
        loss_sale=[
            sale("c2", "BBB", 5, 100),
            sale("c2", "BBB", 6, 50),
            sale("c2", "NOWHERE", 5, 100),
            sale("c1", "AAA", 0, 100),
        ],
    )
    found = one(path).loss_sales
    assert (found.client.tolist(), found.symbol.tolist()) == ([1], [MARKET.symbols.index("BBB")])
    assert (found.quantity_micros.tolist(), found.loss_cents.tolist()) == ([11], [150])
