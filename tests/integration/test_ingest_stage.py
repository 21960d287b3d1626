"""The ingest stage on a lake in a folder: what it adds, what it leaves alone, how it fails."""

import datetime as dt
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from made_up_market import INDEX, SESSIONS, STOCKS, MadeUpMarket

from models.lake import INSTRUMENTS, PRICES
from models.vocabulary import Arrival
from pipelines.errors import LakeError, SourceError
from pipelines.ingest import BatchReport, finish, ingest, ingest_batch, plan
from pipelines.ingest.provider import Delivery
from pipelines.lake import current_versions, dataset_files, known_at_cut
from pipelines.local_files import part_name, this_host
from pipelines.sessions import available_at
from pipelines.settings import Settings, load_settings

LAST = SESSIONS[-1]
SYMBOLS = len(STOCKS) + 1


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return load_settings({}, home=tmp_path, source="simulated")


def test_the_sample_arrives_whole_and_a_second_time_adds_nothing(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path)
    session = dt.date(2022, 12, 28)
    report = ingest(settings, session)
    assert (report.new_rows, report.restated_rows, report.symbols) == (185_893, 0, 26)
    assert (report.first_session, report.last_session) == (dt.date(1990, 1, 2), session)
    assert report.files == len(range(1990, 2023))
    files = {path: path.read_bytes() for path in settings.lake.rglob("*.parquet")}
    assert ingest(settings, session).files == 0
    assert {path: path.read_bytes() for path in settings.lake.rglob("*.parquet")} == files
    assert known_at_cut(settings, session) == available_at(session)


def test_two_homes_get_the_same_files(tmp_path: Path) -> None:
    listings = []
    for name in ("one", "two"):
        settings = load_settings({}, home=tmp_path / name, source="simulated")
        ingest(settings, LAST, MadeUpMarket())
        listings.append(
            [path for table in (PRICES, INSTRUMENTS) for path in dataset_files(settings, table)]
        )
    assert listings[0] == listings[1]


def test_a_later_session_adds_its_own_rows_only(home: Settings) -> None:
    ingest(home, SESSIONS[-3], MadeUpMarket())
    report = ingest(home, LAST, MadeUpMarket())
    assert report.new_rows == 2 * SYMBOLS
    assert report.restated_rows == 0
    stamps = current_versions(home, PRICES)
    assert stamps["ingest_session"].to_pylist().count(LAST) == report.new_rows


def test_an_earlier_session_after_a_later_one_adds_nothing(home: Settings) -> None:
    ingest(home, LAST, MadeUpMarket())
    assert ingest(home, SESSIONS[10], MadeUpMarket()).files == 0


def test_a_restated_bar_is_reported_and_both_versions_stay(
    home: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    market = MadeUpMarket()
    ingest(home, LAST, market)
    first_file = dataset_files(home, PRICES)
    market.bar("BOLT", SESSIONS[5])["close"] += 1
    report = ingest(home, LAST, market)
    assert (report.new_rows, report.restated_rows) == (0, 1)
    assert "restated 1 rows" in caplog.text
    assert set(first_file) < set(dataset_files(home, PRICES))


def test_bars_after_the_session_are_left_out_and_each_symbol_s_are_a_problem(
    home: Settings,
) -> None:
    class Overeager(MadeUpMarket):
        def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
            return super().deliver(symbols, start, LAST)

    report = ingest(home, SESSIONS[-2], Overeager())
    assert max(current_versions(home, PRICES)["session_date"].to_pylist()) == SESSIONS[-2]
    assert len(report.problems) == SYMBOLS
    assert all(f"none after {SESSIONS[-2]}" in problem.reason for problem in report.problems)


def test_a_session_without_any_bar_is_an_error_and_what_came_is_kept(home: Settings) -> None:
    market = MadeUpMarket()
    market.drop(lambda bar: bar["session_date"] == LAST)
    with pytest.raises(SourceError, match=rf"{LAST}.*delivered no bar"):
        ingest(home, LAST, market)
    assert max(current_versions(home, PRICES)["session_date"].to_pylist()) == SESSIONS[-2]


def test_a_refused_batch_is_a_problem_and_the_others_are_kept(home: Settings) -> None:
    class HalfRefused(MadeUpMarket):
        arrival = Arrival.POLLED

        def batches(self, session: dt.date) -> list[tuple[str, ...]]:
            return [("ACME", "BOLT"), ("CORK", "DUNE")]

        def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
            if "ACME" in symbols:
                raise SourceError("source", "made up", "it refuses", "Wait.")
            return super().deliver(symbols, start, end)

    report = ingest(home, LAST, HalfRefused())
    assert {one.symbol for one in report.by_symbol} == {"CORK", "DUNE"}
    assert [(one.thing, "it refuses" in one.reason) for one in report.problems] == [
        ("ACME, BOLT", True)
    ]


def test_an_instrument_is_stored_once_it_exists(home: Settings) -> None:
    class Growing(MadeUpMarket):
        def instruments(self) -> object:
            rows = super().instruments().to_pylist()
            rows[0]["first_session"] = SESSIONS[20]
            return super().instruments().from_pylist(rows, schema=super().instruments().schema)

    ingest(home, SESSIONS[10], Growing())
    assert STOCKS[0] not in current_versions(home, INSTRUMENTS)["symbol"].to_pylist()
    ingest(home, SESSIONS[20], Growing())
    rows = {row["symbol"]: row for row in current_versions(home, INSTRUMENTS).to_pylist()}
    assert rows[STOCKS[0]]["known_at"] == available_at(SESSIONS[20])
    assert rows[INDEX]["known_at"] == available_at(SESSIONS[0])


def test_a_broken_file_in_the_lake_stops_the_ingest_and_stays_untouched(home: Settings) -> None:
    ingest(home, SESSIONS[-2], MadeUpMarket())
    (name,) = dataset_files(home, PRICES)
    path = home.lake / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(LakeError, match=path.name):
        ingest(home, LAST, MadeUpMarket())
    assert [path.name] == [one.name for one in path.parent.glob("*.parquet")]
    assert path.stat().st_size == 100


def test_batches_may_run_apart_and_their_reports_travel_as_json(home: Settings) -> None:
    market = MadeUpMarket()
    ingest(home, LAST, market)
    whole = current_versions(home, PRICES)
    apart = home.model_copy(update={"home": home.home / "apart"})
    (batch,) = plan(apart, LAST, market)
    reports = [
        json.dumps(ingest_batch(apart, LAST, symbols, market).plain())
        for symbols in (batch[:2], batch[2:], batch[:2])
    ]
    report = finish(apart, LAST, [BatchReport.of_plain(json.loads(text)) for text in reports[:2]])
    assert (report.new_rows, report.symbols) == (len(SESSIONS) * SYMBOLS, SYMBOLS)
    assert json.loads(reports[2])["new_rows"] == 0
    assert current_versions(apart, PRICES).equals(whole)


def test_batches_on_two_machines_at_once_give_what_one_process_gives(
    home: Settings, tmp_path: Path, empty_postgresql_url: str
) -> None:
    market = MadeUpMarket()
    ingest(home, LAST, market)
    shared = {"store_url": empty_postgresql_url, "lake_url": str(tmp_path / "shared")}
    one, other = (
        load_settings({}, home=tmp_path / name, source="simulated", **shared)
        for name in ("one", "other")
    )
    (batch,) = plan(one, LAST, market)
    # The middle one is with both: its worker was taken for dead.
    parts = [(one, batch[:2], batch[2:4]), (other, batch[2:4], batch[4:])]

    def work(machine: Settings, *batches: Sequence[str]) -> list[BatchReport]:
        return [ingest_batch(machine, LAST, symbols, market) for symbols in batches]

    with ThreadPoolExecutor(len(parts)) as pool:
        reports = [report for done in pool.map(lambda part: work(*part), parts) for report in done]

    finish(other, LAST, reports)

    assert sum(report.new_rows for report in reports) == len(SESSIONS) * SYMBOLS
    for settings in (one, other):
        assert current_versions(settings, PRICES).equals(current_versions(home, PRICES))
        assert known_at_cut(settings, LAST) == known_at_cut(home, LAST)


def test_leftovers_of_a_killed_run_are_cleaned_up(home: Settings) -> None:
    leftover = home.lake / "raw" / "prices" / part_name(this_host(), 2**22 + 1)
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half a file")
    ingest(home, LAST, MadeUpMarket())
    assert not leftover.exists()
