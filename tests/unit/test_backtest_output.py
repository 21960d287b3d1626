"""A backtest from a warehouse's tables to its page and tables."""

import csv
import json
import re
from pathlib import Path

import duckdb
import numpy as np
import pytest
from backtest_examples import SYMBOLS, history_of, instrument, log_returns

from pipelines.backtest.history import History, read_history
from pipelines.backtest.output import Backtest, write
from pipelines.backtest.results import remarks, rows_of
from pipelines.backtest.views import panel_of, recorded_view
from pipelines.backtest.walk import walk_forward
from pipelines.rebalance.policy import POLICY


def warehouse(history: History, left: str) -> duckdb.DuckDBPyConnection:
    """Return a warehouse that holds a history, of which one symbol was a member for 500 days."""
    connection = duckdb.connect()
    connection.execute("create schema staging; create table instrument (rank int)")
    fields = vars(instrument("AAA"))
    kinds = {bool: "boolean", int: "bigint", float: "double"}
    for name, value in fields.items():
        connection.execute(f"alter table instrument add {name} {kinds.get(type(value), 'varchar')}")
    for symbol in SYMBOLS:
        row = [None, *vars(instrument(symbol)).values()]
        connection.execute(f"insert into instrument values ({', '.join('?' * len(row))})", row)
    connection.execute(
        "create table price (symbol varchar, session_date date, log_return_1d double, "
        "simple_return_1d double)"
    )
    rows, columns = np.nonzero(history.observed)
    connection.executemany(
        "insert into price values (?, ?, ?, ?)",
        [
            (
                SYMBOLS[column],
                history.sessions[row].astype(object),
                float(history.log_return[row, column]) if row else None,
                float(history.simple_return[row, column]) if row else None,
            )
            for row, column in zip(rows, columns, strict=True)
        ],
    )
    connection.execute(
        "create table staging.stg_universe (symbol varchar, member_from date, member_until date)"
    )
    first, last = history.sessions[0].astype(object), history.sessions[499].astype(object)
    spells = [(symbol, first, last if symbol == left else None) for symbol in SYMBOLS]
    connection.executemany("insert into staging.stg_universe values (?, ?, ?)", spells)
    return connection


def test_a_history_is_read_as_the_warehouse_holds_it() -> None:
    expected = history_of(log_returns(520))
    with warehouse(expected, left="BBB") as connection:
        found = read_history(connection, "simulated")
    assert found.symbols == SYMBOLS
    assert (found.sessions == expected.sessions).all()
    assert (found.observed == expected.observed).all()
    assert np.isnan(found.log_return[0]).all()
    np.testing.assert_array_equal(found.log_return[1:], expected.log_return[1:])
    np.testing.assert_array_equal(found.simple_return[1:], expected.simple_return[1:])
    assert found.member[:500].all()
    assert found.member[500:].all(axis=0).tolist() == [symbol != "BBB" for symbol in SYMBOLS]


@pytest.fixture(scope="module")
def done() -> Backtest:
    history = history_of(log_returns(520))
    nothing = recorded_view(panel_of(history), None)
    walk = walk_forward(history, nothing, nothing, POLICY, (20, 80))
    notes = remarks(walk, history, nothing, nothing, POLICY)
    return Backtest(history, walk, rows_of(walk, history), notes)


def test_files_say_what_was_walked(done: Backtest, tmp_path: Path) -> None:
    paths = {path.name: path for path in write(done, tmp_path / "new")}
    wealth = list(csv.DictReader(paths["wealth.csv"].open()))
    assert len(wealth) == len(done.walk.wealth)
    assert wealth[-1]["session_date"] == str(done.last)
    assert float(wealth[-1]["equal_weight"]) == pytest.approx(done.walk.wealth[-1, 6], rel=1e-11)
    figures = json.loads(paths["backtest.json"].read_text())
    assert len(figures["strategies"]) == 10
    assert figures["trials"] == 2 + 3  # without views; reference weights are equal ones here
    assert figures["strategies"][5]["key"] == "none_80"
    assert figures["strategies"][6]["sharpe"] == pytest.approx(done.rows[6].sharpe)
    sums: dict[tuple[str, str], float] = {}
    for row in csv.DictReader(paths["weights.csv"].open()):
        key = row["traded_on"], row["strategy"]
        sums[key] = sums.get(key, 0.0) + float(row["weight"])
    assert len(sums) == len(done.walk.decided) * 10
    assert max(sums.values()) == pytest.approx(1.0)


def test_the_page_needs_nothing_beside_it_and_warns_first(done: Backtest, tmp_path: Path) -> None:
    text = write(done, tmp_path)[0].read_text()
    assert not re.search(r"(src|href)=\"(?!#)", text)
    assert (
        text.index("HINDSIGHT") < text.index("Forecasts made no difference") < text.index("<table")
    )
    assert text.count("<svg") == 3  # wealth, drawdown, and one portfolio, as no view has an effect


def test_the_same_backtest_writes_the_same_bytes(done: Backtest, tmp_path: Path) -> None:
    first, again = write(done, tmp_path / "first"), write(done, tmp_path / "again")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
