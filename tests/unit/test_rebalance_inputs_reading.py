"""Marts of a warehouse file become arrays aligned to the market's symbols."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from marts import account, holding, profile, write_marts
from rebalance_examples import PRICES
from shards_read import MARKET, NO_RUNS, no_store, one, shards

from models.vocabulary import GoalKind, TaxKind
from pipelines.rebalance.inputs.reading import read_shard
from pipelines.rebalance.inputs.screening import (
    ACCOUNT_ISSUES,
    GOAL_ISSUES,
    AccountIssue,
    GoalIssue,
    why_left_alone,
)
from pipelines.rebalance.inputs.shard_plan import first_clients, plan_shards
from pipelines.warehouse import connect


def dollars(symbol: str) -> float:
    return PRICES[symbol] / 1_000_000


def same(one: Any, other: Any) -> bool:
    """Whether two dataclasses of arrays hold the same bits."""
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    return bool(one.equals(other)) if isinstance(one, pa.Array) else bool(one == other)


def test_accounts_are_aligned_by_name_whatever_the_order_of_rows(tmp_path: Path) -> None:
    rows = {
        "account": [
            account("a2", "c1"),
            account("a1", "c1", share_kind="whole", tax_kind="tax_free"),
        ],
        "client_profile": [profile("c1")],
        "account_holding": [
            holding("a2", "c1", "CCC", 3, dollars("CCC")),
            holding("a1", "c1", "BBB", 2, dollars("BBB")),
            holding("a1", "c1", "AAA", 1.5, dollars("AAA")),
        ],
    }
    shard = one(write_marts(tmp_path / "w.duckdb", **rows))
    turned = {name: list(reversed(of)) for name, of in rows.items()}
    assert same(shard, one(write_marts(tmp_path / "turned.duckdb", **turned)))
    accounts = shard.accounts
    assert accounts.account_id.to_pylist() == ["a1", "a2"]
    assert accounts.goal.tolist() == [0, 0]
    assert accounts.tax_kind.tolist() == [2, 0]
    assert accounts.is_whole.tolist() == [True, False]
    held = {
        (row, MARKET.symbols[column]): int(accounts.held_micros[row, column])
        for row, column in zip(*np.nonzero(accounts.held_micros), strict=True)
    }
    assert held == {(0, "AAA"): 1_500_000, (0, "BBB"): 2_000_000, (1, "CCC"): 3_000_000}
    assert accounts.value_cents[0, MARKET.symbols.index("AAA")] == round(
        1.5 * PRICES["AAA"] / 10_000
    )
    assert (accounts.wealth_cents == 10_000 + accounts.value_cents.sum(axis=1)).all()
    assert accounts.issue.tolist() == [0, 0]


def test_goals_carry_wishes_by_symbol_and_by_class(tmp_path: Path) -> None:
    wishes = {"excluded_symbols": ["CCC", "NOWHERE"], "excluded_classes": ["technology", "bond"]}
    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account("a1", "c1")],
        client_profile=[
            profile("c2", issue="no_account", goal_kind="house", max_symbol_weight=0.2),
            profile("c1", **wishes, issue="target_date_passed", horizon_days=-1),
        ],
    )
    goals = one(path).goals
    assert goals.client_id.to_pylist() == ["c1", "c2"]
    excluded = [MARKET.symbols[column] for column in np.flatnonzero(goals.excluded[0])]
    assert excluded == ["AAA", "BBB", "CCC"]
    assert not goals.excluded[1].any()
    assert goals.symbol_cap.tolist() == [1.0, 0.2]
    assert [tuple(GoalKind)[number] for number in goals.kind] == ["wealth", "house"]
    assert [GOAL_ISSUES[number] for number in goals.issue] == [
        GoalIssue.TARGET_DATE_PASSED,
        GoalIssue.NO_ACCOUNT,
    ]
    assert goals.target_day[0] == (dt.date(2040, 1, 1) - dt.date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("changes", "held", "issue", "sentence"),
    [
        ({}, [("XXX", 1, None), ("QQQ", 2, None)], "unpriced_holding",
         "there is no current price for QQQ, XXX"),
        ({}, [("XXX", 0, None)], "none", ""),
        ({}, [("BBB", -1, 9.87), ("AAA", 5, 131.29)], "short_position",
         "the account owes shares of BBB"),
        ({"cash_micros": -1}, [("AAA", 5, 131.29)], "negative_cash",
         "the account's cash is below zero: it has to be paid in"),
        ({"cash_micros": 9_999}, [], "empty", "the account is empty"),
        ({}, [("AAA", 9e12, 131.29)], "too_large",
         "it holds more than we can advise on"),
        ({}, [("GONE", 9e12, 3)], "too_large",
         "it holds more than we can advise on"),
        ({"cash_micros": 9 * 10**18}, [], "too_large",
         "it holds more than we can advise on"),
        ({"goal_id": "c2-goal"}, [], "goal_missing",
         "the account serves a goal that does not exist"),
        ({"goal_id": "c3-goal", "client_id": "c3"}, [], "no_risk_profile",
         "the questionnaire on risk has not been answered"),
        ({"cash_micros": -1}, [("XXX", 1, None)], "unpriced_holding",
         "there is no current price for XXX"),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_advised_on_says_why(
    tmp_path: Path,
    changes: dict[str, Any],
    held: list[tuple[str, float, float | None]],
    issue: str,
    sentence: str,
) -> None:
    client = changes.get("client_id", "c1")
    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account("a1", "c1") | changes],
        account_holding=[holding("a1", client, *position) for position in held],
        client_profile=[
            profile("c1"),
            profile("c2"),
            profile("c3", risk_score=1, issue="no_risk_profile"),
        ],
    )
    accounts = one(path).accounts
    assert ACCOUNT_ISSUES[accounts.issue[0]] == issue
    assert why_left_alone(accounts.issue, accounts.issue_detail).to_pylist() == [sentence]


def test_what_is_priced_but_not_in_the_market_is_frozen_and_holds_nothing(tmp_path: Path) -> None:
    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account("a1", "c1")],
        account_holding=[
            holding("a1", "c1", "YOUNG", 2, 10.5),
            holding("a1", "c1", "GONE", 1, 3),
            holding("a1", "c1", "$CASH", 100, 1),
        ],
        client_profile=[profile("c1")],
    )
    accounts = one(path).accounts
    assert accounts.frozen_cents.tolist() == [2_400]
    assert accounts.wealth_cents.tolist() == [12_400]
    assert not accounts.held_micros.any()
    assert ACCOUNT_ISSUES[accounts.issue[0]] is AccountIssue.NONE


def test_shards_part_the_clients_and_hold_each_once(tmp_path: Path) -> None:
    owners = ["c1", "c1", "c1", "c2", "c3", "c3", "c4", "c6", "c6", "c6", "c6"]
    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account(f"a{number:02}", name) for number, name in enumerate(owners)],
        client_profile=[profile(f"c{number}") for number in range(8)],
    )
    parts = shards(path, size=3)
    whole = one(path)
    with connect(path) as warehouse:
        plans = plan_shards(warehouse, 3)
    assert [plan.accounts for plan in plans] == [3, 3, 1, 4]
    assert [len(part.accounts.account_id) for part in parts] == [3, 3, 1, 4]
    assert [part.number for part in parts] == [0, 1, 2, 3]
    goals = [name for part in parts for name in part.goals.goal_id.to_pylist()]
    assert goals == whole.goals.goal_id.to_pylist()
    assert len(goals) == 8
    names = [name for part in parts for name in part.accounts.account_id.to_pylist()]
    assert sorted(names) == whole.accounts.account_id.to_pylist()


def test_the_first_clients_of_a_shard_are_a_part_of_it(tmp_path: Path) -> None:
    names = [f"c{number}" for number in (0, 0, 1, 2, 2, 3, 4)]
    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account(f"a{place}", name) for place, name in enumerate(names)],
        client_profile=[profile(name) for name in sorted(set(names))],
    )
    with connect(path) as warehouse:
        first, second, *_ = plan_shards(warehouse, 5)
        part = first_clients(warehouse, first, 2)
        assert (part.first_client, part.end_client, part.accounts) == (None, "c2", 3)
        part = first_clients(warehouse, second, 1)
        assert (part.first_client, part.end_client, part.accounts) == ("c3", "c4", 1)
        assert first_clients(warehouse, first, 3) == first
        assert first_clients(warehouse, second, 200) == second


def test_a_shard_that_is_read_again_has_the_same_bits(tmp_path: Path) -> None:
    path = write_marts(
        tmp_path / "w.duckdb",
        account=[account(f"a{number}", f"c{number % 3}") for number in range(9)],
        account_holding=[
            holding(f"a{number}", f"c{number % 3}", symbol, number + 0.25, dollars(symbol))
            for number in range(9)
            for symbol in MARKET.symbols
        ],
        client_profile=[profile(f"c{number}") for number in range(3)],
    )
    with connect(path) as warehouse, no_store() as store:
        plan = plan_shards(warehouse, 3)[1]
        first = read_shard(warehouse, store, MARKET, NO_RUNS, plan)
    with connect(path) as warehouse, no_store() as store:
        warehouse.execute("SET threads = 1")
        assert same(first, read_shard(warehouse, store, MARKET, NO_RUNS, plan))


def test_tax_kinds_are_numbered_as_the_vocabulary_has_them() -> None:
    assert tuple(TaxKind)[:1] == (TaxKind.TAXABLE,)
    assert ACCOUNT_ISSUES[0] is AccountIssue.NONE
    assert GOAL_ISSUES[0] is GoalIssue.NONE
