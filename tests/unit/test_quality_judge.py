"""The judge of price rows, on a made-up market whose numbers move like a stock's."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stock_bars import LAST, SESSIONS, Row, scale, stock, table

from expectations.prices import HISTORY_SUITE
from models.lake import ACTIONS
from pipelines.lake import arrow_schema
from pipelines.quality.judging import PriceJudge, Verdict
from pipelines.sessions import available_at


def judged(rows: list[Row], past: list[Row] | None = None, actions: Any = None) -> Verdict:
    symbols = sorted({row["symbol"] for row in rows})
    reference = pa.table({"symbol": symbols, "asset_class": ["technology"] * len(symbols)})
    earlier = None if past is None else table(past)
    return PriceJudge(reference).judge(table(rows), earlier, actions)


def rejected(verdict: Verdict) -> set[tuple[str, dt.date, str]]:
    rows = verdict.rejections.to_pylist()
    return {(row["symbol"], row["session_date"], row["rule"]) for row in rows}


def split_on(session: dt.date, ratio: float) -> pa.Table:
    row = {
        "source": "simulated",
        "symbol": "ACME",
        "session_date": session,
        "kind": "split",
        "amount": ratio,
        "known_at": available_at(session),
        "known_at_basis": "assumed",
        "ingest_session": SESSIONS[-1],
    }
    return pa.Table.from_pylist([row], arrow_schema(ACTIONS))


def test_a_clean_market_passes_whole() -> None:
    rows = [row for seed in range(10) for row in stock(f"S{seed}", seed)]
    assert rejected(judged(rows)) == set()


def test_a_bad_tick_is_one_bad_row() -> None:
    rows = stock()
    scale(rows[100], 100)
    assert {day for _, day, _ in rejected(judged(rows))} == {SESSIONS[100]}


def test_a_close_that_the_sources_own_return_contradicts_is_rejected() -> None:
    rows = stock()
    rows[100]["close"] = round((rows[100]["high"] + rows[100]["low"]) / 2, 2)
    rows[100]["adjusted_return_1d"] += 0.02
    assert ("ACME", SESSIONS[100], "adjusted_return_agrees") in rejected(judged(rows))


def test_a_split_passes_where_the_source_knows_it_and_only_there() -> None:
    rows = stock()
    for row in rows[100:]:
        scale(row, 0.5, shares=2)
    assert rejected(judged(rows, actions=split_on(SESSIONS[100], 2.0))) == set()
    assert ("ACME", SESSIONS[100], "adjusted_return_agrees") in rejected(judged(rows))
    for row in rows:
        row["adjusted_return_1d"] = None
    assert ("ACME", SESSIONS[100], "overnight_gap_is_no_split") in rejected(judged(rows))


def test_a_fall_that_the_whole_market_shares_passes_though_volumes_are_quiet() -> None:
    rows = [row for seed in range(10) for row in stock(f"S{seed}", seed)]
    for row in rows:
        if row["session_date"] >= SESSIONS[150]:
            scale(row, 0.78, shares=0.9)
            if row["session_date"] == SESSIONS[150]:
                row["adjusted_return_1d"] = None
    assert rejected(judged(rows)) == set()
    alone = [row for row in rows if row["symbol"] == "S1"]
    assert ("S1", SESSIONS[150], "fall_is_plausible") in rejected(judged(alone))


def test_a_large_fall_on_large_volume_passes() -> None:
    """As Apple's on 29 September 2000: -52 %, on 25 times the usual volume."""
    rows = stock()
    for row in rows[100:]:
        scale(row, 0.48)
    rows[100]["volume"] *= 25
    rows[100]["adjusted_return_1d"] = None
    assert rejected(judged(rows)) == set()


def test_a_bad_first_bar_does_not_keep_its_symbol_out_for_ever() -> None:
    rows = stock()
    scale(rows[0], 100)
    days = {day for _, day, _ in rejected(judged(rows))}
    assert days == set(SESSIONS[1:6])


def test_a_ticker_that_comes_back_after_a_long_hole_waits_for_a_person() -> None:
    rows = stock()
    back = rows[:60] + rows[160:]
    assert ("ACME", SESSIONS[160], "symbol_has_no_long_hole") in rejected(judged(back))


def test_a_copy_of_another_symbols_bar_is_rejected_and_the_original_is_not() -> None:
    one, two = stock("ONE", 1), stock("TWO", 2)
    for name in ("open", "high", "low", "close", "volume"):
        two[100][name] = one[100][name]
    two[100]["close"], two[101]["adjusted_return_1d"] = one[100]["close"], None
    found = rejected(judged(one + two))
    assert ("TWO", SESSIONS[100], "bar_is_not_shared") in found
    assert not any(symbol == "ONE" for symbol, _, _ in found)


def test_a_bar_before_the_close_of_its_session_is_unfinished() -> None:
    rows = stock()
    rows[LAST]["known_at"] = dt.datetime(2019, 12, 31, 18, tzinfo=dt.UTC)
    assert rejected(judged(rows)) == {("ACME", SESSIONS[LAST], "session_is_over")}


@pytest.mark.parametrize("name", [rule.name for rule in HISTORY_SUITE])
def test_every_history_rule_explains_itself(name: str) -> None:
    rule = HISTORY_SUITE[name]
    assert rule.reason
    assert rule.remedy
    assert rule.shows


spoilings = st.lists(
    st.tuples(st.integers(1, LAST), st.sampled_from([0.01, 0.4, 1.3, 2.0, 100.0])), max_size=6
)


@settings(max_examples=40, deadline=None)
@given(spoilings, st.integers(70, LAST))
def test_a_verdict_depends_on_no_later_bar(spoiled: list[tuple[int, float]], known: int) -> None:
    rows = stock()
    for number, factor in spoiled:
        scale(rows[number], factor)
    until = SESSIONS[known]
    whole = {one for one in rejected(judged(rows)) if one[1] <= until}
    assert rejected(judged(rows[: known + 1])) == whole


@settings(max_examples=40, deadline=None)
@given(spoilings, st.integers(70, LAST))
def test_judging_in_two_parts_and_at_once_agree(
    spoiled: list[tuple[int, float]], known: int
) -> None:
    rows = stock()
    for number, factor in spoiled:
        scale(rows[number], factor)
    first = rejected(judged(rows[:known]))
    bad = {day for _, day, _ in first}
    accepted = [row for row in rows[:known] if row["session_date"] not in bad]
    second = rejected(judged(rows[known:], past=accepted[-64:]))
    assert first | second == rejected(judged(rows))


def test_a_flat_bar_at_the_close_before_is_a_filled_one_where_shares_traded() -> None:
    rows = stock()
    before, bar = rows[199], rows[200]
    bar.update(dict.fromkeys(("open", "high", "low", "close"), before["close"]))
    bar["adjusted_return_1d"] = None
    assert {rule for _, _, rule in rejected(judged(rows[:201]))} == {"bar_is_not_flat"}
    bar["volume"] = 0.1 * before["volume"]
    assert rejected(judged(rows[:201])) == set()
