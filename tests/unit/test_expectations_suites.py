"""The suites as data: every rule explains itself and speaks of columns that exist."""

import datetime as dt
import math
from typing import Any

import pytest

from expectations.instruments import instrument_suite
from expectations.prices import bar_suite, history_suite, move_limit
from models.declaration import Table
from models.lake import INSTRUMENTS, PRICES

DERIVED = {"asset_class", "log_move", "unchanged_sessions"}
BAR = bar_suite([dt.date(2020, 1, 2)], ["A"])
SUITES = [
    pytest.param(BAR, set(PRICES.column_names), id="bar"),
    pytest.param(history_suite(), set(PRICES.column_names) | DERIVED, id="history"),
    pytest.param(instrument_suite(), set(INSTRUMENTS.column_names), id="instruments"),
]


def rules(suite: Any) -> list[str]:
    return [expectation.meta["rule"] for expectation in suite.expectations]


def columns(expectation: Any) -> set[str]:
    names = {getattr(expectation, name, None) for name in ("column", "column_A", "column_B")}
    return {*names, *(getattr(expectation, "column_list", None) or ())} - {None}


@pytest.mark.parametrize(("suite", "known"), SUITES)
def test_rule_names_are_unique(suite: Any, known: set[str]) -> None:
    assert len(rules(suite)) == len(set(rules(suite)))


@pytest.mark.parametrize(("suite", "known"), SUITES)
def test_every_rule_has_reason_and_remedy_and_quotes_existing_columns(
    suite: Any, known: set[str]
) -> None:
    for expectation in suite.expectations:
        assert expectation.meta["reason"]
        assert expectation.meta["remedy"].endswith(".")
        assert columns(expectation) | set(expectation.meta["shows"]) <= known


@pytest.mark.parametrize(
    ("suite", "table"),
    [pytest.param(BAR, PRICES, id="bar"), pytest.param(instrument_suite(), INSTRUMENTS, id="ref")],
)
def test_what_the_declaration_demands_is_expected(suite: Any, table: Table) -> None:
    demanded = {f"{column.name}_is_present" for column in table if not column.nullable}
    demanded |= {f"{column.name}_is_in_vocabulary" for column in table if column.allowed}
    assert demanded | {"columns_are_declared", "key_is_unique"} <= set(rules(suite))
    (unique,) = (rule for rule in suite.expectations if rule.meta["rule"] == "key_is_unique")
    assert tuple(unique.column_list) == table.key


@pytest.mark.parametrize(
    ("asset_class", "log_move", "passes"),
    [
        ("index", math.log(224.84 / 282.70), True),  # S&P 500 on 19 October 1987
        ("index", -0.128, True),  # S&P 500 on 16 March 2020
        ("index", math.log(2), False),
        ("technology", math.log(0.391 / 0.812), True),  # Apple on 29 September 2000
        ("technology", math.log(10), False),
        (None, math.log(100), False),
    ],
)
def test_moves_that_happened_are_plausible_and_wrong_units_are_not(
    asset_class: str | None, log_move: float, passes: bool
) -> None:
    assert (abs(log_move) <= move_limit(asset_class)) is passes
