"""Upkeep of a home: what a published run was made from stays, whatever its age; the rest goes."""

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from new_stores import make_store
from stored import rows
from typer.testing import CliRunner
from warehouse_inputs import SESSION, make_home

from models.store_lineage import TASK_LINEAGE
from models.store_runs import ADVICE_RUN
from pipelines.cli import app
from pipelines.errors import SettingError
from pipelines.lake import (
    Manifest,
    build_manifest,
    read_manifest,
    storage,
    write_manifest,
)
from pipelines.lake.files import verified
from pipelines.maintenance import PARTS, Removal, retention
from pipelines.settings import Settings, load_settings
from pipelines.store import insert, tables, transaction
from pipelines.warehouse.publication import build_name
from pipelines.warehouse.snapshot import snapshot_clients
from pipelines.warehouse.workspace import sole_builder

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
LONG_AGO = (NOW - dt.timedelta(days=100)).timestamp()
YESTERDAY = (NOW - dt.timedelta(days=1)).timestamp()
A_MONTH = retention(30, NOW)
DRY = retention(30, NOW, dry_run=True)


def made_old(root: Path, changed_at: float = LONG_AGO) -> None:
    """Let everything below look as if it had been written then."""
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            os.utime(path, (changed_at, changed_at))


def written(path: Path, changed_at: float, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (changed_at, changed_at))
    return path


def begun(
    settings: Settings, run_id: str, status: str, started: float, snapshot: str = "s"
) -> None:
    """A run of the store."""
    moment = dt.datetime.fromtimestamp(started, dt.UTC)
    run = dict.fromkeys(ADVICE_RUN.column_names, "x") | {
        "run_id": run_id,
        "source": "sample",
        "session_date": SESSION,
        "status": status,
        "data_snapshot": snapshot,
        "model_version": 1,
        "started_at": moment,
        "published_at": moment if status == "published" else None,
        "supersedes": None,
    }
    with transaction(settings) as store:
        insert(store, ADVICE_RUN, [run])


def lake_files(settings: Settings) -> set[str]:
    files = (path for path in settings.lake.rglob("*") if path.is_file())
    return {path.relative_to(settings.lake).as_posix() for path in files}


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return make_home(tmp_path / "home")


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path / "home")
    make_store(settings)
    return settings


def removed(found: list[Removal]) -> dict[str, int]:
    return {each.what: each.removed for each in found}


def snapshot(settings: Settings) -> Manifest:
    """The manifest of the clients as they are now."""
    manifest = build_manifest(settings, SESSION, snapshot_clients(settings, SESSION))
    write_manifest(settings, manifest)
    return manifest


def one_goal_less(settings: Settings) -> None:
    with transaction(settings) as store:
        goal = tables["goal"]
        store.execute(goal.delete().where(goal.c.goal_id == rows(settings, "goal")[0]["goal_id"]))


def test_snapshots_that_a_published_run_names_stay_and_those_that_nobody_names_go(
    home: Settings,
) -> None:
    published = snapshot(home)
    begun(home, "published", "published", LONG_AGO, published.data_snapshot)
    one_goal_less(home)
    unpublished = snapshot(home)
    assert unpublished.digest != published.digest
    made_old(home.lake)
    before = lake_files(home)

    would = removed(PARTS["snapshots"](home, DRY))
    assert lake_files(home) == before

    assert removed(PARTS["snapshots"](home, A_MONTH)) == would
    assert would["manifests that no run needs"] == 1
    gone = before - lake_files(home)
    only_there = {file.path for file in unpublished.files} - {f.path for f in published.files}
    assert gone == {f"manifests/{unpublished.digest}.json", *only_there}
    kept = read_manifest(home, published.data_snapshot)
    assert [verified(home, file.path) for file in kept.files] == [f.digest for f in kept.files]
    assert removed(PARTS["snapshots"](home, A_MONTH)) == dict.fromkeys(would, 0)


@pytest.mark.parametrize("where", ["builds", "sessions"])
def test_the_snapshot_of_a_build_that_can_be_made_again_stays(home: Settings, where: str) -> None:
    manifest = snapshot(home)
    name = build_name(SESSION, manifest.digest, "c" * 64)
    folder = home.warehouse / where
    folder.mkdir(parents=True)
    if where == "builds":
        (folder / name).mkdir()
    else:
        (folder / SESSION.isoformat()).symlink_to(f"../builds/{name}")
    made_old(home.lake)
    assert set(removed(PARTS["snapshots"](home, A_MONTH)).values()) == {0}


def test_a_snapshot_of_another_source_stays_since_its_runs_may_be_in_another_store(
    home: Settings,
) -> None:
    mine = snapshot(home)
    other = Manifest("yahoo", SESSION, mine.known_at_cut, mine.files)
    write_manifest(home, other)
    made_old(home.lake)
    PARTS["snapshots"](home, A_MONTH)
    assert read_manifest(home, other.digest).files == mine.files
    assert not storage(home).exists(f"manifests/{mine.digest}.json")
    assert all(storage(home).exists(file.path) for file in mine.files)


def test_what_is_young_stays_although_nobody_names_it_yet(home: Settings) -> None:
    snapshot(home)
    before = lake_files(home)
    PARTS["snapshots"](home, retention(1, dt.datetime.now(dt.UTC)))
    assert lake_files(home) == before


def test_only_old_runs_that_were_never_published_go_with_their_rows(store: Settings) -> None:
    begun(store, "old", "building", LONG_AGO)
    begun(store, "young", "building", YESTERDAY)
    begun(store, "shown", "published", LONG_AGO)
    begun(store, "replaced", "superseded", LONG_AGO)
    assert removed(PARTS["runs"](store, DRY)) == {"runs that were never published": 1}
    assert len(rows(store, "advice_run")) == 4
    assert removed(PARTS["runs"](store, A_MONTH)) == {"runs that were never published": 1}
    assert {run["run_id"] for run in rows(store, "advice_run")} == {"young", "shown", "replaced"}


def tried(settings: Settings, dag_id: str, ended: float, **said: object) -> None:
    """A note of a task's try."""
    note = dict.fromkeys(TASK_LINEAGE.column_names, "x") | {
        "dag_id": dag_id,
        "map_index": -1,
        "try_number": 1,
        "source": "sample",
        "session_date": None,
        "state": "success",
        "started_at": None,
        "ended_at": dt.datetime.fromtimestamp(ended, dt.UTC),
        "advice_run_id": None,
    }
    with transaction(settings) as store:
        insert(store, TASK_LINEAGE, [note | said])


def test_old_notes_of_tries_go_unless_they_say_how_a_run_came_about(store: Settings) -> None:
    begun(store, "shown", "published", LONG_AGO)
    tried(store, "made_the_run", LONG_AGO, advice_run_id="shown", session_date=SESSION)
    tried(store, "before_the_run", LONG_AGO, session_date=SESSION)
    tried(store, "of_a_run_that_is_gone", LONG_AGO, advice_run_id="gone", session_date=SESSION)
    tried(store, "of_no_session", LONG_AGO)
    tried(store, "of_another_session", LONG_AGO, session_date=SESSION - dt.timedelta(days=1))
    tried(store, "young", YESTERDAY)
    tried(store, "of_another_source", LONG_AGO, source="yahoo", session_date=SESSION)
    for rule, left in ((DRY, 7), (A_MONTH, 4)):
        [found] = PARTS["tries"](store, rule)
        assert (found.removed, found.needed) == (3, 2)
        assert len(rows(store, "task_lineage")) == left
    assert {row["dag_id"] for row in rows(store, "task_lineage")} == {
        *("made_the_run", "before_the_run", "young", "of_another_source")
    }


def test_old_logs_and_results_go_with_their_folders_and_young_ones_stay(store: Settings) -> None:
    log = written(store.airflow / "logs" / "dag_id=x" / "run_id=1" / "attempt=1.log", LONG_AGO)
    young = written(store.airflow / "logs" / "dag_id=x" / "run_id=2" / "attempt=1.log", YESTERDAY)
    result = written(store.warehouse / "results" / "2022-12-28" / "1.json", LONG_AGO)
    for part in ("logs", "builds"):
        PARTS[part](store, DRY)
    assert log.exists()
    gone = removed(PARTS["logs"](store, A_MONTH))
    assert (gone["logs of tasks"], gone["logs of processes"]) == (1, 0)
    assert removed(PARTS["builds"](store, A_MONTH)) == {"results of builds": 1}
    assert not log.parent.exists()
    assert young.exists()
    assert not result.parent.exists()


def test_work_of_a_training_goes_once_nothing_in_it_has_changed_for_long(store: Settings) -> None:
    root = store.home / "training"
    dead = written(root / "dead" / "part.npz", LONG_AGO, size=500)
    going_on = written(root / "alive" / "fold" / "part.npz", YESTERDAY)
    for folder in (dead.parent, going_on.parents[1]):
        os.utime(folder, (LONG_AGO, LONG_AGO))
    [trainings, _] = PARTS["work"](store, A_MONTH)
    assert (trainings.removed, dead.parent.exists(), going_on.exists()) == (1, False, True)
    assert trainings.freed_bytes >= 500


def test_less_than_a_day_is_never_kept() -> None:
    with pytest.raises(SettingError, match="what is younger may be under way"):
        retention(0, NOW)


def test_the_command_does_every_part_and_says_what_went(store: Settings) -> None:
    log = written(store.logs / "old.log", LONG_AGO)
    begun(store, "old", "building", LONG_AGO)
    environ = {"SMARTINVEST_HOME": str(store.home), "COLUMNS": "200"}
    dry = CliRunner().invoke(app, ["maintain", "--days", "40", "--dry-run"], env=environ)
    assert dry.exit_code == 0, dry.output
    assert "nothing was removed; without dry run it would be" in dry.output
    assert log.exists()
    done = CliRunner().invoke(app, ["maintain", "--days", "40"], env=environ)
    assert done.exit_code == 0, done.output
    for line in (
        *("runs that were never published: 1", "logs of processes: 1", "deleted runs of"),
        *("notes of task tries: 0", "searches for model settings: 0"),
    ):
        assert line in done.output
    assert not log.exists()
    assert rows(store, "advice_run") == []


def test_builds_in_the_lake_are_left_alone_while_one_is_being_handed_over(tmp_path: Path) -> None:
    shared = load_settings({}, home=tmp_path / "home", lake_url=str(tmp_path / "lake"))
    with ThreadPoolExecutor(1) as pool:
        with sole_builder(shared):
            waiting = pool.submit(PARTS["builds"], shared, A_MONTH)
            assert wait([waiting], timeout=0.5).not_done
        assert removed(waiting.result(timeout=10))["files of builds in the lake"] == 0


def test_loops_compiled_from_older_code_go_from_where_they_are_and_nothing_beside_them(
    store: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "shared"))
    now = Path(store.libraries_environment()["NUMBA_CACHE_DIR"])
    older = now.with_name("0.1.0+0123456789ab")
    kept = [now, older.with_name("0.1.0+ba9876543210"), older.with_name("somebody_else_s")]
    for folder in (older, *kept):
        changed_at = YESTERDAY if folder is kept[1] else LONG_AGO
        written(folder / "loop.nbi", changed_at)
        os.utime(folder, (changed_at, changed_at))
    assert removed(PARTS["work"](store, A_MONTH))["loops compiled from older code"] == 1
    assert not older.exists()
    assert all((folder / "loop.nbi").exists() for folder in kept)
