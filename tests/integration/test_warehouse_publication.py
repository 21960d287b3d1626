"""Publication: readers never wait or see half, a killed build leaves the last one in place."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from warehouse_inputs import SESSION, SESSIONS, change_answers

from pipelines.settings import Settings, load_settings
from pipelines.warehouse import build_for, connect, publication, transform

PATIENCE_S = 60.0


@pytest.fixture
def published(small_warehouse: Settings, tmp_path: Path) -> Settings:
    """A copy of a home with a published warehouse, free to be changed."""
    home = tmp_path / "home"
    shutil.copytree(small_warehouse.home, home, symlinks=True)
    return load_settings({}, home=home)


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


def test_an_older_session_gets_its_pointer_and_leaves_current_alone(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = build_for(published, SESSION)
    earlier = transform(published, SESSIONS[-2])
    current = published.warehouse / "current"
    assert current.resolve() == newest.path
    assert build_for(published, SESSIONS[-2]) == earlier
    with connect(earlier.warehouse_path) as warehouse:
        assert warehouse.sql("select max(session_date) from price").fetchall() == [(SESSIONS[-2],)]

    monkeypatch.setattr(publication, "KEPT_BUILDS", 1)
    publication.remove_old(published)
    assert newest.path.exists()
    monkeypatch.setattr(publication, "KEPT_BUILDS", 0)
    shutil.rmtree(earlier.path)
    again = build_for(published, SESSIONS[-2])
    assert again == earlier


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


def wait_until(condition: object) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
