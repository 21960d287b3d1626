"""The check stage: incremental, restartable, offline, and severe only with a broken feed."""

import dataclasses
import datetime as dt
import socket
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from made_up_market import INDEX, SESSIONS, STOCKS, MadeUpMarket
from new_stores import make_store

from expectations.prices import BAR_SUITE
from models.lake import INSTRUMENTS, PRICES
from models.store_issues import QUARANTINE
from pipelines.errors import LakeError, QualityError
from pipelines.ingest import ingest
from pipelines.lake import build_manifest, known_at_cut, read_as_of, unchecked_files
from pipelines.quality import check, freshness, list_quarantine, release
from pipelines.quality.incoming import accepted_versions
from pipelines.sessions import available_at
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, read

LAST = SESSIONS[-1]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return _home(tmp_path)


def _home(folder: Path, source: str = "simulated") -> Settings:
    settings = load_settings({}, home=folder, source=source)
    make_store(settings)
    return settings


def with_bad_close(symbol: str, *days: dt.date) -> MadeUpMarket:
    market = MadeUpMarket()
    for day in days:
        market.bar(symbol, day)["close"] = None
    return market


def files(settings: Settings) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in settings.lake.rglob("*") if path.is_file()}


def test_the_sample_has_one_symbol_with_real_faults_and_no_false_alarm(tmp_path: Path) -> None:
    """Range Resources' early quotes stand still for months; its fall to a third is no alarm."""
    settings = _home(tmp_path, "sample")
    session = dt.date(2022, 12, 28)
    ingest(settings, session)
    report = check(settings, session)
    assert (report.rows, report.rows_checked, report.rows_quarantined) == (185_893, 0, 226)
    assert report.rules == {"price_is_not_stale": 226}
    assert report.symbols_frozen == ()
    assert set(list_quarantine(settings)["symbol"].to_pylist()) == {"RRC"}


def test_a_second_check_does_and_writes_nothing(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", LAST))
    first = check(home, LAST)
    before = files(home)
    assert check(home, LAST) == first
    assert (first.rows_quarantined, first.symbols_frozen) == (1, ("BOLT",))
    assert files(home) == before


def test_changed_rules_judge_everything_anew_and_may_free_rows(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = with_bad_close("BOLT", SESSIONS[5])
    market.bar("CORK", SESSIONS[9])["volume"] = -1.0
    ingest(home, LAST, market)
    assert check(home, LAST).rules == {"close_is_present": 1, "volume_is_in_range": 1}
    kept = tuple(rule for rule in BAR_SUITE if rule.name != "volume_is_in_range")
    looser = dataclasses.replace(BAR_SUITE, rules=kept)
    monkeypatch.setattr("pipelines.quality.judging.judge.BAR_SUITE", looser)
    monkeypatch.setattr("pipelines.quality.incoming.rules_digest", lambda: "f" * 64)
    monkeypatch.setattr("pipelines.quality.stage.rules_digest", lambda: "f" * 64)
    monkeypatch.setattr("pipelines.quality.stage._confirm_and_document", lambda *_: None)
    report = check(home, LAST)
    assert (report.rows_checked, report.rules) == (len(SESSIONS) * 6 + 6, {"close_is_present": 1})


def test_a_corrected_bar_is_a_new_version_that_passes(home: Settings) -> None:
    market = with_bad_close("BOLT", LAST)
    ingest(home, LAST, market)
    assert check(home, LAST).symbols_frozen == ("BOLT",)
    market.bar("BOLT", LAST)["close"] = market.bar("BOLT", LAST)["open"]
    ingest(home, LAST, market)
    assert check(home, LAST).symbols_frozen == ()
    assert list_quarantine(home).num_rows == 1


def test_a_broken_feed_stops_the_run_until_the_source_puts_it_right(home: Settings) -> None:
    ingest(home, SESSIONS[-2], MadeUpMarket())
    check(home, SESSIONS[-2])
    broken = MadeUpMarket()
    for symbol in STOCKS:
        broken.bar(symbol, LAST)["close"] = 0.0
    ingest(home, LAST, broken)
    for _ in range(2):
        with pytest.raises(QualityError, match=r"83%.*33%.*close_is_in_range"):
            check(home, LAST)
    ingest(home, LAST, MadeUpMarket())
    assert check(home, LAST).symbols_frozen == ()


def test_a_release_frees_what_was_seen_and_says_who_and_why(home: Settings) -> None:
    market = MadeUpMarket()
    for day in SESSIONS[-3:]:
        for name in ("open", "high", "low", "close"):
            market.bar("CORK", day)[name] *= 10
    ingest(home, LAST, market)
    assert check(home, LAST).symbols_frozen == ("CORK",)
    freed = release(home, "CORK", released_by="Ada", reason="a real jump")
    assert freed.rows == 3
    assert check(home, LAST).symbols_frozen == ()
    with pytest.raises(QualityError, match="are in quarantine under"):
        release(home, "CORK", released_by="Ada", reason="again")


def test_a_bar_without_a_close_cannot_be_released(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", LAST))
    with pytest.raises(QualityError, match="a rule that a person may overrule"):
        release(home, "BOLT", released_by="Ada", reason="I know better")


@pytest.mark.parametrize("missing", ["released_by", "reason"])
def test_nobody_releases_anonymously_or_without_a_reason(home: Settings, missing: str) -> None:
    with pytest.raises(QualityError, match="is empty"):
        release(home, "CORK", **{"released_by": "Ada", "reason": "seen", missing: " "})


def test_a_symbol_that_ends_is_noted_and_not_rejected(home: Settings) -> None:
    market = MadeUpMarket()
    market.drop(lambda bar: bar["symbol"] == "DUNE" and bar["session_date"] > SESSIONS[-4])
    ingest(home, LAST, market)
    report = check(home, LAST)
    assert report.rows_quarantined == 0
    assert report.notes == {"DUNE": f"no bar in the last 3 sessions (since {SESSIONS[-4]})"}


def test_freshness_counts_the_sessions_that_are_due(home: Settings) -> None:
    ingest(home, SESSIONS[-3], MadeUpMarket())
    (found,) = freshness(home, available_at(LAST))
    assert (found.newest_session, found.sessions_behind) == (SESSIONS[-3], 2)
    (earlier,) = freshness(home, available_at(LAST) - dt.timedelta(seconds=1))
    assert earlier.sessions_behind == 1


def test_data_docs_name_the_quarantined_symbol(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", LAST))
    check(home, LAST)
    pages = home.home / "docs" / "quality" / "simulated"
    assert "BOLT" in (pages / "index.html").read_text(encoding="utf-8")
    assert "close_is_present" in (pages / "prices_bar.html").read_text(encoding="utf-8")


def test_two_homes_get_the_same_quarantine_file(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        settings = _home(tmp_path / name)
        ingest(settings, LAST, with_bad_close("BOLT", LAST))
        check(settings, LAST)
        digests.append([file.digest for file in build_manifest(settings, LAST, []).files])
    assert digests[0] == digests[1]


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
    assert list_quarantine(daily).num_rows == 6


def test_a_symbol_with_many_bad_bars_of_late_is_frozen_though_its_last_one_is_good(
    home: Settings,
) -> None:
    ingest(home, LAST, with_bad_close("BOLT", *SESSIONS[-10:-2]))
    assert check(home, LAST).symbols_frozen == ("BOLT",)


def test_the_store_mirrors_the_quarantine_once(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", LAST, SESSIONS[3]))
    for _ in range(2):
        check(home, LAST)
    with connect(home) as connection:
        mirrored = read(connection, QUARANTINE)
    assert mirrored.drop("since").equals(list_quarantine(home).cast(mirrored.drop("since").schema))


def test_nothing_in_quarantine_is_an_empty_list(home: Settings) -> None:
    rows = list_quarantine(home)
    assert rows.num_rows == 0
    assert "reason" in rows.column_names


def test_a_check_that_was_killed_before_its_last_word_repeats_itself(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", LAST))
    check(home, LAST)
    before = files(home)
    for marker in (home.lake / "checks" / "prices").rglob("*.json"):
        marker.unlink()
    assert check(home, LAST).rows_checked == len(SESSIONS) * 6
    verdicts = {path: text for path, text in before.items() if "quarantine" in path.parts}
    assert {path: files(home)[path] for path in verdicts} == verdicts
    assert list_quarantine(home).num_rows == 1


def test_a_build_refuses_what_a_killed_ingest_left_unjudged_until_a_check_has_seen_it(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(home, SESSIONS[-2], MadeUpMarket())
    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr("pipelines.ingest.storing.check_rows", _kill_on_prices)
        ingest(home, LAST, with_bad_close("BOLT", LAST))
    with pytest.raises(LakeError, match="never checked"):
        build_manifest(home, LAST, [])
    report = check(home, LAST)
    assert (report.rows_checked, report.rules) == (6, {"close_is_present": 1})


def test_what_an_ingest_adds_during_a_check_is_not_the_checks_past(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the restatement taken as the past, the equally wrong last bar would pass."""
    market = MadeUpMarket()
    ingest(home, SESSIONS[-2], market)
    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr("pipelines.ingest.storing.check_rows", _kill_on_prices)
        tenfold(market, LAST)
        ingest(home, LAST, market)

    overtakers: list[dt.date] = []

    def list_and_be_overtaken(*arguments: Any) -> list[str]:
        found = unchecked_files(*arguments)
        if arguments[1] is PRICES and not overtakers:
            overtakers.append(LAST)
            tenfold(market, SESSIONS[-2])
            ingest(home, LAST, market)
        return found

    with monkeypatch.context() as overtaken:
        overtaken.setattr("pipelines.quality.incoming.unchecked_files", list_and_be_overtaken)
        check(home, LAST)
    check(home, LAST)
    rejected = list_quarantine(home)
    days = rejected.filter(pc.field("rule") == "move_is_plausible")["session_date"].to_pylist()
    assert set(days) == {SESSIONS[-2], LAST}


def tenfold(market: MadeUpMarket, day: dt.date) -> None:
    for name in ("open", "high", "low", "close"):
        market.bar("BOLT", day)[name] *= 10


def _kill_on_prices(*arguments: Any, **_: object) -> None:
    if arguments[2] is PRICES:
        raise KeyboardInterrupt


def test_a_check_opens_no_connection(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*address: object) -> None:
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    ingest(home, LAST, with_bad_close(INDEX, LAST))
    assert check(home, LAST).symbols_frozen == (INDEX,)


class Misspelt(MadeUpMarket):
    """Gets the currency of one instrument wrong."""

    def instruments(self) -> pa.Table:
        given = super().instruments()
        rows = given.to_pylist()
        rows[1]["currency"] = "dollars"
        return pa.Table.from_pylist(rows, schema=given.schema)


def test_a_wrong_instrument_is_out_and_the_run_goes_on(home: Settings) -> None:
    ingest(home, LAST, Misspelt())
    report = check(home, LAST)
    assert report.symbols_frozen == (STOCKS[1],)
    listed = list_quarantine(home).filter(pc.field("dataset") == "instruments").to_pylist()
    assert [(row["symbol"], row["rule"]) for row in listed] == [(STOCKS[1], "currency_is_iso")]


def test_the_last_accepted_version_of_an_instrument_stays_in_use(home: Settings) -> None:
    ingest(home, SESSIONS[-2], MadeUpMarket())
    check(home, SESSIONS[-2])
    ingest(home, LAST, Misspelt())
    assert check(home, LAST).symbols_frozen == ()
    used = accepted_versions(home, INSTRUMENTS).to_pylist()
    assert {row["symbol"]: row["currency"] for row in used}[STOCKS[1]] == "USD"
    assert len(used) == 6


def test_a_restatement_to_nonsense_keeps_the_last_good_value(home: Settings) -> None:
    market = MadeUpMarket()
    ingest(home, LAST, market)
    check(home, LAST)
    day, good = SESSIONS[-5], market.bar("BOLT", SESSIONS[-5])["close"]
    for name in ("high", "close"):
        market.bar("BOLT", day)[name] *= 1000
    ingest(home, LAST, market)
    assert check(home, LAST).rules == {"move_is_plausible": 1}
    (row,) = list_quarantine(home).to_pylist()
    assert row["known_at"] <= known_at_cut(home, LAST)
    seen = read_as_of(home, PRICES, LAST, symbols=["BOLT"], accepted=True).to_pylist()
    assert {bar["session_date"]: bar["close"] for bar in seen}[day] == good


def test_quarantine_is_part_of_the_snapshot(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", SESSIONS[10]))
    check(home, LAST)
    assert len(build_manifest(home, LAST, []).paths("quarantine")) == 1


def test_a_symbol_with_a_bad_past_is_not_frozen_today(home: Settings) -> None:
    ingest(home, LAST, with_bad_close("BOLT", *SESSIONS[:5]))
    report = check(home, LAST)
    assert (report.rows_quarantined, report.symbols_frozen) == (5, ())


def test_a_lasting_jump_is_over_for_good_once_it_is_released(home: Settings) -> None:
    market = MadeUpMarket()
    for day in SESSIONS[-4:]:
        for name in ("open", "high", "low", "close"):
            market.bar("CORK", day)[name] *= 10
    ingest(home, SESSIONS[-2], market)
    assert check(home, SESSIONS[-2]).symbols_frozen == ("CORK",)
    release(home, "CORK", released_by="Ada", reason="a real jump")
    ingest(home, LAST, market)
    report = check(home, LAST)
    assert (report.symbols_frozen, report.rules) == ((), {})


def test_what_is_released_leaves_the_stores_mirror(home: Settings) -> None:
    market = with_bad_close("BOLT", LAST)
    tenfold_cork = market.bar("CORK", LAST)
    for name in ("open", "high", "low", "close"):
        tenfold_cork[name] *= 10
    ingest(home, LAST, market)
    check(home, LAST)
    assert {row["symbol"] for row in mirrored(home)} == {"BOLT", "CORK"}
    since = next(row["since"] for row in mirrored(home) if row["symbol"] == "BOLT")
    release(home, "CORK", released_by="Ada", reason="a real jump")
    (left,) = mirrored(home)
    assert (left["symbol"], left["since"]) == ("BOLT", since)


def mirrored(settings: Settings) -> list[dict[str, Any]]:
    with connect(settings) as connection:
        rows: list[dict[str, Any]] = read(connection, QUARANTINE).to_pylist()
    return rows


def test_clean_rows_wake_no_great_expectations(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(home, SESSIONS[-2], MadeUpMarket())
    check(home, SESSIONS[-2])
    monkeypatch.setitem(sys.modules, "pipelines.quality.documenting", None)
    ingest(home, LAST, MadeUpMarket())
    assert check(home, LAST).rules == {}
    bad = MadeUpMarket()
    bad.bar("BOLT", LAST)["close"] = -1.0
    ingest(home, LAST, bad)
    with pytest.raises(ImportError):
        check(home, LAST)
