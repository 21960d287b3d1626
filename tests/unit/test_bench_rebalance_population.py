"""The made-up clientele is what marts promise, and the day after follows from trades."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from marts import READ_BY_REBALANCE, columns_of
from new_stores import make_store
from rebalance_examples import SESSION, market

from benchmarks.rebalance.made_up_ids import mixed_ids, sorted_ids
from benchmarks.rebalance.next_day import write_next_day
from benchmarks.rebalance.population import write_population
from models.store_trades import TRADE
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.reading import read_shards
from pipelines.rebalance.inputs.screening import ACCOUNT_ISSUES, AccountIssue
from pipelines.rebalance.inputs.shard import Shard
from pipelines.settings import Settings, load_settings
from pipelines.store import connect as connect_store
from pipelines.store import insert, transaction
from pipelines.warehouse import connect

MARKET = market()
COUNT = 6_000


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("population") / "w.duckdb"
    write_population(path, MARKET, SESSION, COUNT)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path / "home")
    make_store(settings)
    return settings


def read(path: Path) -> Shard:
    runs = EarlierRuns(SESSION, None, None, (), ())
    nobody = sa.create_engine("sqlite://")
    with connect(path) as warehouse, nobody.connect() as store:
        [shard] = read_shards(warehouse, store, MARKET, runs, COUNT)
    return shard


def test_its_marts_have_columns_that_dbt_promises(population: Path) -> None:
    with connect(population) as warehouse:
        for mart in READ_BY_REBALANCE:
            described = warehouse.sql(f"DESCRIBE {mart}").fetchall()
            found = {name: kind.lower() for name, kind, *_ in described}
            assert found.items() <= columns_of(mart).items(), mart


def test_it_has_as_many_accounts_as_asked_for_and_some_of_each_fault(population: Path) -> None:
    accounts = read(population).accounts
    assert len(set(accounts.account_id.to_pylist())) == COUNT
    named = set(accounts.issue.tolist())
    assert named == {
        number
        for number, issue in enumerate(ACCOUNT_ISSUES)
        if issue not in {AccountIssue.OPEN_ORDER, AccountIssue.TOO_LARGE}
    }
    assert (accounts.issue != 0).mean() < 0.02
    assert (accounts.held_micros >= 0).all(axis=1).mean() > 0.99


def test_lots_cover_what_is_held(population: Path) -> None:
    shard = read(population)
    lots, accounts = shard.lots, shard.accounts
    account = np.repeat(np.arange(COUNT), np.diff(lots.first))
    covered = np.zeros_like(accounts.held_micros)
    np.add.at(covered, (account, lots.symbol), lots.quantity_micros)
    assert (covered == np.maximum(accounts.held_micros, 0)).all()


def test_the_same_seed_gives_the_same_clients_and_another_one_does_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.duckdb" for number in range(3)]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        write_population(path, MARKET, SESSION, 300, seed=seed)
    first, again, other = (read(path).accounts for path in paths)
    assert first.account_id.equals(again.account_id)
    assert first.held_micros.tobytes() == again.held_micros.tobytes()
    assert first.cash_micros.tobytes() != other.cash_micros.tobytes()


def test_keys_are_all_different_and_sort_as_their_numbers() -> None:
    number = np.arange(50_000)
    ordered = sorted_ids(number, 50_000, 1).to_pylist()
    assert ordered == sorted(set(ordered))
    assert len(set(mixed_ids(number, 3).to_pylist()) | set(ordered)) == 100_000


def test_the_day_after_holds_what_was_traded_and_drifts_where_asked(
    population: Path, store: Settings, tmp_path: Path
) -> None:
    before = read(population).accounts
    rows = np.flatnonzero((before.issue == 0) & (before.held_micros > 0).all(axis=1))[:2]
    names = [before.account_id[int(row)].as_py() for row in rows]
    with transaction(store) as connection:
        insert(
            connection,
            TRADE,
            [
                {"trade_id": f"{name}{symbol}", "run_id": "r", "account_id": name}
                | {"symbol": symbol, "side": side, "quantity_micros": 500_000, "fee_cents": 2}
                | {"price_micros": 1, "notional_cents": 70, "sequence": 1, "status": "proposed"}
                | {"valid_until": dt.date(2022, 12, 29)}
                for name in names
                for symbol, side in (("AAA", "sell"), ("BBB", "buy"))
            ],
        )
    quiet, loud = tmp_path / "quiet.duckdb", tmp_path / "loud.duckdb"
    with connect_store(store) as connection:
        write_next_day(population, quiet, connection, "r", SESSION, drifted_share=0)
        write_next_day(population, loud, connection, "r", SESSION, drifted_share=0.5)
    after = read(quiet).accounts
    assert after.account_id.equals(before.account_id)
    changed = after.held_micros - before.held_micros
    expected = np.zeros_like(changed)
    expected[rows, 0], expected[rows, 1] = -500_000, 500_000
    assert (changed == expected).all()
    assert (after.cash_micros - before.cash_micros)[rows].tolist() == [-40_000, -40_000]
    drifted = (read(loud).accounts.held_micros != after.held_micros).any(axis=1)
    assert 0.4 < drifted.mean() < 0.6
