"""Generated clients in the real store, on both databases."""

import datetime as dt
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from new_stores import make_store
from stored import read_current

from models.store_inputs import ACCOUNT, CLIENT, CLIENT_IDENTITY, GOAL, HOLDING, INPUTS
from models.vocabulary import CASH
from pipelines.clients import count_clients, generate, import_csv
from pipelines.clients.generate import draw_client
from pipelines.clients.records import Client
from pipelines.errors import ClientInputError, SessionError, SourceError, StoreError
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, tables


def contents(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every input table, all versions."""
    with connect(settings) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(tables[table.name]))))
            for table in INPUTS
        }


def test_the_same_seed_gives_the_same_rows_in_any_store(store: Settings, tmp_path: Path) -> None:
    other = load_settings({}, home=tmp_path / "other")
    make_store(other)
    generate(store, 40, seed=3)
    generate(other, 25, seed=3)
    generate(other, 40, seed=3)
    assert contents(store) == contents(other)


def test_generating_again_changes_nothing_and_says_so(store: Settings) -> None:
    generate(store, 30, seed=3)
    before = contents(store)
    again = generate(store, 30, seed=3)
    assert contents(store) == before
    assert (again.added, again.present) == (0, 30)
    assert str(again) == "nothing to do: all 30 clients of seed 3 are there"


def test_other_seeds_add_other_clients(store: Settings) -> None:
    generate(store, 10, seed=3)
    report = generate(store, 10, seed=4)
    assert report.added == 10
    assert count_clients(store) == 20


def test_every_account_has_its_goal_and_its_cash(store: Settings) -> None:
    generate(store, 50, seed=3)
    goals = {row["goal_id"]: row["client_id"] for row in read_current(store, GOAL).to_pylist()}
    accounts = read_current(store, ACCOUNT).to_pylist()
    cash = {
        row["account_id"]
        for row in read_current(store, HOLDING).to_pylist()
        if row["symbol"] == CASH
    }
    assert accounts
    assert all(goals[row["goal_id"]] == row["client_id"] for row in accounts)
    assert cash == {row["account_id"] for row in accounts}


def test_the_session_decides_on_prices_and_on_the_recorded_moment(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path, session="2013-12-31")
    make_store(settings)
    generate(settings, 20, seed=3)
    symbols = {row["symbol"] for row in read_current(settings, HOLDING).to_pylist()}
    moments = {row["recorded_at"] for row in read_current(settings, CLIENT).to_pylist()}
    assert moments == {dt.datetime(2014, 1, 1, 1, tzinfo=dt.UTC)}
    assert "AAPL" in symbols
    assert "MTUM" not in symbols, "the factor funds begin in 2014"


def test_the_session_before_the_population_existed_gives_nobody_unborn(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path, session="1990-01-02")
    make_store(settings)
    generate(settings, 20, seed=3)
    births = [row["birth_date"] for row in read_current(settings, CLIENT_IDENTITY).to_pylist()]
    assert max(births) < dt.date(1970, 1, 1)


def test_a_reference_that_an_imported_client_has_is_named_and_nothing_is_written(
    store: Settings, client_file: Callable[..., Path]
) -> None:
    taken = {"external_ref": "generated-7-000002", "full_name": "Wilhelmina Quackenbush"}
    import_csv(store, client_file(taken))
    before = contents(store)
    with pytest.raises(ClientInputError, match=r"'generated-7-000002'.*another origin") as caught:
        generate(store, 5, seed=7)
    assert "Quackenbush" not in str(caught.value)
    assert contents(store) == before
    generate(store, 5, seed=8)
    assert count_clients(store) == 6


def test_others_write_while_clients_are_drawn(
    store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process generates the same clients meanwhile: it neither waits nor is repeated."""
    generator = importlib.import_module("pipelines.clients.generate")

    def draw_slowly(*arguments: Any) -> Client:
        monkeypatch.setattr(generator, "draw_client", draw_client)
        generate(store, 2, seed=3)
        return draw_client(*arguments)

    monkeypatch.setattr(generator, "draw_client", draw_slowly)
    report = generate(store, 5, seed=3)
    assert (report.added, report.present) == (3, 2)
    assert count_clients(store) == 5


@pytest.mark.parametrize(
    ("settings", "count", "error", "message"),
    [
        ({}, 0, ClientInputError, "it is below 1"),
        ({"session": "2022-12-25"}, 1, SessionError, "XNYS is closed"),
        ({"session": "2023-01-03"}, 1, SessionError, "has no prices for it"),
        ({"source": "files"}, 1, SourceError, "which folder to read"),
    ],
)
def test_what_cannot_be_generated_is_refused_and_nothing_is_written(
    tmp_path: Path,
    settings: dict[str, str],
    count: int,
    error: type[Exception],
    message: str,
) -> None:
    chosen = load_settings({}, home=tmp_path, **settings)
    make_store(chosen)
    with pytest.raises(error, match=message):
        generate(chosen, count, seed=3)
    assert count_clients(chosen) == 0


def test_a_store_without_tables_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        generate(load_settings({}, home=tmp_path), 1, seed=3)
