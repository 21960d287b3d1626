"""Macro series, dividends and memberships are judged beside what came before them."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from models.declaration import Table
from models.lake import ACTIONS, MACRO, UNIVERSE
from pipelines.lake import arrow_schema
from pipelines.quality.judging import Verdict, judge_actions, judge_macro, judge_universe

Row = dict[str, Any]

MONTHS = [dt.date(1990 + month // 12, month % 12 + 1, 1) for month in range(36)]


def table(declared: Table, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, arrow_schema(declared))


def stamp(day: dt.date) -> Row:
    known_at = dt.datetime.combine(day, dt.time(22), dt.UTC) + dt.timedelta(days=40)
    return {
        "source": "simulated",
        "known_at": known_at,
        "known_at_basis": "vintage",
        "ingest_session": day,
    }


def rejected(verdict: Verdict, day: str) -> list[tuple[dt.date, str]]:
    rows = verdict.rejections
    return sorted(zip(rows[day].to_pylist(), rows["rule"].to_pylist(), strict=True))


def months(changed: dict[int, float], series: str = "FEDFUNDS", level: float = 5.0) -> list[Row]:
    """Return 36 months about a level, some values changed."""
    return [
        {
            "series_id": series,
            "observation_date": day,
            "value": changed.get(number, level * (1 + 0.02 * (number % 3))),
            **stamp(day),
        }
        for number, day in enumerate(MONTHS)
    ]


@pytest.mark.parametrize("factor", [0.01, 0.1, 10, 100])
@pytest.mark.parametrize(("series", "level"), [("CPIAUCSL", 130.0), ("FEDFUNDS", 5.0)])
def test_a_macro_value_in_another_unit_is_one_bad_row(
    series: str, level: float, factor: float
) -> None:
    verdict = judge_macro(table(MACRO, months({20: factor * level}, series, level)))
    assert rejected(verdict, "observation_date") == [(MONTHS[20], "value_is_plausible")]


def test_unemployment_and_rates_may_move_as_they_did_in_april_2020() -> None:
    unemployment = months({34: 4.4, 35: 14.8}, "UNRATE", 3.6)
    assert len(judge_macro(table(MACRO, unemployment)).rejected) == 0
    wide = {number: 1.2 + 0.13 * (number % 2) for number in range(34)}
    funds = months({**wide, 34: 0.65, 35: 0.05}, "FEDFUNDS")
    assert len(judge_macro(table(MACRO, funds)).rejected) == 0


def test_only_a_series_that_can_be_negative_may_be() -> None:
    (fell,) = rejected(judge_macro(table(MACRO, months({20: -5.0}))), "observation_date")
    assert fell == (MONTHS[20], "value_is_not_negative")
    around_zero = {number: 0.2 + 0.2 * (number % 2) for number in range(36)}
    spread = months({**around_zero, 20: -0.05}, "T10Y2Y")
    assert len(judge_macro(table(MACRO, spread)).rejected) == 0


def test_a_month_dated_inside_itself_is_rejected_and_the_next_is_not() -> None:
    rows = months({})
    rows[20]["observation_date"] = MONTHS[20].replace(day=15)
    verdict = judge_macro(table(MACRO, rows))
    assert rejected(verdict, "observation_date") == [
        (MONTHS[20].replace(day=15), "period_begins_with_a_month")
    ]


@pytest.mark.parametrize("cut", [1, 11, 20, 21, 30])
def test_macro_verdicts_are_the_same_in_two_parts_and_at_once(cut: int) -> None:
    rows = months({15: 500.0, 20: 0.05, 21: 0.051, 28: 60.0})
    whole = rejected(judge_macro(table(MACRO, rows)), "observation_date")
    assert len(whole) == 4
    first = judge_macro(table(MACRO, rows[:cut]))
    accepted = [row for place, row in enumerate(rows[:cut]) if place not in first.rejected]
    second = judge_macro(table(MACRO, rows[cut:]), table(MACRO, accepted))
    parts = [rejected(part, "observation_date") for part in (first, second)]
    assert sorted(parts[0] + parts[1]) == whole


def dividends(amounts: list[float], kind: str = "dividend") -> list[Row]:
    days = MONTHS[::3][: len(amounts)]
    return [
        {"symbol": "ONE", "session_date": day, "kind": kind, "amount": amount, **stamp(day)}
        for day, amount in zip(days, amounts, strict=True)
    ]


def test_a_dividend_in_cents_is_rejected_and_those_after_it_are_not() -> None:
    verdict = judge_actions(table(ACTIONS, dividends([0.5, 0.5, 0.52, 52.0, 0.52, 0.52, 0.52])))
    assert rejected(verdict, "session_date") == [(MONTHS[9], "dividend_is_not_in_cents")]


def test_a_special_dividend_like_microsofts_passes() -> None:
    verdict = judge_actions(table(ACTIONS, dividends([0.08, 0.08, 3.0, 0.08])))
    assert len(verdict.rejected) == 0


def test_capital_gains_are_as_uneven_as_they_are() -> None:
    rows = dividends([0.01, 0.02, 4.0], kind="capital_gain")
    assert len(judge_actions(table(ACTIONS, rows)).rejected) == 0


@pytest.mark.parametrize("cut", [1, 3, 4, 5])
def test_dividends_are_judged_the_same_in_two_parts_and_at_once(cut: int) -> None:
    rows = dividends([0.5, 0.5, 50.0, 0.5, 50.0, 0.5, 60.0])
    whole = rejected(judge_actions(table(ACTIONS, rows)), "session_date")
    first = judge_actions(table(ACTIONS, rows[:cut]))
    second = judge_actions(table(ACTIONS, rows[cut:]), table(ACTIONS, rows[:cut]))
    assert rejected(first, "session_date") + rejected(second, "session_date") == whole
    assert len(whole) == 3


def membership(symbol: str, begin: dt.date, until: dt.date | None, told: dt.date) -> Row:
    member = {"universe": "core", "symbol": symbol, "member_from": begin, "member_until": until}
    return {**member, **stamp(told)}


def judged(rows: list[Row], past: list[Row] | None = None) -> list[tuple[dt.date, str]]:
    earlier = None if past is None else table(UNIVERSE, past)
    return rejected(judge_universe(table(UNIVERSE, rows), ["ONE"], earlier), "member_from")


def test_a_member_must_be_an_instrument() -> None:
    rows = [membership("GHOST", MONTHS[0], None, MONTHS[0])]
    assert judged(rows) == [(MONTHS[0], "member_is_known")]


def test_a_member_that_left_may_come_back_but_not_join_twice() -> None:
    joined = membership("ONE", MONTHS[0], None, MONTHS[0])
    left = membership("ONE", MONTHS[0], MONTHS[5], MONTHS[5])
    back = membership("ONE", MONTHS[9], None, MONTHS[9])
    assert judged([joined, left, back]) == []
    assert judged([back], [joined, left]) == []
    assert judged([back], [joined]) == [(MONTHS[9], "membership_does_not_overlap")]
    assert judged([joined, back]) == [(MONTHS[9], "membership_does_not_overlap")]


def test_a_later_end_does_not_change_what_was_said_of_an_overlap() -> None:
    joined = membership("ONE", MONTHS[0], None, MONTHS[0])
    back = membership("ONE", MONTHS[9], None, MONTHS[9])
    left = membership("ONE", MONTHS[0], MONTHS[5], MONTHS[20])
    assert judged([joined, back, left]) == [(MONTHS[9], "membership_does_not_overlap")]
