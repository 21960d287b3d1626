"""What earlier runs left in the store, on both databases: targets in force and open orders."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from marts import account, holding, profile, write_marts
from rebalance_examples import PRICES, SESSION, market

from models.store_advice import CLIENT_OUTCOME, TARGET_ALLOCATION
from models.store_runs import ADVICE_RUN
from models.store_trades import OPEN_ORDER, TRADE
from pipelines.rebalance.inputs.earlier_runs import read_earlier_runs, recorded_earlier_runs
from pipelines.rebalance.inputs.reading import read_shards
from pipelines.rebalance.inputs.screening import ACCOUNT_ISSUES, AccountIssue
from pipelines.rebalance.inputs.shard import Accounts
from pipelines.rebalance.inputs.targets_in_force import NANOS, targets_in_force
from pipelines.sessions import available_at, session_after
from pipelines.settings import Settings
from pipelines.store import connect, insert, transaction
from pipelines.warehouse import connect as connect_warehouse

MARKET = market()
A, B = MARKET.symbols.index("AAA"), MARKET.symbols.index("BBB")
YESTERDAY = session_after(SESSION, -1)
ODD = 'it\'s 100% "odd", {a}\\n'


def run(run_id: str, session: dt.date, status: str = "published", **changes: Any) -> dict[str, Any]:
    started = available_at(session)
    text = dict.fromkeys(ADVICE_RUN.column_names, "x")
    return (
        text
        | {
            "run_id": run_id,
            "source": "sample",
            "session_date": session,
            "status": status,
            "model_version": 1,
            "started_at": started,
            "published_at": started,
            "supersedes": None,
        }
        | changes
    )


def outcome(
    run_id: str, account_id: str, wrote: str | None, score: int | None = 40
) -> dict[str, Any]:
    return dict.fromkeys(CLIENT_OUTCOME.column_names) | {
        "run_id": run_id,
        "account_id": account_id,
        "client_id": "c1",
        "outcome": "rebalanced",
        "trigger": "drift",
        "allocation_run_id": wrote,
        "risk_score": score,
        "sentence": "",
        **dict.fromkeys(
            ("cash_before_cents", "sells_cents", "buys_cents", "fees_cents", "cash_after_cents"), 0
        ),
    }


def target(run_id: str, account_id: str, **weights: float) -> list[dict[str, Any]]:
    return [
        dict.fromkeys(TARGET_ALLOCATION.column_names)
        | {
            "run_id": run_id,
            "account_id": account_id,
            "symbol": symbol.replace("CASH", "$CASH"),
            "weight": weight,
            "current_weight": 0.0,
            "lower_bound": 0.0,
            "upper_bound": 1.0,
            "goal_upper_bound": 0.25,
            "bound_binds": False,
        }
        for symbol, weight in weights.items()
    ]


def trade(
    name: str, run_id: str, account_id: str, symbol: str, quantity: int, status: str, **changes: Any
) -> dict[str, Any]:
    return {
        "trade_id": name,
        "run_id": run_id,
        "account_id": account_id,
        "symbol": symbol,
        "side": "buy" if quantity > 0 else "sell",
        "quantity_micros": abs(quantity),
        "price_micros": 1_000_000,
        "notional_cents": 1,
        "fee_cents": 0,
        "sequence": 1,
        "status": status,
        "valid_until": SESSION,
    } | changes


def fill(store: Settings, runs: Sequence[Any], **rows: Sequence[Any]) -> None:
    declared = {"outcome": CLIENT_OUTCOME, "allocation": TARGET_ALLOCATION, "trade": TRADE}
    declared["orders"] = OPEN_ORDER
    with transaction(store) as connection:
        insert(connection, ADVICE_RUN, list(runs))
        for name, of in rows.items():
            insert(connection, declared[name], list(of))


def accounts_of(store: Settings, folder: Path, **rows: Any) -> Accounts:
    path = write_marts(folder / "w.duckdb", **rows)
    with connect_warehouse(path) as warehouse, connect(store) as connection:
        runs = read_earlier_runs(connection, "sample", SESSION)
        [shard] = read_shards(warehouse, connection, MARKET, runs)
    return shard.accounts


@pytest.fixture
def connected(store: Settings) -> Iterator[sa.Connection]:
    fill(
        store,
        [
            run("older", session_after(SESSION, -9)),
            run("newer", YESTERDAY),
            run("replaced", YESTERDAY, "superseded"),
            run("own", SESSION),
            run("others", YESTERDAY, source="yahoo"),
            run("tomorrow", session_after(SESSION)),
        ],
        outcome=[
            outcome("newer", "stays", "older", 33),
            outcome("newer", "fresh", "newer", None),
            outcome("newer", "held", None),
            outcome("newer", ODD, "newer"),
            outcome("older", "forgotten", "older"),
            outcome("own", "stays", "own"),
            outcome("replaced", "forgotten", "replaced"),
        ],
        allocation=[
            *target("older", "stays", AAA=0.125, BBB=1 / 3, CASH=1 - 0.125 - 1 / 3),
            *target("newer", "fresh", AAA=0.1, GONE=0.2, CASH=0.7),
            *target("newer", ODD, CASH=1.0),
            *target("newer", "held", AAA=1.0),
            *target("own", "stays", AAA=1.0),
            *target("older", "forgotten", AAA=1.0),
        ],
    )
    with connect(store) as connection:
        yield connection


def test_a_target_is_the_one_that_the_newest_published_run_before_says_is_in_force(
    connected: sa.Connection,
) -> None:
    names = pa.array(["fresh", "nobody", ODD, "stays", "held", "forgotten"])
    runs = read_earlier_runs(connected, "sample", SESSION)
    found = targets_in_force(connected, runs, names, MARKET.symbols)
    assert runs.target_run_id == "newer"
    assert runs.cash_since == available_at(YESTERDAY)
    assert found.run_id.to_pylist() == ["newer", None, "newer", "older", None, None]
    assert found.risk_score.tolist() == [0, 0, 40, 33, 0, 0]
    assert (found.nanos[[1, 4, 5]] == -1).all()
    assert (found.nanos[[0, 2, 3]].sum(axis=1) == NANOS).all()
    assert found.nanos[3, [A, B, -1]].tolist() == [125_000_000, 333_333_333, 541_666_667]
    assert found.nanos[0, [A, B, -1]].tolist() == [100_000_000, 0, 900_000_000]
    assert found.upper[3, [A, B]].tolist() == [0.25, 0.25]
    assert (np.delete(found.upper[3], [A, B]) == 0).all()


def test_targets_are_the_same_whichever_accounts_are_asked_for_with_them(
    connected: sa.Connection,
) -> None:
    runs = read_earlier_runs(connected, "sample", SESSION)
    many = pa.array([f"nobody-{number}" for number in range(3_000)] + ["stays"])
    alone = targets_in_force(connected, runs, pa.array(["stays"]), MARKET.symbols)
    among = targets_in_force(connected, runs, many, MARKET.symbols)
    assert among.nanos[-1].tobytes() == alone.nanos[0].tobytes()
    nobody = targets_in_force(connected, runs, pa.array([], pa.string()), MARKET.symbols)
    assert nobody.nanos.shape == (0, len(MARKET.symbols) + 1)


def test_without_an_earlier_run_nobody_has_a_target(store: Settings) -> None:
    with connect(store) as connection:
        runs = read_earlier_runs(connection, "sample", SESSION)
        found = targets_in_force(connection, runs, pa.array(["a"]), MARKET.symbols)
    assert (runs.target_run_id, runs.cash_since, runs.order_run_ids) == (None, None, ())
    assert (found.nanos == -1).all()
    assert found.run_id.to_pylist() == [None]


def bought(trade_id: str, quantity: int, **changes: Any) -> dict[str, Any]:
    return {
        "client_id": "c1",
        "account_id": "a1",
        "transaction_id": f"of-{trade_id}",
        "kind": "buy" if quantity > 0 else "sell",
        "trade_id": trade_id,
        "symbol": "AAA",
        "quantity_micros": quantity,
        "cash_cents": 0,
        "trade_date": YESTERDAY,
        "recorded_at": available_at(YESTERDAY),
    } | changes


def test_what_orders_will_still_change_counts_as_held_and_takes_its_cash(
    store: Settings, tmp_path: Path
) -> None:
    fill(
        store,
        [run("newer", YESTERDAY), run("stale", session_after(SESSION, -2))],
        trade=[
            trade("t1", "newer", "a1", "AAA", 3_000_000, "partly_filled"),
            trade("t2", "newer", "a1", "BBB", -2_000_000, "sent"),
            trade("t3", "newer", "a1", "CCC", 5_000_000, "filled"),
            trade("t4", "newer", "a1", "DDD", 5_000_000, "proposed"),
            trade("t5", "newer", "a1", "EEE", 5_000_000, "cancelled"),
            trade("t6", "stale", "a1", "FFF", 5_000_000, "sent", valid_until=YESTERDAY),
        ],
    )
    accounts = accounts_of(
        store,
        tmp_path,
        account=[account("a1", "c1", cash_micros=5_000_000_000)],
        account_holding=[holding("a1", "c1", "BBB", 10, PRICES["BBB"] / 1_000_000)],
        client_profile=[profile("c1")],
        account_transaction=[
            bought("t1", 1_000_000),
            bought("t3", 5_000_000),
            bought("t0", 7_000_000),
        ],
    )
    assert accounts.held_micros[0, [A, B]].tolist() == [2_000_000, 8_000_000]
    assert np.count_nonzero(accounts.held_micros) == 2
    spent = round(2 * PRICES["AAA"] / 10_000) - round(2 * PRICES["BBB"] / 10_000)
    assert accounts.cash_micros.tolist() == [5_000_000_000 - spent * 10_000]
    before = 500_000 + round(10 * PRICES["BBB"] / 10_000)
    assert abs(int(accounts.wealth_cents[0]) - before) <= 2
    assert ACCOUNT_ISSUES[accounts.issue[0]] is AccountIssue.NONE


def test_a_fill_that_the_build_does_not_know_is_an_order_still(
    store: Settings, tmp_path: Path
) -> None:
    fill(
        store,
        [run("newer", YESTERDAY)],
        trade=[trade("t1", "newer", "a1", "AAA", 3_000_000, "filled")],
    )
    accounts = accounts_of(
        store,
        tmp_path,
        account=[account("a1", "c1", cash_micros=5_000_000_000)],
        client_profile=[profile("c1")],
    )
    assert accounts.held_micros[0, A] == 3_000_000


@pytest.mark.parametrize("status", ["sent", "partly_filled", "filled"])
def test_an_account_whose_order_of_this_session_was_sent_is_blocked_and_no_other(
    store: Settings, tmp_path: Path, status: str
) -> None:
    fill(
        store,
        [run("own", SESSION, "superseded")],
        trade=[
            trade("t1", "own", "a1", "AAA", 3_000_000, status),
            trade("t2", "own", "a2", "AAA", 3_000_000, "proposed"),
        ],
    )
    accounts = accounts_of(
        store,
        tmp_path,
        account=[account("a1", "c1"), account("a2", "c1")],
        client_profile=[profile("c1")],
    )
    assert [ACCOUNT_ISSUES[number] for number in accounts.issue] == [
        AccountIssue.OPEN_ORDER,
        AccountIssue.NONE,
    ]


def test_a_replay_counts_what_its_run_counted_whatever_became_of_the_orders(
    store: Settings, tmp_path: Path
) -> None:
    fill(
        store,
        [run("earlier", YESTERDAY), run("own", SESSION, "superseded"), run("past", SESSION)],
        trade=[
            trade("t1", "earlier", "a1", "AAA", 3_000_000, "expired"),
            trade("t2", "earlier", "a1", "BBB", 2_000_000, "sent"),
            trade("t3", "own", "a2", "AAA", 1_000_000, "expired"),
        ],
        orders=[
            {"run_id": "past", "account_id": "a1", "trade_id": "t1", "left_micros": 2_000_000},
            {"run_id": "past", "account_id": "a2", "trade_id": "t3", "left_micros": 1_000_000},
        ],
    )
    write_marts(
        tmp_path / "w.duckdb",
        account=[account("a1", "c1"), account("a2", "c1"), account("a3", "c1")],
        client_profile=[profile("c1")],
        account_transaction=[bought("t1", 1_000_000)],
    )
    with connect(store) as connection, connect_warehouse(tmp_path / "w.duckdb") as warehouse:
        runs = recorded_earlier_runs(connection, "past", SESSION, ("earlier", YESTERDAY))
        [shard] = read_shards(warehouse, connection, MARKET, runs)
    assert shard.accounts.held_micros[:, A].tolist() == [2_000_000, 1_000_000, 0]
    assert shard.accounts.held_micros[:, B].tolist() == [0, 0, 0]
    assert [ACCOUNT_ISSUES[number] for number in shard.accounts.issue[:2]] == [
        AccountIssue.NONE,
        AccountIssue.OPEN_ORDER,
    ]
    assert shard.orders.trade_id.to_pylist() == ["t1", "t3"]
    assert shard.orders.left_micros.tolist() == [2_000_000, 1_000_000]
    assert (runs.target_run_id, runs.cash_since) == ("earlier", available_at(YESTERDAY))
