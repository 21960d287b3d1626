"""However a run is cut into shards, and whatever is killed on the way, its rows are the same."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rebalance_runs import WRITTEN, contents, copy_home, identify_run, make_run, query
from warehouse_inputs import SESSION

from models.store_outputs import WRITTEN_BY_SHARDS
from pipelines.errors import RebalanceError
from pipelines.rebalance import rebalance, shard_work, workers
from pipelines.rebalance.output import shards
from pipelines.settings import Settings
from pipelines.store import insert_arrow, transaction

KILLED = Path(__file__).parents[2] / "killed_rebalance.py"
SHARDS = "SELECT shard, status, accounts, digest, written_at FROM advice_shard ORDER BY shard"

Home = Callable[..., Settings]


@pytest.fixture
def home(built_home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    """Make a copy of the home with forecasts, in shards of some accounts, on either database."""

    def make(accounts_per_shard: int, workers: int = 1, database: str = "sqlite") -> Settings:
        url = "" if database == "sqlite" else request.getfixturevalue("postgresql_url")
        name = f"{database}-{accounts_per_shard}-{workers}"
        settings = make_run(copy_home(built_home, tmp_path / name, url))
        changes = {"accounts_per_shard": accounts_per_shard, "workers": workers}
        return settings.model_copy(update=changes)

    return make


@pytest.fixture(scope="module")
def undisturbed(
    built_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    """What a run writes in one shard and one process."""
    settings = make_run(copy_home(built_home, tmp_path_factory.mktemp("undisturbed") / "home"))
    settings = settings.model_copy(update={"accounts_per_shard": 10_000, "workers": 1})
    rebalance(settings, SESSION)
    return contents(settings)


@pytest.mark.parametrize("database", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"])
def test_any_size_of_shard_and_number_of_processes_gives_the_same_rows(
    home: Home, undisturbed: dict[str, list[tuple[Any, ...]]], database: str
) -> None:
    settings = home(2, workers=2, database=database)
    report = rebalance(settings, SESSION)
    assert report.written
    assert contents(settings) == undisturbed
    found = query(settings, SHARDS)
    assert len(found) > 3
    assert {row[1] for row in found} == {"written"}
    assert sum(row[2] for row in found) == report.accounts


@pytest.mark.long
def test_the_digest_of_a_shard_is_that_of_its_rows_on_every_database(
    home: Home,
) -> None:
    one, two = home(3), home(3, workers=2)
    for settings in (one, two):
        rebalance(settings, SESSION)
    digests = [[row[3] for row in query(settings, SHARDS)] for settings in (one, two)]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == len(digests[0])


@pytest.mark.parametrize("table", [table.name for table in WRITTEN_BY_SHARDS])
def test_a_crash_between_any_two_tables_keeps_whole_shards_and_a_rerun_makes_the_rest(
    home: Home,
    undisturbed: dict[str, list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    table: str,
) -> None:
    settings = home(3)
    calls = iter(range(10))

    def dying(connection: Any, declaration: Any, rows: Any) -> int:
        count = insert_arrow(connection, declaration, rows)
        if declaration.name == table and next(calls) == 1:
            raise KeyboardInterrupt
        return count

    with monkeypatch.context() as patch:
        patch.setattr(shards, "insert_arrow", dying)
        with pytest.raises(KeyboardInterrupt):
            rebalance(settings, SESSION)
    kept = query(settings, SHARDS)
    assert [row[:2] for row in kept] == [(0, "written")]
    assert query(settings, "SELECT count(*) FROM client_outcome") == [(kept[0][2],)]
    assert query(settings, "SELECT count(*) FROM current_outcome") == [(0,)]
    assert rebalance(settings, SESSION).written
    assert query(settings, SHARDS)[0] == kept[0]
    assert contents(settings) == undisturbed


def test_a_shard_that_fails_is_noted_and_a_rerun_makes_it_alone(
    home: Home,
    undisturbed: dict[str, list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = home(3)
    advise = shard_work.advise

    def failing(shard: Any, *arguments: Any) -> Any:
        if shard.number == 1:
            raise ZeroDivisionError
        return advise(shard, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(shard_work, "advise", failing)
        with pytest.raises(RebalanceError, match="number 1, with ZeroDivisionError"):
            rebalance(settings, SESSION)
    before = query(settings, SHARDS)
    assert [row[0] for row in before if row[1] == "failed"] == [1]
    assert {row[1] for row in before if row[0] != 1} == {"written"}
    assert rebalance(settings, SESSION).written
    after = query(settings, SHARDS)
    assert [row for row in after if row[0] != 1] == [row for row in before if row[0] != 1]
    assert contents(settings) == undisturbed


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_shard_whose_inputs_changed_since_it_was_written_is_written_anew(
    home: Home,
    undisturbed: dict[str, list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    database: str,
) -> None:
    settings = home(3, database=database)
    with monkeypatch.context() as patch:
        patch.setattr(shard_work, "inputs_digest", lambda shard: "as it was before")
        patch.setattr(workers, "write", _interrupted_after(2))
        with pytest.raises(KeyboardInterrupt):
            rebalance(settings, SESSION)
    assert [row[:2] for row in query(settings, SHARDS)] == [(0, "written"), (1, "written")]
    assert rebalance(settings, SESSION).written
    assert contents(settings) == undisturbed


def test_shards_that_were_cut_otherwise_are_made_again(
    home: Home,
    undisturbed: dict[str, list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = home(3)
    with monkeypatch.context() as patch:
        patch.setattr(workers, "write", _interrupted_after(2))
        with pytest.raises(KeyboardInterrupt):
            rebalance(settings, SESSION)
    other = settings.model_copy(update={"accounts_per_shard": 4})
    assert rebalance(other, SESSION).written
    assert contents(other) == undisturbed


def test_a_rebalance_that_cuts_otherwise_does_not_mix_with_one_under_way(home: Home) -> None:
    settings = home(3)
    identity = identify_run(settings)
    made: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "write", lambda work, rows, spent: made.append(rows))
        with pytest.raises(RebalanceError, match="shards written"):
            rebalance(settings, SESSION)
    first, second = made[:2]
    other = dataclasses.replace(second, key=dataclasses.replace(second.key, accounts_per_shard=4))
    with transaction(settings) as store:
        assert shards.write_shard(store, identity, first)
        assert not shards.write_shard(store, identity, first)
    with (
        pytest.raises(RebalanceError, match="another rebalance of this run is under way with 3"),
        transaction(settings) as store,
    ):
        shards.write_shard(store, identity, other)
    assert [row[0] for row in query(settings, SHARDS)] == [0]


@pytest.mark.long
def test_a_worker_that_is_killed_costs_no_more_than_its_shard(
    home: Home, undisturbed: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    settings = home(2, workers=2, database="postgresql")
    done = _rebalance_and_kill(settings, "worker", 1, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "processes" / "killed").exists()
    assert query(settings, "SELECT status FROM advice_run") == [("published",)]
    assert contents(settings) == undisturbed


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_run_that_is_killed_goes_on_where_it_was_and_leaves_no_process(
    home: Home, undisturbed: dict[str, list[tuple[Any, ...]]], tmp_path: Path, database: str
) -> None:
    settings = home(2, workers=2, database=database)
    done = _rebalance_and_kill(settings, "parent", 2, tmp_path)
    assert done.returncode == -signal.SIGKILL, done.stderr
    _wait_until_gone(tmp_path / "processes")
    kept = query(settings, SHARDS)
    assert len(kept) >= 2
    assert query(settings, "SELECT count(*) FROM current_outcome") == [(0,)]
    assert rebalance(settings, SESSION).written
    assert set(kept) <= set(query(settings, SHARDS))
    assert contents(settings) == undisturbed


def test_the_tables_compared_are_all_that_a_run_writes() -> None:
    assert set(WRITTEN) == {table.name for table in WRITTEN_BY_SHARDS} | {"snapshot_file"}


def _interrupted_after(count: int) -> Callable[..., None]:
    left = iter(range(count))

    def write(*arguments: Any) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        shard_work.write(*arguments)

    return write


def _rebalance_and_kill(
    settings: Settings, which: str, after: int, folder: Path
) -> subprocess.CompletedProcess[str]:
    processes = folder / "processes"
    processes.mkdir()
    values = {"home": str(settings.home), "store_url": settings.store_url}
    values |= {"workers": settings.workers, "accounts_per_shard": settings.accounts_per_shard}
    return subprocess.run(
        [sys.executable, KILLED, json.dumps(values), str(SESSION), which, str(after), processes],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _wait_until_gone(processes: Path) -> None:
    deadline = time.monotonic() + 60
    workers = [int(file.name) for file in processes.iterdir() if file.name.isdigit()]
    assert workers
    while any(Path(f"/proc/{process}").exists() for process in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.1)
