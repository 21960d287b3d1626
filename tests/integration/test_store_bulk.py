"""Arrow tables come back from both databases as they went in, and bad ones are refused."""

import datetime as dt
import sqlite3

import psycopg
import pyarrow as pa
import pytest

from models.declaration import Table
from models.store_advice import TARGET_ALLOCATION
from models.store_inputs import CLIENT
from models.store_ledger import TRANSACTION
from models.store_trades import TRADE, TRADE_LOT
from pipelines.lake import arrow_schema
from pipelines.settings import Settings
from pipelines.store import connect, insert_arrow, read, transaction
from pipelines.store.schema import tables

REFUSED = (sqlite3.IntegrityError, psycopg.errors.IntegrityError)
NOON = dt.datetime(2022, 12, 28, 12, 0, 0, 123456, tzinfo=dt.UTC)


def weights(**changes: list) -> pa.Table:
    """Three weights whose bits are hard to print, with texts that CSV has to quote."""
    columns = {
        "run_id": ["r"] * 3,
        "account_id": ['say "a", b', "line\nbreak", "Zoë \\N"],
        "symbol": ["$CASH", "", "null"],
        "weight": [0.1, 1 / 3, 5e-324],
        "current_weight": [1.7e300, -0.0, 1.0],
        "lower_bound": [0.0] * 3,
        "upper_bound": [1.0] * 3,
        "bound_binds": [True, False, True],
        "binding_constraint": ["turnover", None, None],
        "no_trade": [None, "cooldown", None],
        "goal_upper_bound": [1.0] * 3,
    }
    return typed(TARGET_ALLOCATION, columns | changes)


def typed(table: Table, columns: dict[str, list]) -> pa.Table:
    return pa.table(columns, schema=arrow_schema(table))


def written(store: Settings, table: Table, rows: pa.Table) -> pa.Table:
    with transaction(store) as connection:
        assert insert_arrow(connection, table, rows) == rows.num_rows
    with connect(store) as connection:
        return read(connection, table)


def test_rows_come_back_bit_by_bit_with_quotes_breaks_and_empty_texts(store: Settings) -> None:
    rows = weights()
    found = written(store, TARGET_ALLOCATION, rows)
    assert found.equals(rows.sort_by([("account_id", "ascending")]))


def test_dates_truths_and_nulls_come_back(store: Settings) -> None:
    trade = {"trade_id": ["t"], "run_id": ["r"], "account_id": ["a"], "symbol": ["X"]}
    amounts = {"quantity_micros": [2**63 - 1], "price_micros": [1], "notional_cents": [0]}
    rest = {"fee_cents": [0], "sequence": [1], "status": ["sent"], "side": ["buy"]}
    rows = typed(TRADE, trade | amounts | rest | {"valid_until": [dt.date(2022, 12, 29)]})
    assert written(store, TRADE, rows).equals(rows)
    lots = {"trade_id": ["t", "t"], "lot_id": ["one", "two"], "quantity_micros": [1, 2]}
    cents = {"proceeds_cents": [-3, 4], "basis_cents": [None, 5], "disallowed_cents": [0, 1]}
    rows = typed(TRADE_LOT, lots | cents | {"is_long_term": [None, False]})
    assert written(store, TRADE_LOT, rows).equals(rows)


def test_moments_come_back_with_microseconds(store: Settings) -> None:
    rows = typed(CLIENT, {"client_id": ["c"], "recorded_at": [NOON], "recorded_by": ["test"]})
    assert written(store, CLIENT, rows).equals(rows)


def test_a_table_whose_name_is_a_word_of_sql_is_written(store: Settings) -> None:
    values = {column.name: [None] for column in TRANSACTION}
    texts = {"transaction_id": ["x"], "external_id": ["e"], "account_id": ["a"], "kind": ["buy"]}
    numbers = {"quantity_micros": [1], "fee_cents": [0], "cash_cents": [-1]}
    dates = {"executed_at": [NOON], "trade_date": [NOON.date()], "recorded_at": [NOON]}
    other = {"symbol": ["X"], "recorded_by": ["test"]}
    rows = typed(TRANSACTION, values | texts | numbers | dates | other)
    assert written(store, TRANSACTION, rows).equals(rows)


def test_more_rows_than_one_part_all_arrive(store: Settings) -> None:
    count = (1 << 15) + 7
    one = weights().slice(0, 1)
    rows = pa.concat_tables([one] * count).set_column(
        1, arrow_schema(TARGET_ALLOCATION).field(1), pa.array([f"{n:06d}" for n in range(count)])
    )
    assert written(store, TARGET_ALLOCATION, rows).num_rows == count


@pytest.mark.parametrize(
    "change",
    [
        {"weight": [0.1, 0.2, 1.5]},
        {"weight": [0.1, 0.2, None]},
        {"current_weight": [0.0, float("nan"), 0.0]},
        {"no_trade": ["boredom", None, None]},
    ],
    ids=["range", "null", "nan", "word"],
)
def test_a_row_outside_its_declaration_is_refused(store: Settings, change: dict) -> None:
    with pytest.raises(REFUSED), transaction(store) as connection:
        insert_arrow(connection, TARGET_ALLOCATION, weights(**change))
    with connect(store) as connection:
        assert connection.execute(tables["target_allocation"].select()).all() == []


def test_columns_other_than_declared_are_refused_before_anything_is_written(
    store: Settings,
) -> None:
    rows = weights()
    for wrong in (rows.select(rows.column_names[:-1]), rows.rename_columns([*"abcdefghijk"])):
        with (
            pytest.raises(ValueError, match="declared otherwise"),
            transaction(store) as connection,
        ):
            insert_arrow(connection, TARGET_ALLOCATION, wrong)
