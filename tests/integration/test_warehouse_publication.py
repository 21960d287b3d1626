"""Publication: readers never wait or see half, a killed build leaves the last one in place."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import psutil
import pytest
from warehouse_inputs import SESSION, SESSIONS, action_row, actions, append, change_answers

from models.lake import ACTIONS
from pipelines.errors import WarehouseError
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import build_for, connect, dbt_build, making, publication, transform

PATIENCE_S = 60.0


@pytest.fixture
def published(small_warehouse: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The shared home, free to be changed: it is put back afterwards.

    A copy elsewhere would make dbt parse the project anew for every test.
    """
    kept = tmp_path / "kept"
    shutil.copytree(small_warehouse.home, kept, symlinks=True)
    yield small_warehouse
    shutil.rmtree(small_warehouse.home)
    shutil.move(kept, small_warehouse.home)


def score_of_ada(warehouse: Path) -> int:
    with connect(warehouse) as database:
        [(score,)] = database.sql(
            "select risk_score from client_profile where goal_id = 'ada-far'"
        ).fetchall()
    return int(score)


def test_readers_see_the_old_build_or_the_new_one_while_it_is_made(published: Settings) -> None:
    current = published.warehouse / "current"
    seen: list[int] = []
    errors: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                seen.append(score_of_ada(current))
            except Exception as error:  # noqa: BLE001 - any error at all is what is looked for
                errors.append(error)
            time.sleep(0.005)

    old = connect(current)
    reader = threading.Thread(target=read)
    reader.start()
    try:
        change_answers(published, "ada", version=2, max_loss_percent=10)
        transform(published, SESSION)
        time.sleep(0.2)
    finally:
        done.set()
        reader.join()

    assert errors == []
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {46, 36}
    assert old.sql(
        "select risk_score from client_profile where goal_id = 'ada-far'"
    ).fetchall() == [(46,)]
    assert len(list((published.warehouse / "builds").glob("2*"))) == 2


@pytest.mark.long
def test_an_older_session_gets_its_pointer_and_leaves_current_alone(published: Settings) -> None:
    newest = build_for(published, SESSION)
    earlier = transform(published, SESSIONS[-2])

    assert (published.warehouse / "current").resolve() == newest.path
    assert build_for(published, SESSIONS[-2]) == earlier
    with connect(earlier.warehouse_path) as warehouse:
        assert warehouse.sql("select max(session_date) from price").fetchall() == [(SESSIONS[-2],)]


@pytest.mark.long
def test_a_removed_build_is_made_again_byte_for_byte_with_any_number_of_threads(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build_for(published, SESSION)
    shutil.rmtree(before.path)
    change_answers(published, "ada", version=2, max_loss_percent=10)
    monkeypatch.setattr(dbt_build, "MOST_THREADS", 1)

    assert build_for(published, SESSION) == before
    assert score_of_ada(before.warehouse_path) == 46


@pytest.mark.long
def test_a_build_whose_record_was_not_written_is_none_and_goes(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build_for(published, SESSION)
    change_answers(published, "ada", version=2, max_loss_percent=10)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(making, "write_record", killed)
        transform(published, SESSION)
    assert build_for(published, SESSION) == before
    assert len(list((published.warehouse / "builds").glob("2*"))) == 2

    after = transform(published, SESSION)
    assert after.base == before.path.name
    assert score_of_ada(published.warehouse / "current") == 36
    assert {path.name for path in (published.warehouse / "builds").iterdir()} == {
        before.path.name,
        after.path.name,
    }


def test_a_home_that_was_moved_is_read_where_it_is_now(
    small_warehouse: Settings, tmp_path: Path
) -> None:
    moved = tmp_path / "it's moved"
    shutil.copytree(small_warehouse.home, moved, symlinks=True)
    elsewhere = build_for(load_settings({}, home=moved), SESSION)
    [part] = [part for part in elsewhere.panel if part.name == "2022-11.parquet"]
    for each in (elsewhere.panel_path).iterdir():
        if each.name != part.name:
            each.unlink()
    with connect(elsewhere.path) as warehouse:
        assert warehouse.sql("select count(*) from price").fetchall() == [(part.rows,)]
    with duckdb.connect(str(elsewhere.warehouse_path), read_only=True) as warehouse:
        assert warehouse.sql("select count(*) from marts.price").fetchall() == [(part.rows,)]
    with connect(small_warehouse.warehouse / "current") as warehouse:
        [(rows,)] = warehouse.sql("select count(*) from price").fetchall()
    assert rows == sum(part.rows for part in elsewhere.panel)


@pytest.mark.long
def test_a_failing_data_test_names_test_and_rows_and_leaves_the_last_build_in_place(
    published: Settings,
) -> None:
    before = build_for(published, SESSION)
    append(published, ACTIONS, actions([action_row("KO", SESSION, "dividend", -1.0)]))

    with pytest.raises(WarehouseError, match="stg_actions_is_sound: 1 row fails") as raised:
        transform(published, SESSION)

    assert "the last good warehouse stays" in str(raised.value)
    assert build_for(published, SESSION) == before
    assert (published.warehouse / "current").resolve() == before.path


def test_only_the_newest_builds_and_the_current_one_are_kept(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path)
    builds = settings.warehouse / "builds"
    names = [f"2022-12-{day:02d}_{day:012d}_code" for day in range(10, 20)]
    for age, name in enumerate(reversed(names)):
        (builds / name).mkdir(parents=True)
        (builds / name / "build.json").write_text("{}")
        os.utime(builds / name / "build.json", (1_000_000 - age, 1_000_000 - age))
    (settings.warehouse / "current").symlink_to(f"builds/{names[0]}")

    publication.remove_old(settings)

    kept = names[-publication.KEPT_BUILDS :]
    assert sorted(path.name for path in builds.iterdir()) == [names[0], *kept]


def test_a_removal_that_was_killed_leaves_no_half_build_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings({}, home=tmp_path)
    builds = settings.warehouse / "builds"
    for day in range(10, 12 + publication.KEPT_BUILDS):
        (builds / f"2022-12-{day}_0_code").mkdir(parents=True)
        (builds / f"2022-12-{day}_0_code" / "build.json").write_text("{}")

    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", killed)
        publication.remove_old(settings)
    assert not (builds / "2022-12-10_0_code").exists()

    publication.remove_old(settings)
    assert len(list(builds.iterdir())) == publication.KEPT_BUILDS


@pytest.mark.long
def test_a_killed_build_leaves_the_last_one_and_the_next_build_cleans_up(
    published: Settings,
) -> None:
    before = build_for(published, SESSION)
    change_answers(published, "ada", version=2, max_loss_percent=10)
    process = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "from pipelines.settings import load_settings\n"
            "from pipelines.warehouse import transform\n"
            "from datetime import date\n"
            f"transform(load_settings(), date.fromisoformat('{SESSION}'))\n",
        ],
        env=os.environ | published.environment() | {"PYTHONPATH": str(Path.cwd())},
    )
    unfinished = published.warehouse / "builds" / ".tmp-build"
    wait_until(lambda: (unfinished / "warehouse.duckdb").exists())
    [dbt] = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not dbt.is_running() or dbt.status() == psutil.STATUS_ZOMBIE)

    assert unfinished.exists()
    assert build_for(published, SESSION) == before
    assert score_of_ada(published.warehouse / "current") == 46

    after = transform(published, SESSION)
    assert score_of_ada(published.warehouse / "current") == 36
    assert not unfinished.exists()
    assert sorted((published.warehouse / "builds").iterdir()) == sorted([before.path, after.path])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
