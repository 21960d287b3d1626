"""Verdicts belong to rules; a person's release takes them back, for what it speaks of only."""

from pathlib import Path

import pyarrow as pa
import pytest
from lake_examples import DAYS, FOREVER, LATER, RULES, append, bars, lake_of, values

from models.lake import PRICES
from pipelines.lake import (
    add_rejections,
    add_release,
    checked_files,
    compact,
    current_versions,
    dataset_files,
    mark_checked,
    read_as_of,
    rejections,
    releases,
    rules_in_force,
    unchecked_files,
    verdicts,
)
from pipelines.lake.quarantine import verdict_files
from pipelines.settings import Settings

OTHER_RULES = "1" * 64


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    home = lake_of(tmp_path)
    append(home, DAYS[2], bars((symbol, day, 1.0) for symbol in "AB" for day in DAYS[:3]))
    return home


def judge(home: Settings, rules: str, *symbols: str, rule: str = "price_is_not_stale") -> None:
    """Reject all bars of some symbols and mark everything as checked."""
    rows = current_versions(home, PRICES, symbols)
    for name, value in (
        ("rule", rule),
        ("observed_value", "1"),
        ("reason", "it is wrong"),
        ("remedy", "mend it"),
    ):
        rows = rows.append_column(name, pa.array([value] * rows.num_rows, pa.string()))
    add_rejections(home, PRICES, rules, rows)
    mark_checked(home, PRICES, rules, DAYS[2], dataset_files(home, PRICES))


def release(home: Settings, symbol: str, first: int, last: int, rule: str | None = None) -> None:
    add_release(
        home,
        PRICES,
        symbol,
        first_session=DAYS[first],
        last_session=DAYS[last],
        rule=rule,
        released_by="a person",
        reason="the exchange confirms it",
        released_at=LATER,
    )


def rejected(home: Settings) -> list[tuple[str, object]]:
    rows = rejections(home, PRICES)
    return list(zip(rows["symbol"].to_pylist(), rows["session_date"].to_pylist(), strict=True))


def test_verdicts_count_under_the_rules_in_force_only(home: Settings) -> None:
    assert rules_in_force(home, PRICES) is None
    judge(home, RULES, "A", "B")
    assert len(rejected(home)) == 6
    assert unchecked_files(home, PRICES, OTHER_RULES) == dataset_files(home, PRICES)
    judge(home, OTHER_RULES, "A")
    assert rules_in_force(home, PRICES) == OTHER_RULES[:16]
    assert rejected(home) == [("A", day) for day in DAYS[:3]]
    assert checked_files(home, PRICES) == frozenset(dataset_files(home, PRICES))


def test_the_same_verdicts_twice_are_one_file(home: Settings) -> None:
    judge(home, RULES, "A")
    before = sorted((home.lake / "quarantine").rglob("*.parquet"))
    judge(home, RULES, "A")
    assert sorted((home.lake / "quarantine").rglob("*.parquet")) == before


def test_a_release_frees_the_sessions_that_it_names_and_no_others(home: Settings) -> None:
    judge(home, RULES, "A", "B")
    release(home, "A", 0, 1)
    assert rejected(home) == [("A", DAYS[2]), *(("B", day) for day in DAYS[:3])]
    assert verdicts(home, PRICES).num_rows == 6
    assert releases(home)["released_by"].to_pylist() == ["a person"]
    accepted = read_as_of(home, PRICES, DAYS[2], FOREVER, accepted=True)
    assert values(accepted) == {("A", DAYS[0]): 1.0, ("A", DAYS[1]): 1.0}


def test_a_release_of_one_rule_leaves_what_others_say(home: Settings) -> None:
    judge(home, RULES, "A", rule="price_is_not_stale")
    judge(home, RULES, "A", rule="fall_is_plausible")
    release(home, "A", 0, 2, rule="price_is_not_stale")
    assert set(rejections(home, PRICES)["rule"].to_pylist()) == {"fall_is_plausible"}
    assert len(rejected(home)) == 3


def test_a_release_outlives_the_rules_that_it_overruled(home: Settings) -> None:
    judge(home, RULES, "A")
    release(home, "A", 0, 2)
    judge(home, OTHER_RULES, "A")
    assert rejected(home) == []


def test_verdicts_under_the_same_rules_are_merged_and_count_as_before(home: Settings) -> None:
    for symbol in "AB":
        judge(home, RULES, symbol)
    judge(home, OTHER_RULES, "A")
    landed = {rules: verdict_files(home, PRICES, rules) for rules in (RULES, OTHER_RULES)}
    before = {rules: verdicts(home, PRICES, rules) for rules in landed}
    for files_removed in (0, 2):
        assert compact(home).files_removed == files_removed
        for rules, files in landed.items():
            assert verdicts(home, PRICES, rules).equals(before[rules])
            now = verdict_files(home, PRICES, rules)
            assert [file.path for file in now] == [file.path for file in files]
    assert len({file.held_by for file in verdict_files(home, PRICES, RULES)}) == 1
