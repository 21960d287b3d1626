"""A build that goes on from an earlier one shares its files, and is what a full one would be."""

import dataclasses
import datetime as dt
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from warehouse_inputs import (
    SESSION,
    SYMBOLS,
    add_prices,
    change_answers,
    price_row,
    reject_price,
)

from pipelines.errors import WarehouseError
from pipelines.lake import build_manifest
from pipelines.sessions import session_after
from pipelines.settings import Settings
from pipelines.warehouse import WarehouseBuild, build_for, publication, transform, verify
from pipelines.warehouse.base import Plan, plan, rejections_of
from pipelines.warehouse.changes import Inputs
from pipelines.warehouse.code import code_digest

NEXT = session_after(SESSION)
TRADED = tuple(symbol for symbol in SYMBOLS if symbol != "OLD")


@pytest.fixture
def home(small_warehouse: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The shared home with bars of one session more; it is put back afterwards."""
    kept = tmp_path / "kept"
    shutil.copytree(small_warehouse.home, kept, symlinks=True)
    add_prices(small_warehouse, [price_row(symbol, NEXT, 10.0) for symbol in TRADED])
    yield small_warehouse
    shutil.rmtree(small_warehouse.home)
    shutil.move(kept, small_warehouse.home)


def shared(build: WarehouseBuild, other: WarehouseBuild) -> set[str]:
    """The parts of a panel that are the very files of another build."""
    return {
        file.name
        for file in build.panel_path.iterdir()
        if (twin := other.panel_path / file.name).exists() and twin.samefile(file)
    }


def test_a_new_session_shares_all_older_parts_and_is_what_a_full_build_gives(
    home: Settings,
) -> None:
    base = build_for(home, SESSION)
    build = transform(home, NEXT)
    assert build.base == base.path.name
    assert shared(build, base) == {part.name for part in base.panel}
    assert {part.name for part in build.panel} == shared(build, base) | {f"{NEXT}.parquet"}

    full = transform(home, NEXT, full=True)
    assert full.base is None
    assert full == build
    assert not shared(full, base)
    verify(full)


@pytest.mark.long
def test_late_restated_and_rejected_bars_rebuild_the_parts_that_they_touch_and_no_other(
    home: Settings,
) -> None:
    base = build_for(home, SESSION)
    restated = session_after(SESSION, -30)
    add_prices(home, [price_row("KO", restated, 11.0)], NEXT)
    reject_price(home, "XOM", session_after(SESSION, -25))
    build = transform(home, NEXT)
    assert build.base == base.path.name
    untouched = {part.name for part in base.panel if part.name < f"{restated:%Y-%m}"}
    assert untouched
    assert shared(build, base) == untouched
    assert transform(home, NEXT, full=True) == build


@pytest.mark.long
def test_other_clients_take_the_whole_panel_over(home: Settings) -> None:
    base = build_for(home, SESSION)
    change_answers(home, "ada", version=2, max_loss_percent=10)
    build = transform(home, SESSION)
    assert build.path != base.path
    assert build.feature_hash == base.feature_hash
    assert shared(build, base) == {part.name for part in base.panel}


@pytest.mark.long
def test_a_build_that_is_removed_leaves_the_parts_that_others_have(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = build_for(home, SESSION)
    monkeypatch.setattr(publication, "KEPT_BUILDS", 1)
    build = transform(home, NEXT)
    assert not base.path.exists()
    verify(build)

    again = build_for(home, SESSION)
    assert again == base
    assert again.base is None


def plan_of(home: Settings, session: dt.date) -> Plan:
    """How a build of a session with today's clients would be made."""
    manifest = build_manifest(home, session, [])
    return plan(home, Inputs(manifest, rejections_of(home, manifest)), code_digest())


def test_a_build_goes_on_from_the_newest_one_that_knew_no_more(home: Settings) -> None:
    base = build_for(home, SESSION)
    assert plan_of(home, NEXT).base == base
    assert str(plan_of(home, NEXT)) == (
        f"it goes on from {base.path.name}: inputs of {len(TRADED)} symbols changed"
    )
    assert plan_of(home, session_after(SESSION, -1)).base is None


def test_a_build_of_other_code_or_source_is_no_base(home: Settings) -> None:
    manifest = build_manifest(home, NEXT, [])
    inputs = Inputs(manifest, rejections_of(home, manifest))
    assert plan(home, inputs, "0" * 64).base is None
    yahoo = Inputs(dataclasses.replace(manifest, source="yahoo"), inputs.rejected)
    assert plan(home, yahoo, code_digest()).base is None


@pytest.mark.parametrize(
    "damage",
    ["truncated", "gone", "no list of parts", "no last bars", "no rejections", "no manifest"],
)
def test_a_base_that_is_damaged_is_passed_over_and_said_so(
    home: Settings, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    base = build_for(home, SESSION)
    part = base.panel_path / base.panel[0].name
    match damage:
        case "truncated":
            os.truncate(part, part.stat().st_size - 1)
        case "gone":
            part.unlink()
        case "no list of parts":
            (base.path / "panel.json").unlink()
        case "no last bars":
            (base.path / "last_bars.parquet").unlink()
        case "no rejections":
            shutil.rmtree(base.path / "rejected")
        case "no manifest":
            (home.lake / "manifests" / f"{base.data_snapshot}.json").unlink()
    chosen = plan_of(home, NEXT)
    assert chosen.base is None
    assert base.path.name in caplog.text + str(chosen)


@pytest.mark.long
def test_bytes_that_changed_are_found_and_mended_by_a_full_build(home: Settings) -> None:
    build = build_for(home, SESSION)
    for name in ("session_features.parquet", f"panel/{build.panel[0].name}"):
        file = build.path / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        with pytest.raises(WarehouseError, match=rf"the bytes of {name} changed.*transform --full"):
            verify(build)
    again = transform(home, SESSION, full=True)
    assert again == build
    verify(again)
