"""The check stage: incremental, restartable, offline, and severe only with a broken feed."""

import datetime as dt
import socket
from pathlib import Path
from typing import Any

import pytest
from made_up_market import INDEX, SESSIONS, STOCKS, MadeUpMarket

from models.store_outputs import QUARANTINE
from pipelines.errors import QualityError
from pipelines.ingest import ingest
from pipelines.lake import build_manifest, known_at_cut, quarantine_files, unchecked_files
from pipelines.quality import QualityReport, check, list_quarantine
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, migrate, read

LAST = SESSIONS[-1]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return _home(tmp_path)


def _home(folder: Path, source: str = "simulated") -> Settings:
    settings = load_settings({}, home=folder, source=source)
    migrate(settings)
    return settings


def with_bad_close(symbol: str, *days: dt.date) -> MadeUpMarket:
    market = MadeUpMarket()
    for day in days:
        market.bar(symbol, day)["close"] = None
    return market


def files(settings: Settings) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in settings.lake.rglob("*") if path.is_file()}


def test_the_sample_has_one_symbol_with_real_faults_and_no_false_alarm(tmp_path: Path) -> None:
    """Range Resources' early quotes stand still for months and then fall to a third in a day."""
    settings = _home(tmp_path, "sample")
    session = dt.date(2022, 12, 28)
    ingest(settings, session)
    report = check(settings, session)
    assert report == QualityReport(
        185_893, 229, (), {"move_is_plausible": 3, "price_is_not_stale": 226}
    )
    rejected = list_quarantine(settings)
    assert set(rejected["symbol"].to_pylist()) == {"RRC"}
    assert max(rejected["session_date"].to_pylist()) == dt.date(1992, 5, 27)


def test_a_second_check_does_and_writes_nothing(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", LAST))
    first = check(home, LAST)
    before = files(home)
    second = check(home, LAST)
    assert (first.rows_quarantined, second.rows_quarantined) == (1, 0)
    assert second.rows_checked == 0
    assert first.symbols_frozen == second.symbols_frozen == ("BOLT",)
    assert files(home) == before


def test_two_homes_get_the_same_quarantine_file(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        settings = _home(tmp_path / name)
        ingest(settings, LAST, with_bad_close("BOLT", LAST))
        check(settings, LAST)
        digests.append([file.digest for file in build_manifest(settings, LAST, []).files])
    assert digests[0] == digests[1]


def test_a_check_that_was_killed_before_its_last_word_repeats_itself(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", LAST))
    check(home, LAST)
    before = files(home)
    for marker in (home.lake / "checks").rglob("*.json"):
        marker.unlink()
    assert check(home, LAST).rows_checked == len(SESSIONS) * 6
    assert files(home) == before


def test_checking_session_by_session_and_all_at_once_agree(tmp_path: Path) -> None:
    def market() -> MadeUpMarket:
        market = with_bad_close("BOLT", SESSIONS[-3])
        for day in SESSIONS[-4:-1]:
            for name in ("open", "high", "low", "close"):
                market.bar("CORK", day)[name] *= 10
        return market

    daily, bulk = _home(tmp_path / "daily"), _home(tmp_path / "bulk")
    for session in SESSIONS[-4:]:
        ingest(daily, session, market())
        check(daily, session)
    ingest(bulk, LAST, market())
    check(bulk, LAST)
    assert list_quarantine(daily).equals(list_quarantine(bulk))
    assert list_quarantine(daily).num_rows == 4


def test_a_corrected_bar_is_a_new_version_that_passes(home: Settings) -> None:
    market = with_bad_close("BOLT", LAST)
    ingest(home, LAST, market)
    assert check(home, LAST).symbols_frozen == ("BOLT",)
    market.bar("BOLT", LAST)["close"] = market.bar("BOLT", LAST)["open"]
    ingest(home, LAST, market)
    report = check(home, LAST)
    assert (report.rows_checked, report.rows_quarantined, report.symbols_frozen) == (1, 0, ())
    assert list_quarantine(home).num_rows == 1


def test_a_restatement_to_nonsense_does_not_unseat_the_good_version(home: Settings) -> None:
    market = MadeUpMarket()
    ingest(home, LAST, market)
    check(home, LAST)
    market.bar("BOLT", SESSIONS[-5])["close"] *= 1000
    market.bar("BOLT", SESSIONS[-5])["high"] *= 1000
    ingest(home, LAST, market)
    report = check(home, LAST)
    assert (report.rows_checked, report.rules) == (1, {"move_is_plausible": 1})
    (row,) = list_quarantine(home).to_pylist()
    assert row["known_at"] > known_at_cut(home, LAST)
    assert quarantine_files(build_manifest(home, LAST, [])) == []


def test_a_symbol_with_many_bad_bars_of_late_is_frozen_though_its_last_one_is_good(
    home: Settings,
) -> None:
    ingest(home, LAST, with_bad_close("BOLT", *SESSIONS[-10:-2]))
    assert check(home, LAST).symbols_frozen == ("BOLT",)


def test_a_symbol_with_a_bad_past_is_not_frozen_today(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", *SESSIONS[:5]))
    report = check(home, LAST)
    assert report.rows_quarantined == 5
    assert report.symbols_frozen == ()


def test_what_an_ingest_adds_during_a_check_is_the_next_checks_business(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the unchecked restatement taken as the past, the equally wrong last bar would pass."""
    market = MadeUpMarket()
    ingest(home, SESSIONS[-2], market)
    check(home, SESSIONS[-2])
    for name in ("open", "high", "low", "close"):
        market.bar("BOLT", LAST)[name] *= 10
    ingest(home, LAST, market)

    def list_and_be_overtaken(*arguments: Any) -> list[Path]:
        found = unchecked_files(*arguments)
        for name in ("open", "high", "low", "close"):
            market.bar("BOLT", SESSIONS[-2])[name] *= 10
        ingest(home, LAST, market)
        return found

    with monkeypatch.context() as overtaken:
        overtaken.setattr("pipelines.quality.stage.unchecked_files", list_and_be_overtaken)
        during = check(home, LAST)
    after = check(home, LAST)
    assert (during.rows_checked, during.rules) == (6, {"move_is_plausible": 1})
    assert (after.rows_checked, after.rules) == (1, {"move_is_plausible": 1})


def test_a_broken_feed_stops_the_run_and_quarantines_nothing(home: Settings) -> None:
    ingest(home, SESSIONS[-2], MadeUpMarket())
    check(home, SESSIONS[-2])
    broken = MadeUpMarket()
    for symbol in STOCKS:
        broken.bar(symbol, LAST)["close"] = 0.0
    ingest(home, LAST, broken)
    before = files(home)
    for _ in range(2):
        with pytest.raises(QualityError, match=r"83%.*33%.*6 rows checked.*close_is_in_range"):
            check(home, LAST)
    assert files(home) == before
    ingest(home, LAST, MadeUpMarket())
    assert check(home, LAST).symbols_frozen == ()


def test_a_wrong_instrument_reference_stops_the_run(home: Settings) -> None:
    class Wrong(MadeUpMarket):
        def instruments(self) -> object:
            rows = super().instruments().to_pylist()
            rows[1]["currency"] = "dollars"
            return super().instruments().from_pylist(rows, schema=super().instruments().schema)

    ingest(home, LAST, Wrong())
    with pytest.raises(QualityError, match=rf"{STOCKS[1]}.*ISO 4217.*dollars"):
        check(home, LAST)


def test_quarantine_is_part_of_the_snapshot(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", SESSIONS[10]))
    check(home, LAST)
    assert len(quarantine_files(build_manifest(home, LAST, []))) == 1
    assert quarantine_files(build_manifest(home, SESSIONS[9], [])) == []


def test_the_store_mirrors_the_quarantine_once(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", LAST, SESSIONS[3]))
    for _ in range(2):
        check(home, LAST)
    with connect(home) as connection:
        mirrored = read(connection, QUARANTINE)
    assert mirrored.drop("since").equals(list_quarantine(home).cast(mirrored.drop("since").schema))


def test_a_check_opens_no_connection(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*address: object) -> None:
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    ingest(home, LAST, with_bad_close(INDEX, LAST))
    assert check(home, LAST).symbols_frozen == (INDEX,)


def test_nothing_in_quarantine_is_an_empty_list(home: Settings) -> None:
    rows = list_quarantine(home)
    assert rows.num_rows == 0
    assert "reason" in rows.column_names
