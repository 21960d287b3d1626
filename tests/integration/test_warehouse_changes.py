"""What changed between two builds' inputs, symbol by symbol, and when nothing of a base serves."""

import datetime as dt
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_examples import DAYS, HOUR, LATER, RULES, append, bars, lake_of

from models.lake import ACTIONS, INSTRUMENTS, PRICES, RAW, UNIVERSE, quarantined
from models.vocabulary import Arrival
from pipelines.lake import (
    FileRecord,
    Manifest,
    add_rejections,
    add_release,
    arrow_schema,
    compact,
    declared,
    known_at_cut,
    landed_files,
    mark_checked,
    unchecked_files,
    without_rejected,
)
from pipelines.lake.files import read_rows, visible
from pipelines.lake.quarantine import release_files, verdict_files
from pipelines.lake.versions import newest_versions, within
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.warehouse.base import full_plan, rejections_of
from pipelines.warehouse.changes import Changes, Inputs, changes_since
from pipelines.warehouse.inputs import lay_out

BEFORE, TODAY = DAYS[5], DAYS[6]
SYMBOLS = ("A", "B", "SPY")


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Three symbols, the market among them, with bars until the day before."""
    home = lake_of(tmp_path)
    load(home, itertools.product(SYMBOLS, DAYS[:6]))
    describe(home, dict.fromkeys(SYMBOLS, "technology"))
    return home


def load(home: Settings, keys: Any, close: float = 1.0, session: dt.date = BEFORE) -> None:
    append(home, session, bars((symbol, day, close) for symbol, day in keys))


def observe(home: Settings, rows: Sequence[tuple[str, dt.date, float]], hours: int = 1) -> None:
    """Poll some bars so many hours after those of today count as known."""
    moment = available_at(TODAY) + hours * HOUR
    append(home, TODAY, bars(rows), moment, Arrival.POLLED)


def stamps(day: dt.date) -> dict[str, Any]:
    return {"known_at": available_at(day), "known_at_basis": "assumed", "ingest_session": day}


def describe(home: Settings, classes: dict[str, str], day: dt.date = DAYS[0]) -> None:
    rows = [
        {"source": "simulated", "symbol": symbol, "name": symbol, "asset_class": name}
        | {"currency": "USD", "expense_ratio_bps": 0, "substitute_group": symbol}
        | {"reference_weight": 1.0, "tradable": True}
        | stamps(day)
        for symbol, name in classes.items()
    ]
    table = pa.Table.from_pylist(rows, arrow_schema(INSTRUMENTS))
    append(home, day, table, available_at(day), table=INSTRUMENTS)


def join(home: Settings, symbol: str, since: dt.date, until: dt.date | None = None) -> None:
    row: dict[str, Any] = {"source": "simulated", "universe": "index", "symbol": symbol}
    row |= {"member_from": since, "member_until": until, **stamps(until or since)}
    table = pa.Table.from_pylist([row], arrow_schema(UNIVERSE))
    append(home, until or since, table, row["known_at"], table=UNIVERSE)


def act(home: Settings, symbol: str, day: dt.date, amount: float | None, hours: int = 0) -> None:
    moment = available_at(TODAY) + hours * HOUR if hours else available_at(day)
    row: dict[str, Any] = {"source": "simulated", "symbol": symbol, "kind": "split"}
    row |= {"session_date": day, "amount": amount, **stamps(day), "known_at": moment}
    table = pa.Table.from_pylist([row], arrow_schema(ACTIONS))
    append(home, TODAY, table, moment, table=ACTIONS)


def reject(home: Settings, symbol: str, day: dt.date, rules: str = RULES) -> None:
    """File a verdict on a bar that was known in the evening of its day."""
    row = {"source": "simulated", "symbol": symbol, "session_date": day, "rule": "positive_close"}
    row |= {"known_at": available_at(day), "observed_value": "1", "reason": "x", "remedy": "y"}
    add_rejections(
        home, PRICES, rules, pa.Table.from_pylist([row], arrow_schema(quarantined(PRICES)))
    )


def check(home: Settings, rules: str = RULES) -> None:
    mark_checked(home, PRICES, rules, TODAY, unchecked_files(home, PRICES, rules))


def inputs(home: Settings, session: dt.date, cut: dt.datetime | None = None) -> Inputs:
    """What a build of a session reads of the lake as it is now."""
    if not verdict_files(home, PRICES):
        check(home)
    cut = cut or known_at_cut(home, session)
    files = [
        FileRecord(file.path, file.digest, file.summary.rows)
        for table in RAW
        for file in (
            *visible(landed_files(home, "raw", table), session, cut),
            *visible(verdict_files(home, table), session, cut),
        )
    ]
    files += [FileRecord(path, "", 1) for path in release_files(home)]
    ordered = tuple(sorted(files, key=lambda file: file.path))
    manifest = Manifest(home.source.value, session, cut, ordered)
    return Inputs(manifest, rejections_of(home, manifest))


def changed(home: Settings, base: Inputs, new: Inputs) -> dict[str, dt.date]:
    """First sessions by symbol, where not everything changed."""
    changes = since(home, base, new)
    assert changes.everything is None
    rows = changes.symbols.to_pylist()
    assert rows == sorted(rows, key=lambda row: row["symbol"])
    return {row["symbol"]: row["first_session_date"] for row in rows}


def since(home: Settings, base: Inputs, new: Inputs) -> Changes:
    return changes_since(home, base, new, SYMBOLS)


def test_nothing_changed_between_two_looks_at_the_same_session(home: Settings) -> None:
    base = inputs(home, BEFORE)
    load(home, [("A", TODAY)], session=TODAY)
    assert changed(home, base, inputs(home, BEFORE)) == {}


def test_a_new_session_changes_the_symbols_that_have_a_bar_of_it(home: Settings) -> None:
    base = inputs(home, BEFORE)
    load(home, [("A", TODAY), ("SPY", TODAY)], session=TODAY)
    assert changed(home, base, inputs(home, TODAY)) == {"A": TODAY, "SPY": TODAY}


def test_later_rows_of_a_file_that_was_there_are_seen_now(home: Settings) -> None:
    load(home, [("A", day) for day in DAYS[6:]], session=DAYS[-1])
    base = inputs(home, BEFORE)
    new = inputs(home, DAYS[7])
    assert base.manifest.paths("raw", PRICES) == new.manifest.paths("raw", PRICES)[:1]
    assert changed(home, base, new) == {"A": DAYS[6]}
    assert changed(home, new, inputs(home, DAYS[8])) == {"A": DAYS[8]}


def test_a_restatement_that_is_observed_later_changes_its_session(home: Settings) -> None:
    base = inputs(home, BEFORE)
    observe(home, [("A", DAYS[2], 9.0), ("A", TODAY, 9.0)])
    assert changed(home, base, inputs(home, TODAY)) == {"A": DAYS[2]}


def test_what_a_later_moment_alone_reveals_changes_its_session(home: Settings) -> None:
    base = inputs(home, BEFORE)
    observe(home, [("A", DAYS[3], 9.0)])
    new = inputs(home, BEFORE, available_at(TODAY) + 2 * HOUR)
    assert changed(home, base, new) == {"A": DAYS[3]}


def test_late_history_changes_a_symbol_from_its_first_bar_on(home: Settings) -> None:
    base = inputs(home, BEFORE)
    load(home, [("C", day) for day in DAYS[:6]], session=TODAY)
    assert changed(home, base, inputs(home, TODAY)) == {"C": DAYS[0]}


def test_a_bar_that_is_rejected_at_once_changes_nothing(home: Settings) -> None:
    base = inputs(home, BEFORE)
    load(home, [("A", TODAY), ("B", TODAY)], session=TODAY)
    reject(home, "A", TODAY)
    assert changed(home, base, inputs(home, TODAY)) == {"B": TODAY}


def test_a_rejection_and_a_release_change_their_session(home: Settings) -> None:
    base = inputs(home, BEFORE)
    reject(home, "A", DAYS[3])
    rejected = inputs(home, BEFORE)
    assert changed(home, base, rejected) == {"A": DAYS[3]}
    add_release(
        home,
        PRICES,
        "A",
        first_session=None,
        last_session=None,
        rule=None,
        released_by="test",
        reason="right after all",
        released_at=LATER,
    )
    released = inputs(home, BEFORE)
    assert changed(home, rejected, released) == {"A": DAYS[3]}
    assert changed(home, base, released) == {}


def test_other_rules_change_what_they_judge_otherwise(home: Settings) -> None:
    reject(home, "A", DAYS[1])
    reject(home, "B", DAYS[2])
    check(home)
    base = inputs(home, BEFORE)
    others = "1" * 64
    reject(home, "B", DAYS[2], others)
    reject(home, "B", DAYS[4], others)
    check(home, others)
    new = inputs(home, BEFORE)
    assert new.manifest.paths("quarantine") != base.manifest.paths("quarantine")
    assert changed(home, base, new) == {"A": DAYS[1], "B": DAYS[4]}


def test_an_action_changes_its_ex_date_and_so_does_its_withdrawal(home: Settings) -> None:
    base = inputs(home, BEFORE)
    act(home, "A", TODAY, 2.0)
    act(home, "B", DAYS[2], 2.0, hours=1)
    with_actions = inputs(home, TODAY)
    assert changed(home, base, with_actions) == {"A": TODAY, "B": DAYS[2]}
    act(home, "B", DAYS[2], None, hours=2)
    assert changed(home, with_actions, inputs(home, TODAY)) == {"B": DAYS[2]}


def test_a_lake_file_that_is_gone_leaves_nothing_of_a_base(home: Settings) -> None:
    base = inputs(home, BEFORE)
    kept = tuple(file for file in base.manifest.files if "/prices/" not in file.path)
    new = Inputs(Manifest("simulated", TODAY, base.manifest.known_at_cut, kept), base.rejected)
    assert "no longer among the inputs" in (since(home, base, new).everything or "")


def test_a_member_of_past_sessions_who_comes_or_goes_concerns_all_ranks(home: Settings) -> None:
    join(home, "A", DAYS[0])
    base = inputs(home, BEFORE)
    join(home, "B", TODAY)
    assert changed(home, base, inputs(home, TODAY)) == {}
    join(home, "A", DAYS[0], until=TODAY)
    assert changed(home, base, inputs(home, TODAY)) == {}
    joined = inputs(home, TODAY)
    later = inputs(home, DAYS[7])
    assert changed(home, joined, later) == {}
    join(home, "B", DAYS[3])
    assert "was a member" in (since(home, later, inputs(home, DAYS[7])).everything or "")


def test_the_first_universe_of_a_source_concerns_all_ranks(home: Settings) -> None:
    base = inputs(home, BEFORE)
    join(home, "A", TODAY)
    assert "was a member" in (since(home, base, inputs(home, TODAY)).everything or "")


def test_another_class_of_a_symbol_with_bars_concerns_all_ranks(home: Settings) -> None:
    base = inputs(home, BEFORE)
    describe(home, {"NEW": "index"}, TODAY)
    assert changed(home, base, inputs(home, TODAY)) == {}
    describe(home, {"A": "index"}, TODAY)
    assert "A is of class index" in (since(home, base, inputs(home, TODAY)).everything or "")


def test_another_past_of_the_market_concerns_all_betas(home: Settings) -> None:
    base = inputs(home, BEFORE)
    load(home, [("SP500", TODAY), ("SPY", TODAY)], session=TODAY)
    assert changed(home, base, inputs(home, TODAY)) == {"SP500": TODAY, "SPY": TODAY}
    observe(home, [("SPY", DAYS[1], 9.0)])
    assert "the market SPY changed" in (since(home, base, inputs(home, TODAY)).everything or "")


def test_a_market_that_goes_before_the_one_there_was_concerns_all_betas(home: Settings) -> None:
    base = inputs(home, BEFORE)
    load(home, [("SP500", TODAY)], session=TODAY)
    changes = changes_since(home, base, inputs(home, TODAY), ("A", "^GSPC"))
    assert changes.everything == "the market is SP500 from now on"


def test_a_compaction_in_between_changes_nothing_and_hides_nothing(home: Settings) -> None:
    check(home)
    base = inputs(home, BEFORE)
    reject(home, "B", DAYS[1])
    load(home, [("A", TODAY)], session=TODAY)
    observe(home, [("A", DAYS[2], 9.0)])
    check(home)
    compact(home)
    assert changed(home, base, inputs(home, TODAY)) == {"A": DAYS[2], "B": DAYS[1]}


def test_history_that_landed_later_does_not_enter_an_earlier_manifest_by_a_compaction(
    home: Settings, tmp_path: Path
) -> None:
    check(home)
    before = inputs(home, BEFORE)
    load(home, [("C", day) for day in DAYS[:6]], session=TODAY)
    check(home)
    assert len(inputs(home, BEFORE).manifest.files) == len(before.manifest.files) + 1
    assert laid_out(home, before, tmp_path / "one") == {*SYMBOLS}
    compact(home)
    assert laid_out(home, before, tmp_path / "other") == {*SYMBOLS}
    assert laid_out(home, inputs(home, BEFORE), tmp_path / "now") == {*SYMBOLS, "C"}


def laid_out(home: Settings, of: Inputs, workspace: Path) -> set[str]:
    """The symbols whose prices dbt would see."""
    lay_out(home, of, full_plan(), workspace)
    rows = pq.read_table(workspace / "inputs" / "prices")
    return {*rows["symbol"].to_pylist()}


def accepted(home: Settings, of: Inputs) -> dict[tuple[str, dt.date], float]:
    """The accepted closes of a build's inputs, computed from all rows at once."""
    manifest, named = of.manifest, set(of.manifest.paths("raw", PRICES))
    files = [file for file in landed_files(home, "raw", PRICES) if file.path in named]
    rows = within(
        read_rows(home, PRICES, files), PRICES, manifest.session_date, manifest.known_at_cut
    )
    plain = declared(newest_versions(without_rejected(home, PRICES, rows), PRICES), PRICES)
    return {(row["symbol"], row["session_date"]): row["close"] for row in plain.to_pylist()}


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_miss_no_change_and_name_no_untouched_symbol(
    tmp_path: Path, seed: int
) -> None:
    """Against the difference of all accepted closes; a rejected restatement may be overstated."""
    generator = np.random.default_rng(seed)
    home = lake_of(tmp_path)
    names = [f"S{number}" for number in range(6)]
    load(home, itertools.product(names, DAYS[:3]), session=DAYS[2])
    check(home)
    before = inputs(home, DAYS[2])
    seen = accepted(home, before)
    for number, day in enumerate(DAYS[3:], start=3):
        moment = available_at(day) + HOUR
        today = [(name, day, 2.0) for name in names if generator.random() < 0.8]
        late = [
            (name, DAYS[generator.integers(number)], float(generator.integers(3, 100)))
            for name in names
            if generator.random() < 0.2
        ]
        append(home, day, bars([*today, *late]), moment, Arrival.POLLED)
        judged = [name for name in names if generator.random() < 0.1]
        for name in judged:
            reject(home, name, DAYS[generator.integers(number)])
        mark_checked(home, PRICES, RULES, day, unchecked_files(home, PRICES, RULES))
        now = inputs(home, day)
        sees = accepted(home, now)
        differs: dict[str, dt.date] = {}
        for name, session in {*seen, *sees}:
            if seen.get((name, session)) != sees.get((name, session)):
                differs[name] = min(session, differs.get(name, session))
        found = {
            row["symbol"]: row["first_session_date"]
            for row in changes_since(home, before, now, names).symbols.to_pylist()
        }
        assert set(differs) <= set(found) <= {name for name, _, _ in [*today, *late]} | {*judged}
        assert all(found[name] <= session for name, session in differs.items())
        before, seen = now, sees
