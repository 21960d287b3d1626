"""A real warehouse and forecasts of it, in both databases."""

import datetime as dt
from pathlib import Path

import pytest
from made_once import made_once
from rebalance_runs import RECORDED, copy_home, make_run
from warehouse_inputs import SESSION, answers, proven_home

from models.store_inputs import ACCOUNT, CLIENT, GOAL, HOLDING, RISK_PROFILE
from pipelines.settings import Settings
from pipelines.store import insert, transaction
from pipelines.warehouse import transform


@pytest.fixture(scope="session")
def built_home(small_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a published warehouse of accounts that can trade, and some that cannot."""
    return made_once(tmp_path_factory, "rebalance", lambda home: _build(home, small_warehouse))


def _build(home: Path, proven: Settings) -> None:
    settings = proven_home(home, proven)
    versioned = RECORDED | {"version": 1}
    people = [f"dee-{number}" for number in range(6)]
    with transaction(settings) as store:
        insert(store, CLIENT, [{"client_id": name, **RECORDED} for name in people])
        insert(store, RISK_PROFILE, [answers(name) | versioned for name in people])
        insert(
            store,
            GOAL,
            [
                {"goal_id": f"{name}-goal", "client_id": name, "kind": "wealth", "priority": 1}
                | {"target_cents": 10_000_000, "target_date": dt.date(2040, 1, 1), **versioned}
                for name in people
            ],
        )
        insert(
            store,
            ACCOUNT,
            [
                {"account_id": name, "client_id": name, "goal_id": f"{name}-goal"}
                | {"tax_kind": "taxable", "cash_buffer_cents": 10_000, **versioned}
                | {"share_kind": "whole" if number % 2 else "fractional"}
                for number, name in enumerate(people)
            ],
        )
        insert(
            store,
            HOLDING,
            [
                {"account_id": name, "symbol": symbol, "quantity_micros": quantity, **versioned}
                for number, name in enumerate(people)
                for symbol, quantity in (
                    ("$CASH", (5_000 + number) * 1_000_000),
                    ("KO", (100 + 7 * number) * 1_000_000),
                )
            ],
        )
    transform(settings, SESSION)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, built_home: Path, tmp_path: Path) -> Settings:
    """A copy of the home with forecasts in a store of its own, on each database."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    return make_run(copy_home(built_home, tmp_path / "home", url))


@pytest.fixture
def sqlite_settings(built_home: Path, tmp_path: Path) -> Settings:
    return make_run(copy_home(built_home, tmp_path / "home"))
