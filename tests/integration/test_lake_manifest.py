"""Manifests: what a build read, the same for ever, and never of damaged or unchecked files."""

import datetime as dt
from pathlib import Path

import pytest
from lake_examples import LATER, append, bars
from made_up_market import SESSIONS, MadeUpMarket

from models.lake import INSTRUMENTS, PRICES
from models.store_inputs import ACCOUNT, CLIENT
from pipelines.errors import LakeError
from pipelines.ingest import ingest
from pipelines.lake import (
    FileRecord,
    add_file,
    add_release,
    arrow_schema,
    build_manifest,
    compact,
    dataset_files,
    known_at_cut,
    mark_checked,
    read_as_of,
    read_manifest,
    write_manifest,
)
from pipelines.lineage import file_digest
from pipelines.sessions import available_at
from pipelines.settings import Settings, load_settings

EARLY, LAST = SESSIONS[30], SESSIONS[-1]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return load_settings({}, home=tmp_path, source="simulated")


def load(home: Settings, session: dt.date, market: MadeUpMarket | None = None) -> None:
    """Ingest, and mark the files as checked: here the verdicts do not matter."""
    ingest(home, session, market or MadeUpMarket())
    mark_checked(home, PRICES, "0" * 64, session, dataset_files(home, PRICES))


def clients(home: Settings) -> list[FileRecord]:
    return [
        add_file(home, table, arrow_schema(table).empty_table(), f"clients/{table.name}")
        for table in (CLIENT, ACCOUNT)
    ]


def test_a_manifest_lists_every_file_with_digest_and_rows(home: Settings) -> None:
    load(home, LAST)
    manifest = build_manifest(home, LAST, clients(home))
    assert manifest.known_at_cut == available_at(LAST)
    assert manifest.paths("raw", PRICES) == dataset_files(home, PRICES)
    assert manifest.paths("raw", INSTRUMENTS) == dataset_files(home, INSTRUMENTS)
    assert manifest.paths("quarantine") == []
    assert [path.split("/")[1] for path in manifest.paths("clients", ACCOUNT)] == ["account"]
    assert len(manifest.files) == 4
    for file in manifest.files:
        assert file.digest == file_digest(home.lake / file.path)
    assert [file["path"] for file in manifest.content()["files"]] == sorted(
        file["path"] for file in manifest.content()["files"]
    )


def test_a_manifest_is_the_same_before_and_after_the_lake_grows(home: Settings) -> None:
    load(home, EARLY)
    before = build_manifest(home, EARLY, clients(home))
    market = MadeUpMarket()
    load(home, SESSIONS[40], market)
    market.bar("BOLT", SESSIONS[5])["close"] += 1  # restated much later
    load(home, LAST, market)
    assert len(dataset_files(home, PRICES)) == 3
    assert build_manifest(home, EARLY, clients(home)) == before


def test_a_file_that_covers_later_sessions_too_serves_an_earlier_one(home: Settings) -> None:
    load(home, LAST)
    manifest = build_manifest(home, EARLY, [])
    assert manifest.paths("raw", PRICES) == dataset_files(home, PRICES)
    assert manifest.known_at_cut == available_at(EARLY)
    assert manifest.data_snapshot != build_manifest(home, LAST, []).data_snapshot


def test_a_restated_bar_of_the_session_itself_moves_its_cut(home: Settings) -> None:
    market = MadeUpMarket()
    load(home, LAST, market)
    before = build_manifest(home, LAST, [])
    market.bar("BOLT", LAST)["close"] += 0.01
    load(home, LAST, market)
    after = build_manifest(home, LAST, [])
    assert after.known_at_cut > before.known_at_cut
    assert len(after.paths("raw", PRICES)) == 2
    assert known_at_cut(home, EARLY) == available_at(EARLY)


def test_other_clients_give_another_snapshot(home: Settings) -> None:
    load(home, LAST)
    one, two = clients(home)
    assert (
        build_manifest(home, LAST, [one]).data_snapshot
        != build_manifest(home, LAST, [one, two]).data_snapshot
    )


def test_a_manifest_is_read_back_as_it_was_written(home: Settings) -> None:
    load(home, LAST)
    manifest = build_manifest(home, LAST, clients(home))
    path = write_manifest(home, manifest)
    assert path == f"manifests/{manifest.data_snapshot}.json"
    assert file_digest(home.lake / path) == manifest.data_snapshot
    assert read_manifest(home, manifest.data_snapshot) == manifest
    written = (home.lake / path).stat().st_mtime_ns
    write_manifest(home, manifest)
    assert (home.lake / path).stat().st_mtime_ns == written


def test_the_history_of_advice_names_a_build_and_is_no_part_of_its_data_snapshot(
    home: Settings,
) -> None:
    load(home, LAST)
    manifest = build_manifest(home, LAST, clients(home))
    assert manifest.digest == manifest.data_snapshot
    advice = FileRecord("history/forecast/run=a/0123.parquet", "0123", 7)
    whole = manifest.with_history([advice])
    assert whole.paths("history") == [advice.path]
    assert whole.data_snapshot == manifest.data_snapshot != whole.digest
    assert whole.with_history([]) == whole.without_history() == manifest
    assert write_manifest(home, whole) == f"manifests/{whole.digest}.json"
    assert read_manifest(home, whole.digest) == whole
    assert read_manifest(home, whole.data_snapshot) == manifest


def test_a_moved_home_keeps_its_snapshots(home: Settings, tmp_path: Path) -> None:
    load(home, LAST)
    manifest = build_manifest(home, LAST, [])
    write_manifest(home, manifest)
    moved = load_settings({}, home=tmp_path / "moved", source="simulated")
    moved.home.mkdir()
    home.lake.rename(moved.lake)
    assert build_manifest(moved, LAST, []).data_snapshot == manifest.data_snapshot
    [path] = read_manifest(moved, manifest.data_snapshot).paths("raw", PRICES)
    assert (moved.lake / path).is_file()


def test_an_unknown_snapshot_is_named(home: Settings) -> None:
    with pytest.raises(LakeError, match=r"'abc'.*no manifest"):
        read_manifest(home, "abc")


@pytest.mark.parametrize("edit", ["rows", "half"])
def test_an_edited_manifest_is_refused(home: Settings, edit: str) -> None:
    load(home, LAST)
    manifest = build_manifest(home, LAST, [])
    path = home.lake / write_manifest(home, manifest)
    text = path.read_text()
    path.write_text(text.replace('"rows":', '"rows":1') if edit == "rows" else text[:80])
    with pytest.raises(LakeError, match="not what its name says"):
        read_manifest(home, manifest.data_snapshot)


def test_without_prices_the_remedy_is_to_ingest(home: Settings) -> None:
    with pytest.raises(LakeError, match=f"smartinvest ingest --session {LAST}"):
        build_manifest(home, LAST, [])


def test_prices_that_were_never_checked_are_refused(home: Settings) -> None:
    load(home, LAST)
    append(home, LAST, bars([("NEW", LAST, 1.0)]))
    with pytest.raises(LakeError, match="never checked"):
        build_manifest(home, LAST, [])


def test_what_was_checked_under_other_rules_is_refused(home: Settings) -> None:
    load(home, LAST)
    append(home, LAST, bars([("NEW", LAST, 1.0)]))
    mark_checked(home, PRICES, "1" * 64, LAST, dataset_files(home, PRICES)[:1])
    with pytest.raises(LakeError, match="never checked"):
        build_manifest(home, LAST, [])
    mark_checked(home, PRICES, "1" * 64, LAST, dataset_files(home, PRICES)[1:])
    assert build_manifest(home, LAST, []).paths("raw", PRICES) == dataset_files(home, PRICES)


def test_a_compaction_changes_no_manifest_and_no_answer(home: Settings) -> None:
    load(home, EARLY)
    market = MadeUpMarket()
    market.bar("BOLT", SESSIONS[5])["close"] += 1
    load(home, LAST, market)
    before = {session: build_manifest(home, session, []) for session in (EARLY, LAST)}
    seen = {session: read_as_of(home, PRICES, session) for session in (EARLY, LAST)}
    for _ in range(2):  # the second removes what the first replaced
        compact(home)
        for session in (EARLY, LAST):
            assert build_manifest(home, session, []) == before[session]
            assert read_as_of(home, PRICES, session).equals(seen[session])
    assert not list((home.lake / "raw" / "prices").rglob("*.parquet"))


def test_a_release_is_part_of_the_snapshot(home: Settings) -> None:
    load(home, LAST)
    before = build_manifest(home, LAST, [])
    release = add_release(
        home,
        PRICES,
        "BOLT",
        first_session=SESSIONS[5],
        last_session=SESSIONS[6],
        rule=None,
        released_by="a person",
        reason="the exchange confirms it",
        released_at=LATER,
    )
    assert build_manifest(home, LAST, []).paths("releases") == [release.path]
    assert build_manifest(home, LAST, []).data_snapshot != before.data_snapshot


@pytest.mark.parametrize("damage", ["bit", "end"])
def test_damage_to_a_file_is_noticed(home: Settings, damage: str) -> None:
    load(home, LAST)
    path = home.lake / dataset_files(home, PRICES)[0]
    spoiled = bytearray(path.read_bytes())
    spoiled[len(spoiled) // 3] ^= 1
    path.write_bytes(spoiled if damage == "bit" else path.read_bytes()[:-50])
    with pytest.raises(LakeError, match=f"{path.name}.*bytes changed"):
        build_manifest(home, LAST, [])


@pytest.mark.parametrize("compacted", [False, True])
def test_a_file_that_is_gone_is_noticed(home: Settings, compacted: bool) -> None:
    load(home, EARLY)
    load(home, LAST)
    if compacted:
        compact(home)
        compact(home)
    path = next((home.lake / ("compacted" if compacted else "raw")).rglob("*.parquet"))
    path.unlink()
    with pytest.raises(LakeError, match=r"raw/.*is gone.*Restore it from a backup"):
        build_manifest(home, LAST, [])


def test_verdicts_that_are_gone_are_noticed(home: Settings) -> None:
    market = MadeUpMarket()
    market.bar("BOLT", SESSIONS[30])["close"] = -1.0
    ingest(home, LAST, market)
    (path,) = build_manifest(home, LAST, []).paths("quarantine", PRICES)
    (home.lake / path).unlink()
    with pytest.raises(LakeError, match=f"{path}.*is gone"):
        build_manifest(home, LAST, [])


def test_a_damaged_client_file_is_noticed(home: Settings) -> None:
    load(home, LAST)
    (one, _) = clients(home)
    path = home.lake / one.path
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(LakeError, match="bytes changed"):
        build_manifest(home, LAST, [one])
