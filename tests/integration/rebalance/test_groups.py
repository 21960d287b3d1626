"""Groups of shards, each advised by whoever comes, give the run that one process gives."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rebalance_runs import (
    contents,
    copy_home,
    identify_run,
    make_run,
    order_of_the_run_before,
    publish_before,
    query,
)
from warehouse_inputs import SESSION

from pipelines.errors import RebalanceError
from pipelines.rebalance import (
    Group,
    advise_group,
    prepare_groups,
    publish_groups,
    rebalance,
)
from pipelines.rebalance.market import kept_outlook
from pipelines.rebalance.preparation import prepare, shared_work
from pipelines.settings import Settings
from pipelines.store import transaction
from pipelines.warehouse import build_for

WORKER = Path(__file__).parents[2] / "advising_worker.py"
SHARDS = "SELECT shard, status, digest, written_at FROM advice_shard ORDER BY shard"

Home = Callable[..., Settings]
Contents = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def home(built_home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    """Make a copy of the home with forecasts, in groups of some shards of two accounts."""

    def make(shards_per_group: int, database: str = "sqlite") -> Settings:
        url = "" if database == "sqlite" else request.getfixturevalue("postgresql_url")
        settings = make_run(copy_home(built_home, tmp_path / database, url))
        changes = {"accounts_per_shard": 2, "workers": 1, "shards_per_group": shards_per_group}
        return settings.model_copy(update=changes)

    return make


@pytest.fixture(scope="module")
def alone(built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a run writes in one shard and one process."""
    settings = make_run(copy_home(built_home, tmp_path_factory.mktemp("alone") / "home"))
    rebalance(settings.model_copy(update={"workers": 1}), SESSION)
    return contents(settings)


def handed_over(group: Group) -> Group:
    """Return a group as another task gets it."""
    return Group.of_plain(json.loads(json.dumps(group.plain())))


def advise_in_processes(settings: Settings, *parts: list[Group], env: dict[str, str]) -> list[int]:
    """Advise some groups in each of some processes at once; return their exit codes."""
    values = {
        "home": str(settings.home),
        "store_url": settings.store_url,
        "workers": settings.workers,
        # A worker's own settings say otherwise; the group decides.
        "accounts_per_shard": 5,
    }
    running = [
        subprocess.Popen(
            [sys.executable, WORKER, json.dumps(values), json.dumps([g.plain() for g in part])],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **env},
        )
        for part in parts
    ]
    return [process.wait(300) for process in running]


def test_a_group_goes_through_json_and_is_named_by_its_shards(home: Home) -> None:
    first, *_, last = prepare_groups(home(2), SESSION)
    assert handed_over(first) == first
    assert first.name == f"shards 0 to 1 of {first.shards}, {first.accounts} accounts"
    assert last.end_shard == first.shards


def test_without_a_size_of_groups_all_shards_are_in_one(home: Home) -> None:
    [group] = prepare_groups(home(0), SESSION)
    assert (group.first_shard, group.end_shard) == (0, group.shards)
    assert group.shards > 3


@pytest.mark.parametrize("database", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"])
def test_two_workers_give_byte_for_byte_what_one_process_gives(
    home: Home, alone: Contents, database: str
) -> None:
    settings = home(1, database)
    found = prepare_groups(settings, SESSION)
    assert advise_in_processes(settings, found[::2], found[1::2], env={}) == [0, 0]
    assert publish_groups(settings, [handed_over(group) for group in found]).written
    assert contents(settings) == alone
    assert query(settings, "SELECT count(*) FROM run_outlook") == [(0,)]


def test_a_group_whose_worker_was_killed_in_mid_shard_is_made_again_alone(
    home: Home, alone: Contents
) -> None:
    settings = home(2, "postgresql")
    first, second, *others = prepare_groups(settings, SESSION)
    codes = advise_in_processes(
        settings, [first], [second], env={"KILL_IN_SHARD": str(second.first_shard + 1)}
    )
    assert codes == [0, -signal.SIGKILL]
    before = query(settings, SHARDS)
    assert [row[:2] for row in before] == [
        (number, "written") for number in range(second.first_shard + 1)
    ]
    with pytest.raises(RebalanceError, match="shards written"):
        publish_groups(settings, [first, second, *others])
    assert query(settings, "SELECT count(*) FROM current_outcome") == [(0,)]
    for group in (second, *others):
        advise_group(settings, group)
    assert query(settings, SHARDS)[: len(before)] == before
    assert publish_groups(settings, [first, second, *others]).written
    assert contents(settings) == alone


def test_tasks_that_are_cleared_after_publication_do_nothing(home: Home, alone: Contents) -> None:
    settings = home(3)
    found = prepare_groups(settings, SESSION)
    for group in found:
        advise_group(settings, group)
    assert publish_groups(settings, found).written
    published = (
        query(settings, "SELECT run_id, published_at FROM advice_run"),
        query(settings, SHARDS),
    )
    again = prepare_groups(settings, SESSION)
    assert [group.name for group in again] == [group.name for group in found]
    assert {group.run_id for group in again} == {found[0].run_id}
    for group in again:
        advise_group(settings, group)
    report = publish_groups(settings, again)
    assert not report.written
    assert report.accounts == sum(group.accounts for group in found)
    assert contents(settings) == alone
    assert (
        query(settings, "SELECT run_id, published_at FROM advice_run"),
        query(settings, SHARDS),
    ) == published


def test_two_runs_of_the_dag_at_once_publish_once(home: Home, alone: Contents) -> None:
    settings = home(2, "postgresql")
    one, other = prepare_groups(settings, SESSION), prepare_groups(settings, SESSION)
    assert advise_in_processes(settings, one, other, env={}) == [0, 0]
    assert publish_groups(settings, one).written
    assert not publish_groups(settings, other).written
    assert contents(settings) == alone


def test_an_old_publication_does_not_bring_a_superseded_run_back(home: Home) -> None:
    settings = home(0)
    old = prepare_groups(settings, SESSION)
    advise_group(settings, old[0])
    publish_groups(settings, old)
    newer = rebalance(make_run(settings, version=2), SESSION)
    assert not publish_groups(settings, old).written
    assert query(settings, "SELECT run_id FROM advice_run WHERE status = 'published'") == [
        (newer.run_id,)
    ]


def test_orders_that_were_sent_while_shards_were_advised_are_counted_before_publication(
    home: Home,
) -> None:
    settings = home(2)
    with transaction(settings) as store:
        publish_before(store, identify_run(settings))
        order_of_the_run_before(store)
    settings = make_run(settings)
    found = prepare_groups(settings, SESSION)
    for group in found:
        advise_group(settings, group)
    with transaction(settings) as store:
        store.exec_driver_sql("UPDATE trade SET status = 'sent' WHERE trade_id = 'early'")
    assert publish_groups(settings, found).written
    assert query(settings, "SELECT count(*) FROM open_order") == [(1,)]


def test_whoever_estimates_first_decides_on_the_last_digits_for_all(
    home: Home, alone: Contents
) -> None:
    settings = home(1)
    found = prepare_groups(settings, SESSION)
    build, identity = build_for(settings, SESSION), identify_run(settings)
    estimated = prepare(settings, identity, build).outlook
    read = shared_work(settings, identity, build, found[0].runs).outlook
    for field in dataclasses.fields(estimated):
        one, other = getattr(estimated, field.name), getattr(read, field.name)
        assert repr(one) == repr(other)
    otherwise = dataclasses.replace(estimated, expected_returns=estimated.expected_returns + 1e-16)
    with transaction(settings) as store:
        kept = kept_outlook.keep_outlook(store, identity.run_id, otherwise)
    assert kept.expected_returns.tobytes() == estimated.expected_returns.tobytes()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE advice_run SET code_version = 'older'", "the run was begun by older"),
        ("UPDATE advice_run SET data_snapshot = 'other'", "another build took its place"),
        ("DELETE FROM advice_run", "newer forecasts"),
    ],
)
def test_a_group_is_advised_by_the_code_and_on_the_data_that_its_run_was_begun_with(
    home: Home, change: str, problem: str
) -> None:
    settings = home(0)
    [group] = prepare_groups(settings, SESSION)
    with transaction(settings) as store:
        store.exec_driver_sql("DELETE FROM run_outlook")
        store.exec_driver_sql("DELETE FROM forecast")
        store.exec_driver_sql(change)
    with pytest.raises(RebalanceError, match=problem):
        advise_group(settings, group)
