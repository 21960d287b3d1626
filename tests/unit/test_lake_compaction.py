"""Compaction: fewer files, the same answers, nothing lost when it dies half-way."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from lake_examples import DAYS, FOREVER, HOUR, LATER, RULES, append, as_of, bars, lake_of

from models.lake import PRICES
from pipelines.errors import LakeError
from pipelines.lake import (
    compact,
    dataset_files,
    landed_files,
    mark_checked,
    read_files,
    restatements,
)
from pipelines.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return lake_of(tmp_path)


def fill(home: Settings) -> None:
    for number, day in enumerate(DAYS[:4]):
        append(home, day, bars([("A", day, 1.0), ("B", day, 2.0)]), LATER + number * HOUR)
    append(home, DAYS[4], bars([("A", DAYS[0], 5.0)]), LATER + 5 * HOUR)
    check(home)


def check(home: Settings) -> None:
    mark_checked(home, PRICES, RULES, DAYS[0], dataset_files(home, PRICES))


def parquet_files(home: Settings, area: str) -> list[Path]:
    return sorted((home.lake / area).rglob("*.parquet"))


def test_files_of_a_year_become_one_and_the_old_ones_go_with_the_next(home: Settings) -> None:
    fill(home)
    landed = dataset_files(home, PRICES)
    first = compact(home)
    assert (first.files_read, first.files_written, first.files_removed) == (5, 1, 0)
    assert len(parquet_files(home, "raw")) == 5
    second = compact(home)
    assert (second.files_read, second.files_written, second.files_removed) == (0, 0, 5)
    assert parquet_files(home, "raw") == []
    assert dataset_files(home, PRICES) == landed


def test_appends_and_compactions_may_alternate(home: Settings) -> None:
    fill(home)
    compact(home)
    compact(home)
    append(home, DAYS[5], bars([("A", DAYS[5], 1.0), ("B", DAYS[1], 7.0)]), LATER + 6 * HOUR)
    again = append(home, DAYS[5], bars([("A", DAYS[5], 1.0), ("B", DAYS[1], 7.0)]), LATER)
    assert again.files == ()
    check(home)
    before = as_of(home, DAYS[5], FOREVER), restatements(home), dataset_files(home, PRICES)
    assert compact(home).files_read == 2
    for _ in range(2):
        assert as_of(home, DAYS[5], FOREVER) == before[0]
        assert restatements(home).equals(before[1])
        assert dataset_files(home, PRICES) == before[2]
        compact(home)
    assert len(parquet_files(home, "compacted")) == 1


def test_rows_without_a_verdict_stay_apart_from_those_with_one(home: Settings) -> None:
    fill(home)
    checked = dataset_files(home, PRICES)
    append(home, DAYS[5], bars([("A", DAYS[5], 9.0)]), LATER + 6 * HOUR)
    for _ in range(2):
        compact(home)
        accepted = read_files(home, PRICES, checked)
        assert accepted.num_rows == 9
        assert DAYS[5] not in accepted["session_date"].to_pylist()
    check(home)
    assert compact(home).files_read == 2
    assert len(dataset_files(home, PRICES)) == 6


def test_a_compaction_that_dies_before_it_removes_anything_changes_nothing(
    home: Settings,
) -> None:
    fill(home)
    before = as_of(home, DAYS[5], FOREVER)
    compact(home)
    [made] = parquet_files(home, "compacted")
    part = made.with_name(".1-0.part")
    made.rename(part)  # as if it had been killed before the file had its name
    assert as_of(home, DAYS[5], FOREVER) == before
    assert all(file.path == file.held_by for file in landed_files(home, "raw", PRICES))
    part.rename(made)
    assert as_of(home, DAYS[5], FOREVER) == before


def test_a_damaged_file_is_not_compacted_away(home: Settings) -> None:
    fill(home)
    path = parquet_files(home, "raw")[0]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(LakeError, match=f"{path.name}.*bytes changed"):
        compact(home)
    assert len(parquet_files(home, "raw")) == 5


def test_a_damaged_compacted_file_keeps_what_it_replaced(home: Settings) -> None:
    fill(home)
    compact(home)
    [made] = parquet_files(home, "compacted")
    spoiled = bytearray(made.read_bytes())
    spoiled[100] ^= 1
    made.write_bytes(spoiled)
    with pytest.raises(LakeError, match=f"{made.name}.*bytes changed"):
        compact(home)
    assert len(parquet_files(home, "raw")) == 5


def test_a_compacted_file_is_sorted_by_symbol_and_session(home: Settings) -> None:
    fill(home)
    compact(home)
    rows = pq.read_table(parquet_files(home, "compacted")[0], partitioning=None)
    keys = list(zip(rows["symbol"].to_pylist(), rows["session_date"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert len(keys) == 9
