"""Rows come back from both databases as they went in, and bad ones are refused."""

import datetime as dt
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from stored import read_current

from models.store_forecasts import FORECAST
from models.store_inputs import CLIENT, CLIENT_IDENTITY, GOAL, HOLDING, INSTRUMENT, PREFERENCE
from models.store_ledger import TAX_LOT, TRANSACTION
from models.store_runs import ADVICE_RUN
from models.store_trades import TRADE
from pipelines.settings import Settings
from pipelines.store import connect, insert, read, tables, transaction, upsert
from pipelines.store.schema import declarations

NOON = dt.datetime(2022, 12, 28, 12, 0, 0, 123456, tzinfo=dt.UTC)
RECORDED = {"recorded_at": NOON, "recorded_by": "test"}
REFUSED = (sa.exc.IntegrityError, psycopg.errors.IntegrityError)


def client(name: str = "c1") -> dict[str, Any]:
    return {"client_id": name, **RECORDED}


def goal(**changes: Any) -> dict[str, Any]:
    row = {
        "goal_id": "g1",
        "version": 1,
        "client_id": "c1",
        "kind": "house",
        "target_cents": 100,
        "target_date": dt.date(2030, 1, 1),
        "priority": 1,
        **RECORDED,
    }
    return row | changes


def instrument(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": "AAPL",
        "source": "sample",
        "name": "Apple",
        "asset_class": "technology",
        "currency": "USD",
        "expense_ratio_bps": 0,
        "substitute_group": "AAPL",
        "reference_weight": 0.05,
        "tradable": True,
    }
    return row | changes


def holding(account: str, version: int, symbol: str, quantity: int = 1) -> dict[str, Any]:
    return {
        "account_id": account,
        "version": version,
        "symbol": symbol,
        "quantity_micros": quantity,
        **RECORDED,
    }


def run(**changes: Any) -> dict[str, Any]:
    row = {
        "run_id": "r1",
        "source": "sample",
        "session_date": dt.date(2022, 12, 28),
        "status": "building",
        "data_snapshot": "d",
        "feature_hash": "f",
        "model_name": "m",
        "model_version": 1,
        "mlflow_run_id": "x",
        "config_hash": "c",
        "history_hash": "h",
        "code_version": "v",
        "started_at": NOON,
    }
    return row | changes


def test_a_moment_of_any_zone_comes_back_as_the_same_moment_in_utc(store: Settings) -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    with transaction(store) as connection:
        insert(connection, CLIENT, [client() | {"recorded_at": NOON.astimezone(tokyo)}])
        connection.execute(tables["client"].insert(), {**client("c2"), "recorded_at": NOON})
    with connect(store) as connection:
        moments = connection.execute(sa.select(tables["client"].c.recorded_at)).scalars().all()
    assert moments == [NOON, NOON]
    assert {moment.tzinfo for moment in moments} == {dt.UTC}


def test_a_naive_moment_is_refused(store: Settings) -> None:
    naive = client() | {"recorded_at": NOON.replace(tzinfo=None)}
    with pytest.raises(ValueError, match="naive datetime"), transaction(store) as connection:
        insert(connection, CLIENT, [naive])
    with (
        pytest.raises(sa.exc.StatementError, match="naive datetime"),
        transaction(store) as connection,
    ):
        connection.execute(tables["client"].insert(), naive)


def test_the_largest_64_bit_integers_come_back_exactly(store: Settings) -> None:
    largest = 2**63 - 1
    with transaction(store) as connection:
        insert(connection, HOLDING, [holding("a", 1, "X", largest), holding("a", 1, "Y", -largest)])
    quantities = read_current(store, HOLDING)["quantity_micros"].to_pylist()
    assert quantities == [largest, -largest]


def test_numbers_come_back_bit_by_bit(store: Settings) -> None:
    weights = [0.1, 1 / 3, 5e-324, 1.7e300, 0.0]
    rows = [instrument(symbol=f"S{i}", reference_weight=w) for i, w in enumerate(weights)]
    with transaction(store) as connection:
        insert(connection, INSTRUMENT, rows)
    assert read_current(store, INSTRUMENT)["reference_weight"].to_pylist() == weights


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "yacht"},
        {"target_cents": 0},
        {"priority": 10},
        {"target_date": None},
        {"client_id": "nobody"},
    ],
)
def test_a_row_outside_its_declaration_is_refused(store: Settings, change: dict[str, Any]) -> None:
    with transaction(store) as connection:
        insert(connection, CLIENT, [client()])
    with pytest.raises(REFUSED), transaction(store) as connection:
        insert(connection, GOAL, [goal(**change)])
    assert read_current(store, GOAL).num_rows == 0


def test_the_database_itself_refuses_nan_and_infinity(store: Settings) -> None:
    for bad in (float("nan"), float("inf")):
        with pytest.raises(REFUSED), transaction(store) as connection:
            connection.execute(tables["instrument"].insert(), instrument(reference_weight=bad))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_cents": 1.5}, "goal.target_cents needs integer, not float"),
        ({"target_date": NOON}, "goal.target_date needs date, not datetime"),
        ({"kind": 3}, "goal.kind needs text, not int"),
        ({"colour": "red"}, "no columns \\['colour'\\]"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_but_not_shown(
    store: Settings, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message), transaction(store) as connection:
        insert(connection, GOAL, [goal(**change)])


def test_a_number_that_is_not_finite_is_refused_before_it_is_sent(store: Settings) -> None:
    nan = instrument(reference_weight=float("nan"))
    with (
        pytest.raises(ValueError, match=r"reference_weight needs float.*not finite"),
        transaction(store) as connection,
    ):
        insert(connection, INSTRUMENT, [nan])


def test_two_clients_cannot_share_an_external_reference(store: Settings) -> None:
    def identity(client_id: str) -> dict[str, Any]:
        return {
            "client_id": client_id,
            "external_ref": "same",
            "full_name": "A",
            "email": "a@example.com",
            "birth_date": dt.date(1980, 1, 1),
            **RECORDED,
        }

    with pytest.raises(REFUSED), transaction(store) as connection:
        insert(connection, CLIENT, [client("c1"), client("c2")])
        insert(connection, CLIENT_IDENTITY, [identity("c1"), identity("c2")])


def test_a_refused_row_is_not_quoted_since_an_errors_text_ends_in_logs(store: Settings) -> None:
    person = {
        "client_id": "c1",
        "external_ref": "REF-1",
        "full_name": "Wilhelmina Quackenbush",
        "email": None,
        "birth_date": dt.date(1961, 2, 3),
        **RECORDED,
    }
    for write in (insert, upsert):
        with pytest.raises(REFUSED) as caught, transaction(store) as connection:
            insert(connection, CLIENT, [client("c1")])
            write(connection, CLIENT_IDENTITY, [person])
        told = " ".join(traceback.format_exception(caught.value))
        assert "email" in told
        assert [word for word in ("REF-1", "Quackenbush", "1961") if word in told] == []


def test_writers_take_turns_so_that_nothing_is_added_twice(store: Settings) -> None:
    def add_unless_there() -> None:
        with transaction(store) as connection:
            if read(connection, CLIENT).num_rows == 0:
                time.sleep(0.2)
                insert(connection, CLIENT, [client()])

    with ThreadPoolExecutor(3) as pool:
        for writer in [pool.submit(add_unless_there) for _ in range(3)]:
            writer.result()


def test_the_current_version_is_each_owners_highest(store: Settings) -> None:
    with transaction(store) as connection:
        insert(
            connection,
            HOLDING,
            [
                holding("b", 1, "X"),
                holding("a", 1, "X"),
                holding("a", 1, "Y"),
                holding("a", 2, "Y", 5),
                holding("a", 2, "$CASH", 7),
            ],
        )
    current = read_current(store, HOLDING)
    assert current.select(["account_id", "version", "symbol", "quantity_micros"]).to_pylist() == [
        {"account_id": "a", "version": 2, "symbol": "$CASH", "quantity_micros": 7},
        {"account_id": "a", "version": 2, "symbol": "Y", "quantity_micros": 5},
        {"account_id": "b", "version": 1, "symbol": "X", "quantity_micros": 1},
    ]


def test_an_empty_table_is_read_with_its_declared_types(store: Settings) -> None:
    empty = read_current(store, PREFERENCE)
    assert empty.num_rows == 0
    assert empty.schema.field("limit_weight").type == pa.float64()
    assert empty.schema.field("recorded_at").type == pa.timestamp("us", tz="UTC")


def test_both_databases_read_in_the_same_order(store: Settings) -> None:
    names = ["b", "B", "a", "Z", "_", "é", "$CASH"]
    with transaction(store) as connection:
        insert(connection, CLIENT, [client(name) for name in names])
    assert read_current(store, CLIENT)["client_id"].to_pylist() == sorted(names)


def test_a_fill_that_is_reported_twice_is_refused(store: Settings) -> None:
    trade = {
        "trade_id": "t1",
        "run_id": "r1",
        "account_id": "a",
        "symbol": "AAPL",
        "side": "buy",
        "quantity_micros": 2_000_000,
        "price_micros": 150_000_000,
        "notional_cents": 30_000,
        "fee_cents": 0,
        "sequence": 1,
        "status": "sent",
        "valid_until": dt.date(2022, 12, 29),
    }
    fill = {
        "transaction_id": "x1",
        "external_id": "broker-1",
        "account_id": "a",
        "kind": "buy",
        "trade_id": "t1",
        "symbol": "AAPL",
        "quantity_micros": 2_000_000,
        "price_micros": 150_000_000,
        "fee_cents": 0,
        "cash_cents": -30_000,
        "executed_at": NOON,
        "trade_date": dt.date(2022, 12, 28),
        **RECORDED,
    }
    with transaction(store) as connection:
        insert(connection, ADVICE_RUN, [run()])
        insert(connection, TRADE, [trade])
        insert(connection, TRANSACTION, [fill])
    for again in (fill | {"transaction_id": "x2"}, fill | {"external_id": "broker-2"}):
        with pytest.raises(REFUSED), transaction(store) as connection:
            insert(connection, TRANSACTION, [again])
    of_no_trade = fill | {"transaction_id": "x3", "external_id": "broker-3", "trade_id": "t9"}
    with pytest.raises(REFUSED), transaction(store) as connection:
        insert(connection, TRANSACTION, [of_no_trade])
    assert read_current(store, TRANSACTION)["external_id"].to_pylist() == ["broker-1"]


def test_an_unknown_basis_is_null_and_not_zero(store: Settings) -> None:
    lot = {
        "account_id": "a",
        "version": 1,
        "lot_id": "l1",
        "symbol": "AAPL",
        "quantity_micros": 1_000_000,
        "carried_over_loss_cents": 0,
        **RECORDED,
    }
    with transaction(store) as connection:
        insert(connection, TAX_LOT, [lot])
    [row] = read_current(store, TAX_LOT).to_pylist()
    assert (row["basis_cents"], row["holding_period_start_date"]) == (None, None)


def test_upsert_replaces_by_key(store: Settings) -> None:
    with transaction(store) as connection:
        upsert(connection, INSTRUMENT, [instrument(), instrument(symbol="JPM")])
        upsert(connection, INSTRUMENT, [instrument(name="Apple Inc.")])
    assert read_current(store, INSTRUMENT)["name"].to_pylist() == ["Apple Inc.", "Apple"]


def test_what_fails_in_a_transaction_is_undone_as_a_whole(store: Settings) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield client("c1")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"), transaction(store) as connection:
        insert(connection, CLIENT, [client("c0")])
        insert(connection, CLIENT, rows())
    assert read_current(store, CLIENT).num_rows == 0


def test_a_reader_sees_one_state_while_a_writer_publishes(store: Settings) -> None:
    with connect(store) as reader:
        assert read(reader, CLIENT).num_rows == 0
        with transaction(store) as writer:
            insert(writer, CLIENT, [client()])
        assert read(reader, CLIENT).num_rows == 0
    with connect(store) as reader:
        assert read(reader, CLIENT).num_rows == 1


def test_the_current_views_show_the_newest_published_session_only(store: Settings) -> None:
    def forecast(run_id: str) -> dict[str, Any]:
        numbers = {name: 0.0 for name in FORECAST.column_names if name.endswith("_log_return")}
        return {
            "run_id": run_id,
            "symbol": "AAPL",
            "model_name": "m",
            "horizon_sessions": 21,
            "model_version": 1,
            "mlflow_run_id": "x",
            "interval_note": "",
            "unit": "log return",
            "confidence": 0.0,
            "serves": True,
            **numbers,
        }

    runs = [
        run(run_id="old", status="published", published_at=NOON + dt.timedelta(days=9)),
        run(run_id="new", status="published", session_date=dt.date(2022, 12, 29)),
        run(run_id="replaced", status="superseded", session_date=dt.date(2022, 12, 29)),
        run(run_id="unfinished", session_date=dt.date(2022, 12, 30)),
    ]
    with transaction(store) as connection:
        insert(connection, ADVICE_RUN, runs)
        insert(connection, FORECAST, [forecast(row["run_id"]) for row in runs])
    with connect(store) as connection:
        shown = connection.execute(sa.text("SELECT run_id FROM current_forecast")).scalars().all()
    assert shown == ["new"]


def test_every_table_is_declared_once() -> None:
    assert set(declarations) == set(tables)
