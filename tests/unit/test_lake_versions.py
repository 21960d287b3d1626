"""Versions in the lake: nothing is stored twice, nothing is forgotten, the past stays as it was."""

import datetime as dt
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_examples import (
    DAYS,
    FOREVER,
    HOUR,
    LATER,
    RULES,
    Values,
    append,
    as_of,
    bars,
    index,
    lake_of,
    values,
)

from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES
from models.vocabulary import Arrival
from pipelines.lake import (
    add_rejections,
    arrow_schema,
    compact,
    current_versions,
    dataset_files,
    landed_files,
    mark_checked,
    origin_of,
    past_of,
    read_as_of,
    read_file,
    restatements,
    storage,
    symbol_spans,
    with_withdrawals,
)
from pipelines.lake.files import visible
from pipelines.lake.versions import newest_versions, within
from pipelines.sessions import available_at, sessions_between
from pipelines.settings import Settings

ONE_MICROSECOND = dt.timedelta(microseconds=1)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return lake_of(tmp_path)


def test_the_same_delivery_twice_writes_one_file(home: Settings) -> None:
    delivery = bars([("A", DAYS[0], 1.0), ("A", DAYS[1], None), ("B", DAYS[1], math.nan)])
    assert append(home, DAYS[1], delivery).new_rows == 3
    again = append(home, DAYS[1], delivery)
    assert (again.files, again.new_rows, again.restated_rows) == ((), 0, 0)
    assert len(dataset_files(home, PRICES)) == 1


def test_a_restated_value_is_a_version_known_when_it_was_seen(home: Settings) -> None:
    append(home, DAYS[1], bars([("A", day, 1.0) for day in DAYS[:2]]))
    restated = bars([("A", DAYS[0], 2.0), ("A", DAYS[1], 1.0)])
    result = append(home, DAYS[1], restated)
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
        append(home, DAYS[0], bars([("A", DAYS[0], close)]), moment)
    assert len(dataset_files(home, PRICES)) == 3
    assert as_of(home, DAYS[0], FOREVER) == {("A", DAYS[0]): 1.0}


def test_a_restatement_is_newer_than_what_it_replaces_even_if_the_clock_is_not(
    home: Settings,
) -> None:
    append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]))
    too_early = available_at(DAYS[0]) - dt.timedelta(hours=2)
    append(home, DAYS[0], bars([("A", DAYS[0], 2.0)]), too_early)
    assert as_of(home, DAYS[0], FOREVER) == {("A", DAYS[0]): 2.0}


def test_a_hole_that_is_filled_later_was_not_known_before(home: Settings) -> None:
    append(home, DAYS[2], bars([("A", DAYS[0], 1.0), ("A", DAYS[2], 3.0)]))
    result = append(home, DAYS[2], bars([("A", DAYS[1], 2.0)]))
    assert (result.new_rows, result.restated_rows) == (1, 0)
    assert ("A", DAYS[1]) not in as_of(home, DAYS[2], available_at(DAYS[2]))
    assert as_of(home, DAYS[2], LATER)["A", DAYS[1]] == 2.0


def test_history_of_a_new_symbol_is_assumed_to_have_been_known(home: Settings) -> None:
    append(home, DAYS[2], bars([("A", DAYS[2], 1.0)]))
    append(home, DAYS[2], bars([("B", DAYS[0], 5.0)]))
    assert as_of(home, DAYS[0], available_at(DAYS[0])) == {("B", DAYS[0]): 5.0}


def test_history_whose_first_load_was_cut_short_is_history_still(
    home: Settings, tmp_path: Path
) -> None:
    days = sessions_between(dt.date(2020, 12, 30), dt.date(2022, 1, 4))
    delivery = bars(("A", day, 1.0) for day in days)
    oldest = append(home, days[-1], delivery).files[0].path
    assert "year=2020" in oldest
    other = lake_of(tmp_path / "other")
    storage(other).write(oldest, storage(home).read(oldest))
    append(other, days[-1], delivery)
    assert dataset_files(other, PRICES) == dataset_files(home, PRICES)


def test_a_row_delivered_twice_alike_is_stored_once(home: Settings) -> None:
    delivery = bars([("A", DAYS[0], 1.0), ("A", DAYS[0], 1.0), ("B", DAYS[0], 2.0)])
    assert append(home, DAYS[0], delivery).new_rows == 2


def test_rows_that_contradict_each_other_are_both_kept_for_quality_to_see(home: Settings) -> None:
    delivery = bars([("A", DAYS[0], 1.0), ("A", DAYS[0], 2.0)])
    append(home, DAYS[0], delivery)
    assert current_versions(home, PRICES)["close"].to_pylist() == [1.0, 2.0]
    assert append(home, DAYS[0], delivery).files == ()
    one = append(home, DAYS[0], bars([("A", DAYS[0], 2.0)]))
    assert one.restated_rows == 1
    assert as_of(home, DAYS[0], FOREVER) == {("A", DAYS[0]): 2.0}


def test_a_row_that_stands_in_two_files_is_read_once() -> None:
    rows = bars([("A", DAYS[0], 1.0)])
    assert newest_versions(pa.concat_tables([rows, rows]), PRICES).num_rows == 1


def test_temporary_and_foreign_names_are_not_data(home: Settings) -> None:
    append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]))
    folder = (home.lake / dataset_files(home, PRICES)[0]).parent
    (folder / f".7-{'0' * 32}.part").write_bytes(b"half")
    (folder / ".parquet").write_bytes(b"")
    assert as_of(home, DAYS[0], FOREVER) == {("A", DAYS[0]): 1.0}


def test_datasets_without_sessions_are_cut_by_knowledge_alone(home: Settings) -> None:
    append(home, DAYS[0], index(DAYS[0]), table=INSTRUMENTS)
    files = landed_files(home, "raw", INSTRUMENTS)
    assert visible(files, DAYS[0], LATER - ONE_MICROSECOND) == []
    assert visible(files, DAYS[0], LATER) == files


TURN_OF_YEAR = sessions_between(dt.date(2021, 12, 29), dt.date(2022, 1, 4))

_deliveries = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from("AB"), st.sampled_from(TURN_OF_YEAR)),
        st.one_of(st.none(), st.sampled_from([1.0, 2.0, 3.0])),
        max_size=6,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(_deliveries, st.integers(0, 4), st.integers(0, 5), st.integers(0, 5))
def test_an_as_of_read_is_what_the_deliveries_up_to_then_said(
    tmp_path_factory: pytest.TempPathFactory,
    deliveries: list[Values],
    cut_day: int,
    cut_delivery: int,
    compacted_after: int,
) -> None:
    """Against a replay in plain Python, with every delivery observed an hour after the other."""
    home = lake_of(tmp_path_factory.mktemp("home"))
    session = TURN_OF_YEAR[cut_day]
    moments = [LATER + number * HOUR for number in range(len(deliveries))]
    cut = LATER + dt.timedelta(hours=cut_delivery, minutes=-1)
    history: dict[tuple[str, dt.date], list[tuple[dt.datetime, float | None]]] = {}
    for number, (moment, delivery) in enumerate(zip(moments, deliveries, strict=True)):
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
        append(home, session, rows, moment)
        assert append(home, session, rows, moment).files == ()
        if number == compacted_after:
            compact(home)
    expected = {
        key: [close for known, close in versions if known <= cut][-1]
        for key, versions in history.items()
        if key[1] <= session and versions[0][0] <= cut
    }
    assert as_of(home, session, cut) == expected
    files = landed_files(home, "raw", PRICES)
    seen = {file.path for file in visible(files, session, cut)}
    for file in files:
        if file.path == file.held_by:
            rows = read_file(home, PRICES, file.path)
            assert (within(rows, PRICES, session, cut).num_rows > 0) == (file.path in seen)


def test_a_polled_symbols_first_load_is_history_but_not_known_after_its_poll(
    home: Settings,
) -> None:
    early = available_at(DAYS[1]) - 2 * HOUR
    append(home, DAYS[1], bars([("A", day, 1.0) for day in DAYS[:2]]), early, Arrival.POLLED)
    rows = current_versions(home, PRICES)
    assert rows["known_at_basis"].to_pylist() == ["assumed", "assumed"]
    assert rows["known_at"].to_pylist() == [available_at(DAYS[0]), early]


def test_what_a_later_poll_brings_was_observed_then(home: Settings) -> None:
    append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]), LATER, Arrival.POLLED)
    append(home, DAYS[2], bars([("A", DAYS[2], 1.0)]), LATER + HOUR, Arrival.POLLED)
    append(home, DAYS[2], bars([("B", DAYS[1], 1.0)]), LATER + HOUR, Arrival.POLLED)
    rows = current_versions(home, PRICES)
    assert rows["known_at_basis"].to_pylist() == ["assumed", "observed", "assumed"]
    assert rows["known_at"].to_pylist()[1] == LATER + HOUR


def test_rows_remember_the_session_of_the_ingest_that_brought_them(home: Settings) -> None:
    append(home, DAYS[1], bars([("A", day, 1.0) for day in DAYS[:2]]))
    append(home, DAYS[3], bars([("A", DAYS[0], 2.0), ("A", DAYS[3], 1.0)]))
    rows = current_versions(home, PRICES)
    assert rows["ingest_session"].to_pylist() == [DAYS[3], DAYS[1], DAYS[3]]


def test_each_years_bars_lie_in_their_own_folder_with_where_they_came_from(
    home: Settings,
) -> None:
    rows = bars([("A", day, 1.0) for day in TURN_OF_YEAR])
    result = append(home, TURN_OF_YEAR[-1], rows, origin="a file and its digest")
    folders = [path.rpartition("/")[0] for path in dataset_files(home, PRICES)]
    assert folders == [f"raw/prices/source=simulated/year={year}" for year in (2021, 2022)]
    assert [file.rows for file in result.files] == [3, 2]
    assert {origin_of(home, file.path) for file in result.files} == {"a file and its digest"}


def test_appended_rows_are_returned_as_they_were_stored(home: Settings) -> None:
    append(home, DAYS[1], bars([("A", DAYS[0], 1.0)]))
    result = append(home, DAYS[1], bars([("B", DAYS[1], 3.0), ("A", DAYS[0], 2.0)]))
    stored = current_versions(home, PRICES)
    assert result.rows.cast(stored.schema).equals(stored)


def test_a_changed_cross_check_alone_is_no_restatement(home: Settings) -> None:
    rows = bars([("A", DAYS[0], 1.0)])
    append(home, DAYS[0], rows)
    position = rows.schema.get_field_index("adjusted_return_1d")
    other = rows.set_column(position, rows.schema.field(position), pa.array([0.01]))
    assert append(home, DAYS[0], other).files == ()


def actions(rows: list[tuple[str, dt.date, float | None]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "source": "simulated",
                "symbol": symbol,
                "session_date": day,
                "kind": "dividend",
                "amount": amount,
                "known_at": available_at(day),
                "known_at_basis": "assumed",
                "ingest_session": day,
            }
            for symbol, day, amount in rows
        ],
        schema=arrow_schema(ACTIONS),
    )


def test_an_action_that_comes_after_its_symbols_prices_is_known_from_then(
    home: Settings,
) -> None:
    append(home, DAYS[2], actions([("A", DAYS[0], 0.5)]), table=ACTIONS)
    append(home, DAYS[2], bars([("A", day, 1.0) for day in DAYS[:3]]))
    append(home, DAYS[3], actions([("A", DAYS[1], 0.5), ("A", DAYS[3], 0.5)]), table=ACTIONS)
    rows = current_versions(home, ACTIONS)
    assert rows["known_at_basis"].to_pylist() == ["assumed", "observed", "assumed"]


def test_an_action_that_a_source_takes_back_was_known_until_then(home: Settings) -> None:
    both = actions([("A", DAYS[0], 0.5), ("A", DAYS[1], 0.7), ("B", DAYS[0], 0.1)])
    append(home, DAYS[1], both, table=ACTIONS)
    bars_again = bars([("A", day, 1.0) for day in DAYS[:3]])
    delivery = with_withdrawals(home, actions([("A", DAYS[1], 0.7)]), bars_again)
    result = append(home, DAYS[2], delivery, table=ACTIONS)
    assert (result.new_rows, result.restated_rows) == (0, 1)
    assert current_versions(home, ACTIONS)["amount"].to_pylist() == [None, 0.7, 0.1]
    before = read_as_of(home, ACTIONS, DAYS[2], LATER - ONE_MICROSECOND)
    assert before["amount"].to_pylist() == [0.5, 0.7, 0.1]
    again = with_withdrawals(home, actions([("A", DAYS[1], 0.7)]), bars_again)
    assert append(home, DAYS[3], again, table=ACTIONS).files == ()


def test_an_action_whose_bar_was_not_delivered_is_not_taken_back(home: Settings) -> None:
    append(home, DAYS[1], actions([("A", DAYS[0], 0.5), ("B", DAYS[1], 0.1)]), table=ACTIONS)
    cut_off = with_withdrawals(home, actions([]), bars([("A", DAYS[1], 1.0), ("B", DAYS[0], 1.0)]))
    assert cut_off.num_rows == 0


def vintages(*values: tuple[dt.datetime, float]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "source": "simulated",
                "series_id": "CPIAUCSL",
                "observation_date": dt.date(2021, 12, 1),
                "value": value,
                "known_at": moment,
                "known_at_basis": "vintage",
                "ingest_session": DAYS[0],
            }
            for moment, value in values
        ],
        schema=arrow_schema(MACRO),
    )


def test_vintages_keep_their_own_dates_and_are_stored_once(home: Settings) -> None:
    first, second = (LATER - 48 * HOUR, 1.0), (LATER - 24 * HOUR, 2.0)
    assert append(home, DAYS[0], vintages(first), table=MACRO).new_rows == 1
    result = append(home, DAYS[1], vintages(first, second), table=MACRO)
    assert result.rows["known_at"].to_pylist() == [second[0]]
    assert append(home, DAYS[1], vintages(second, first), table=MACRO).files == ()
    seen = read_as_of(home, MACRO, DAYS[1], LATER - 36 * HOUR)
    assert seen["value"].to_pylist() == [1.0]


def test_the_accepted_past_is_a_window_without_rejected_versions(home: Settings) -> None:
    days = TURN_OF_YEAR
    append(home, days[-1], bars([(symbol, day, 1.0) for symbol in "AB" for day in days]))
    append(home, days[-1], bars([("A", days[2], 99.0), ("B", days[3], 2.0)]))
    rejected = restated_row(home, "A")
    add_rejections(home, PRICES, RULES, rejected)
    mark_checked(home, PRICES, RULES, days[-1], dataset_files(home, PRICES))
    past = past_of(home, PRICES, ["A", "B"], days[-1], sessions=2)
    assert values(past) == {
        ("A", days[2]): 1.0,
        ("A", days[3]): 1.0,
        ("B", days[2]): 1.0,
        ("B", days[3]): 2.0,
    }
    before = past_of(home, PRICES, ["B"], days[-1], sessions=2, known_at=LATER - HOUR)
    assert values(before) == {("B", days[2]): 1.0, ("B", days[3]): 1.0}


def restated_row(home: Settings, symbol: str) -> pa.Table:
    """A verdict on a symbol's newest observed version."""
    rows = current_versions(home, PRICES, [symbol])
    rows = rows.filter(pc.field("known_at_basis") == "observed")
    return (
        rows.append_column("rule", pa.array(["move_is_plausible"]))
        .append_column("observed_value", pa.array(["99"]))
        .append_column("reason", pa.array(["it is wrong"]))
        .append_column("remedy", pa.array(["mend it"]))
    )


def test_restatements_are_reported_with_both_values_and_moments(home: Settings) -> None:
    append(home, DAYS[1], bars([(symbol, day, 1.0) for symbol in "AB" for day in DAYS[:2]]))
    assert restatements(home).num_rows == 0
    append(home, DAYS[2], bars([("A", DAYS[0], 2.0), ("A", DAYS[1], None)]))
    append(home, DAYS[3], bars([("A", DAYS[0], 3.0)]), LATER + HOUR)
    found = restatements(home).to_pylist()
    assert [(row["day"], row["old_value"], row["new_value"]) for row in found] == [
        (DAYS[0], "1", "2"),
        (DAYS[0], "2", "3"),
        (DAYS[1], "1", None),
    ]
    assert {row["subject"] for row in found} == {"A"}
    assert [row["old_known_at"] for row in found][:2] == [available_at(DAYS[0]), LATER]
    assert [row["new_known_at"] for row in found][:2] == [LATER, LATER + HOUR]
    assert [row["ingest_session"] for row in found][:2] == [DAYS[2], DAYS[3]]
    assert restatements(home, symbols=["B"]).num_rows == 0


def test_spans_say_how_far_each_symbol_reaches(home: Settings) -> None:
    append(home, DAYS[3], bars([("B", DAYS[3], 1.0), ("A", DAYS[0], 1.0), ("A", DAYS[2], 1.0)]))
    assert symbol_spans(home, PRICES).to_pylist() == [
        {"symbol": "A", "first_session": DAYS[0], "last_session": DAYS[2], "rows": 2},
        {"symbol": "B", "first_session": DAYS[3], "last_session": DAYS[3], "rows": 1},
    ]
