"""Versions in the lake: nothing is stored twice, nothing is forgotten, the past stays as it was."""

import datetime as dt
import math
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.lake import INSTRUMENTS, PRICES
from pipelines.lake import (
    append_versions,
    arrow_schema,
    current_versions,
    dataset_files,
    read_as_of,
)
from pipelines.lake.raw import newest_versions, visible_files
from pipelines.sessions import available_at, sessions_between
from pipelines.settings import Settings, load_settings

DAYS = sessions_between(dt.date(2022, 1, 3), dt.date(2022, 1, 14))
LATER = dt.datetime(2022, 3, 1, 12, tzinfo=dt.UTC)
FOREVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)

Values = dict[tuple[str, dt.date], float | None]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return load_settings({}, home=tmp_path, source="simulated")


def bars(rows: Iterable[tuple[str, dt.date, float | None]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "source": "simulated",
                "symbol": symbol,
                "session_date": day,
                "close": close,
                "known_at": available_at(day),
                "known_at_basis": "assumed",
            }
            for symbol, day, close in rows
        ],
        schema=arrow_schema(PRICES),
    )


def values(rows: pa.Table) -> Values:
    keys = zip(rows["symbol"].to_pylist(), rows["session_date"].to_pylist(), strict=True)
    return dict(zip(keys, rows["close"].to_pylist(), strict=True))


def as_of(home: Settings, session: dt.date, known_at: dt.datetime) -> Values:
    return values(read_as_of(dataset_files(home, PRICES), PRICES, session, known_at))


def test_the_same_delivery_twice_writes_one_file(home: Settings) -> None:
    delivery = bars([("A", DAYS[0], 1.0), ("A", DAYS[1], None), ("B", DAYS[1], math.nan)])
    assert append_versions(home, PRICES, DAYS[1], delivery, LATER).new_rows == 3
    again = append_versions(home, PRICES, DAYS[1], delivery, LATER)
    assert (again.file, again.new_rows, again.restated_rows) == (None, 0, 0)
    assert len(dataset_files(home, PRICES)) == 1


def test_a_restated_value_is_a_version_known_when_it_was_seen(home: Settings) -> None:
    append_versions(home, PRICES, DAYS[1], bars([("A", day, 1.0) for day in DAYS[:2]]), LATER)
    restated = bars([("A", DAYS[0], 2.0), ("A", DAYS[1], 1.0)])
    result = append_versions(home, PRICES, DAYS[1], restated, LATER)
    assert (result.new_rows, result.restated_rows) == (0, 1)
    versions = current_versions(home, PRICES).to_pylist()
    assert [row["known_at_basis"] for row in versions] == ["observed", "assumed"]
    assert versions[0]["known_at"] == LATER
    before = LATER - dt.timedelta(microseconds=1)
    assert as_of(home, DAYS[1], before)["A", DAYS[0]] == 1.0
    assert as_of(home, DAYS[1], LATER)["A", DAYS[0]] == 2.0


def test_a_value_that_is_restated_back_is_a_third_version(home: Settings) -> None:
    for hour, close in enumerate((1.0, 2.0, 1.0)):
        moment = LATER + dt.timedelta(hours=hour)
        append_versions(home, PRICES, DAYS[0], bars([("A", DAYS[0], close)]), moment)
    assert len(dataset_files(home, PRICES)) == 3
    assert as_of(home, DAYS[0], FOREVER) == {("A", DAYS[0]): 1.0}


def test_a_restatement_is_newer_than_what_it_replaces_even_if_the_clock_is_not(
    home: Settings,
) -> None:
    append_versions(home, PRICES, DAYS[0], bars([("A", DAYS[0], 1.0)]), LATER)
    too_early = available_at(DAYS[0]) - dt.timedelta(hours=2)
    append_versions(home, PRICES, DAYS[0], bars([("A", DAYS[0], 2.0)]), too_early)
    assert as_of(home, DAYS[0], FOREVER) == {("A", DAYS[0]): 2.0}


def test_a_hole_that_is_filled_later_was_not_known_before(home: Settings) -> None:
    append_versions(home, PRICES, DAYS[2], bars([("A", DAYS[0], 1.0), ("A", DAYS[2], 3.0)]), LATER)
    result = append_versions(home, PRICES, DAYS[2], bars([("A", DAYS[1], 2.0)]), LATER)
    assert (result.new_rows, result.restated_rows) == (1, 0)
    assert ("A", DAYS[1]) not in as_of(home, DAYS[2], available_at(DAYS[2]))
    assert as_of(home, DAYS[2], LATER)["A", DAYS[1]] == 2.0


def test_history_of_a_new_symbol_is_assumed_to_have_been_known(home: Settings) -> None:
    append_versions(home, PRICES, DAYS[2], bars([("A", DAYS[2], 1.0)]), LATER)
    append_versions(home, PRICES, DAYS[2], bars([("B", DAYS[0], 5.0)]), LATER)
    assert as_of(home, DAYS[0], available_at(DAYS[0])) == {("B", DAYS[0]): 5.0}


def test_a_row_delivered_twice_alike_is_stored_once(home: Settings) -> None:
    delivery = bars([("A", DAYS[0], 1.0), ("A", DAYS[0], 1.0), ("B", DAYS[0], 2.0)])
    assert append_versions(home, PRICES, DAYS[0], delivery, LATER).new_rows == 2


def test_rows_that_contradict_each_other_are_both_kept_for_quality_to_see(home: Settings) -> None:
    delivery = bars([("A", DAYS[0], 1.0), ("A", DAYS[0], 2.0)])
    append_versions(home, PRICES, DAYS[0], delivery, LATER)
    assert current_versions(home, PRICES)["close"].to_pylist() == [1.0, 2.0]
    assert append_versions(home, PRICES, DAYS[0], delivery, LATER).file is None
    one = append_versions(home, PRICES, DAYS[0], bars([("A", DAYS[0], 2.0)]), LATER)
    assert one.restated_rows == 1
    assert as_of(home, DAYS[0], FOREVER) == {("A", DAYS[0]): 2.0}


def test_a_row_that_stands_in_two_files_is_read_once() -> None:
    rows = bars([("A", DAYS[0], 1.0)])
    assert newest_versions(pa.concat_tables([rows, rows]), PRICES).num_rows == 1


def test_temporary_and_foreign_names_are_not_data(home: Settings) -> None:
    append_versions(home, PRICES, DAYS[0], bars([("A", DAYS[0], 1.0)]), LATER)
    folder = dataset_files(home, PRICES)[0].parent
    (folder / f".7-{'0' * 32}.part").write_bytes(b"half")
    (folder / ".parquet").write_bytes(b"")
    assert as_of(home, DAYS[0], FOREVER) == {("A", DAYS[0]): 1.0}


def test_datasets_without_sessions_are_cut_by_knowledge_alone(home: Settings) -> None:
    instrument = {
        "source": "simulated",
        "symbol": "A",
        "name": "A",
        "asset_class": "index",
        "currency": "USD",
        "expense_ratio_bps": 0,
        "substitute_group": "A",
        "reference_weight": 0.0,
        "tradable": False,
        "known_at": LATER,
        "known_at_basis": "assumed",
    }
    rows = pa.Table.from_pylist([instrument], schema=arrow_schema(INSTRUMENTS))
    append_versions(home, INSTRUMENTS, DAYS[0], rows, LATER)
    files = dataset_files(home, INSTRUMENTS)
    just_before = LATER - dt.timedelta(microseconds=1)
    assert visible_files(files, INSTRUMENTS, DAYS[0], just_before) == []
    assert visible_files(files, INSTRUMENTS, DAYS[0], LATER) == files


_deliveries = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from("AB"), st.sampled_from(DAYS[:5])),
        st.one_of(st.none(), st.sampled_from([1.0, 2.0, 3.0])),
        max_size=6,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(_deliveries, st.integers(0, 4), st.integers(0, 5))
def test_an_as_of_read_is_what_the_deliveries_up_to_then_said(
    tmp_path_factory: pytest.TempPathFactory,
    deliveries: list[Values],
    cut_day: int,
    cut_delivery: int,
) -> None:
    """Against a replay in plain Python, with every delivery observed an hour after the other."""
    home = load_settings({}, home=tmp_path_factory.mktemp("home"), source="simulated")
    session = DAYS[cut_day]
    moments = [LATER + dt.timedelta(hours=number) for number in range(len(deliveries))]
    cut = LATER + dt.timedelta(hours=cut_delivery, minutes=-1)
    history: dict[tuple[str, dt.date], list[tuple[dt.datetime, float | None]]] = {}
    for moment, delivery in zip(moments, deliveries, strict=True):
        newest = {
            symbol: max((day for s, day in history if s == symbol), default=dt.date.min)
            for symbol in "AB"
        }
        for (symbol, day), close in delivery.items():
            versions = history.setdefault((symbol, day), [])
            if not versions:
                late = day < newest[symbol]
                versions.append((moment if late else available_at(day), close))
            elif versions[-1][1] != close:
                versions.append((moment, close))
        rows = bars((symbol, day, close) for (symbol, day), close in delivery.items())
        append_versions(home, PRICES, session, rows, moment)
        assert append_versions(home, PRICES, session, rows, moment).file is None
    expected = {
        key: [close for known, close in versions if known <= cut][-1]
        for key, versions in history.items()
        if key[1] <= session and versions[0][0] <= cut
    }
    assert as_of(home, session, cut) == expected
    files = dataset_files(home, PRICES)
    visible = visible_files(files, PRICES, session, cut)
    assert values(read_as_of(visible, PRICES, session, cut)) == expected
    for path in set(files) - set(visible):
        assert read_as_of([path], PRICES, session, cut).num_rows == 0
