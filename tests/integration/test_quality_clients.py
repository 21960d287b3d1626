"""A client whose inputs break a rule is left out with a reason, and blocks nobody else."""

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from new_stores import make_store

from expectations.clients import CLIENT_SUITES, PLAUSIBLE
from models.store_inputs import HOLDING, SNAPSHOT
from models.store_issues import CLIENT_ISSUE
from models.store_ledger import CASH_FLOW, TRANSACTION
from pipelines.clients import generate
from pipelines.lake import read_file
from pipelines.quality.judging import judge_rows
from pipelines.sessions import available_at
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, insert, read, read_current_from, transaction
from pipelines.warehouse.snapshot import snapshot_clients

CLIENTS = 12
SESSION = dt.date(2022, 12, 28)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path, source="sample")
    make_store(settings)
    generate(settings, CLIENTS, seed=3)
    return settings


def break_in(settings: Settings, statement: str) -> None:
    """Write as another program might that minds no check of ours."""
    with connect(settings) as connection:
        path = connection.engine.url.database
    with sqlite3.connect(str(path)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(statement)
    database.close()


def clients_in_snapshot(settings: Settings) -> dict[str, set[str]]:
    found = {}
    for table, file in zip(SNAPSHOT, snapshot_clients(settings, SESSION), strict=True):
        rows = read_file(settings, table, file.path)
        found[table.name] = set(rows[table.key[0]].to_pylist())
    return found


def issues(settings: Settings) -> list[dict[str, object]]:
    with connect(settings) as connection:
        return read(connection, CLIENT_ISSUE).to_pylist()


def test_good_inputs_are_copied_whole(home: Settings) -> None:
    for table, file in zip(SNAPSHOT, snapshot_clients(home, SESSION), strict=True):
        with connect(home) as connection:
            assert file.rows == read_current_from(connection, table).num_rows
    assert issues(home) == []


def test_holdings_are_copied_with_all_their_versions(home: Settings) -> None:
    with connect(home) as connection:
        before = read_current_from(connection, HOLDING)
    later = {
        "version": 2,
        "recorded_at": available_at(dt.date(2022, 12, 29)),
        "recorded_by": "test",
    }
    with transaction(home) as connection:
        insert(connection, HOLDING, [row | later for row in before.to_pylist()])
    copied = snapshot_clients(home, SESSION)[SNAPSHOT.index(HOLDING)]
    assert copied.rows == 2 * before.num_rows


def test_a_client_with_a_wrong_answer_is_left_out_everywhere_and_comes_back_once_right(
    home: Settings,
) -> None:
    before = clients_in_snapshot(home)
    bad = min(before["client"])
    break_in(home, f"UPDATE risk_profile SET max_loss_percent = 500 WHERE client_id = '{bad}'")
    after = clients_in_snapshot(home)
    assert before["client"] - after["client"] == {bad}
    assert all(len(after[name]) < len(before[name]) for name in ("goal", "account", "holding"))
    assert after["holding"] <= after["account"]
    (issue,) = issues(home)
    assert issue["client_id"] == bad
    assert issue["field"] == "risk_profile.max_loss_percent_is_in_range"
    assert "500" not in str(issue["cause"])
    break_in(home, f"UPDATE risk_profile SET max_loss_percent = 20 WHERE client_id = '{bad}'")
    assert clients_in_snapshot(home) == before
    assert issues(home) == []


def purchase(account_id: str, number: int, **changes: Any) -> dict[str, Any]:
    """A purchase of one share for ten dollars."""
    day = dt.date(2022, 12, 27)
    row = {
        "transaction_id": f"t{number}",
        "external_id": f"x{number}",
        "account_id": account_id,
        "kind": "buy",
        "symbol": "KO",
        "quantity_micros": 1_000_000,
        "price_micros": 10_000_000,
        "fee_cents": 0,
        "cash_cents": -1_000,
        "executed_at": available_at(day),
        "trade_date": day,
        "recorded_at": available_at(day),
        "recorded_by": "test",
    }
    return row | changes


def test_a_transaction_of_an_unknown_account_is_left_out_and_noted_and_blocks_nobody(
    home: Settings,
) -> None:
    before = clients_in_snapshot(home)
    account = min(before["account"])
    with transaction(home) as connection:
        insert(connection, TRANSACTION, [purchase(account, 1), purchase("nobody's", 2)])
    after = clients_in_snapshot(home)
    assert after == before | {"transaction": {"t1"}}
    (issue,) = issues(home)
    assert (issue["client_id"], issue["field"]) == (None, "transaction.owner_is_known")
    break_in(home, "DELETE FROM \"transaction\" WHERE transaction_id = 't2'")
    assert clients_in_snapshot(home) == after
    assert issues(home) == []


def test_a_client_with_an_impossible_transaction_is_left_out_with_a_reason(home: Settings) -> None:
    before = clients_in_snapshot(home)
    account = min(before["account"])
    early = purchase(account, 2, settlement_date=dt.date(2022, 12, 26))
    with transaction(home) as connection:
        insert(connection, TRANSACTION, [purchase(account, 1, price_micros=None), early])
    after = clients_in_snapshot(home)
    assert before["account"] - after["account"] >= {account}
    assert after["transaction"] == set()
    assert {issue["field"] for issue in issues(home)} == {
        "transaction.price_of_a_buy_is_present",
        "transaction.settlement_date_is_not_below_trade_date",
    }


def test_a_client_with_more_than_anybody_can_have_is_left_out_until_it_is_put_right(
    home: Settings,
) -> None:
    before = clients_in_snapshot(home)
    with connect(home) as connection:
        held = read_current_from(connection, HOLDING).to_pylist()
    account = min(before["account"])
    own = [row for row in held if row["account_id"] == account]

    def record(version: int, quantity_micros: int) -> None:
        said = {"version": version, "recorded_by": "test"}
        said["recorded_at"] = available_at(dt.date(2022, 12, 28)) + dt.timedelta(hours=version)
        rows = [row | said | {"quantity_micros": quantity_micros} for row in own]
        with transaction(home) as connection:
            insert(connection, HOLDING, rows)

    record(2, 9 * 10**18)
    assert before["account"] - clients_in_snapshot(home)["account"] >= {account}
    [issue] = issues(home)
    assert issue["field"] == "holding.quantity_micros_is_plausible"
    assert issue["cause"] == "the quantity micros is larger than anybody can have"
    record(3, 1_000_000)
    assert clients_in_snapshot(home) == before
    assert issues(home) == []


def test_a_payment_that_nobody_can_make_counts_until_it_is_reversed(home: Settings) -> None:
    before = clients_in_snapshot(home)
    account = min(before["account"])
    cash = {"kind": "deposit", "symbol": "$CASH", "quantity_micros": 0, "price_micros": None}
    with transaction(home) as connection:
        insert(connection, TRANSACTION, [purchase(account, 1, cash_cents=9 * 10**18, **cash)])
    assert before["account"] - clients_in_snapshot(home)["account"] >= {account}
    undo = purchase(account, 2, cash_cents=-9 * 10**18, reverses="t1", **cash)
    with transaction(home) as connection:
        insert(connection, TRANSACTION, [undo])
    assert clients_in_snapshot(home) == before | {"transaction": {"t1", "t2"}}


def test_a_planned_flow_that_nobody_can_pay_counts_until_it_is_cancelled(home: Settings) -> None:
    account = min(clients_in_snapshot(home)["account"])
    flow = {
        "cash_flow_id": "f",
        "account_id": account,
        "kind": "withdrawal",
        "amount_cents": 9 * 10**18,
        "frequency": "once",
        "first_date": dt.date(2023, 1, 31),
        "recorded_by": "test",
    }

    def record(version: int, status: str) -> None:
        at = available_at(SESSION) + dt.timedelta(hours=version)
        row = flow | {"version": version, "status": status, "recorded_at": at}
        with transaction(home) as connection:
            insert(connection, CASH_FLOW, [row])

    record(1, "planned")
    assert account not in clients_in_snapshot(home)["account"]
    record(2, "cancelled")
    assert account in clients_in_snapshot(home)["account"]


def test_great_expectations_agrees_on_client_inputs(home: Settings) -> None:
    from pipelines.quality.confirmation import confirm

    break_in(home, "UPDATE goal SET priority = 12")
    with transaction(home) as connection:
        insert(connection, TRANSACTION, [purchase("a", 1), purchase("a", 2, price_micros=None)])
        insert(connection, TRANSACTION, [purchase("a", 3, cash_cents=-(10**14) - 1)])
    with connect(home) as connection:
        for table in SNAPSHOT:
            verdict = judge_rows(
                table, CLIENT_SUITES[table.name], read_current_from(connection, table)
            )
            assert (len(verdict.rejected) > 0) == (table.name in ("goal", "transaction"))
            confirm(table, CLIENT_SUITES[table.name], verdict)
            rows = read_current_from(connection, table)
            verdict = judge_rows(table, PLAUSIBLE[table.name], rows)
            assert (len(verdict.rejected) > 0) == (table.name == "transaction")
            confirm(table, PLAUSIBLE[table.name], verdict)
