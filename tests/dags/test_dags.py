"""The DAGs are the ones we expect, wired as the design says, and cheap to parse."""

from typing import Any

import pytest

from models.vocabulary import Source
from pipelines.operate.airflow_local import DAG_IDS
from pipelines.operate.pools import ADVICE_GROUPS, POOLS, pool_name
from pipelines.operations.gathering import BESIDE as BESIDE_ON_PAGE
from pipelines.settings import load_settings

CHAIN = {
    # DAG: (asset it starts on, asset it updates)
    "ingest": (None, "market_data"),
    "warehouse": ("market_data", "warehouse"),
    "monitor": ("warehouse", "model_check"),
    "train": ("model_check", "model_choice"),
    "forecast": ("model_choice", "forecasts"),
    "rebalance": ("forecasts", "advice"),
}

BESIDE = {
    # DAG that updates no asset: its timetable
    "backfill": "NullTimetable",
    "maintenance": "StandingTimetable",
    "replay": "StandingTimetable",
    "tune": "NullTimetable",
    "watch": "StandingTimetable",
}

ASKED_FOR = {
    # DAG: what its form cannot do without
    "backfill": {"first", "last"},
}

WAYS_OF_TRAIN = ("retrain", "keep")
"""Tasks of which one is skipped; either of them updates the asset."""


QUEUES = {"default", "warehouse", "training"}


def test_exactly_the_expected_dags_parse(parsed: dict[str, Any]) -> None:
    assert parsed["import_errors"] == {}
    assert set(parsed["dags"]) == {*CHAIN, *BESIDE}


def test_the_operations_page_shows_every_dag() -> None:
    assert {*DAG_IDS, *BESIDE_ON_PAGE} == {*CHAIN, *BESIDE}


def test_the_terminal_follows_the_chain_and_nothing_else() -> None:
    assert tuple(CHAIN) == DAG_IDS


def test_parsing_imports_nothing_heavy(parsed: dict[str, Any]) -> None:
    assert parsed["heavy_modules"] == []


@pytest.mark.parametrize("dag_id", CHAIN)
def test_each_dag_starts_on_the_asset_that_the_one_before_it_updates(
    parsed: dict[str, Any], dag_id: str
) -> None:
    starts_on, updates = CHAIN[dag_id]
    dag = parsed["dags"][dag_id]
    tasks = list(dag["tasks"].values())
    assert dag["starts_on"] == starts_on
    assert dag["schedule"] == (
        "PartitionedAssetTimetable" if starts_on else "ExchangeSessionTimetable"
    )
    ends = len(WAYS_OF_TRAIN) if dag_id == "train" else 1
    assert [task["updates"] for task in tasks] == [[]] * (len(tasks) - ends) + [[updates]] * ends


@pytest.mark.parametrize("dag_id", BESIDE)
def test_dags_beside_the_chain_start_by_hand_or_by_the_clock_and_update_nothing(
    parsed: dict[str, Any], dag_id: str
) -> None:
    dag = parsed["dags"][dag_id]
    assert (dag["schedule"], dag["starts_on"]) == (BESIDE[dag_id], None)
    assert [task["updates"] for task in dag["tasks"].values() if task["updates"]] == []


@pytest.mark.parametrize("dag_id", [*CHAIN, *BESIDE])
def test_each_form_names_explains_and_checks_what_it_asks_for(
    parsed: dict[str, Any], dag_id: str
) -> None:
    params = parsed["dags"][dag_id]["params"]
    # What only looks has nothing to ask for.
    assert bool(params) is (dag_id != "watch")
    assert {name for name, param in params.items() if not param["has_value"]} == ASKED_FOR.get(
        dag_id, set()
    )
    for param in params.values():
        assert {"type", "title"} <= set(param["schema"])
        assert param["description"]
    if dag_id in CHAIN:
        assert params["session"]["schema"]["format"] == "date"


@pytest.mark.parametrize("dag_id", [*CHAIN, *BESIDE])
def test_each_dag_keeps_the_policy(parsed: dict[str, Any], dag_id: str) -> None:
    dag = parsed["dags"][dag_id]
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is (dag_id == "ingest")  # the others follow its assets
    assert "smartinvest" in dag["tags"]
    assert dag["description"]
    for needed in ("**Start", "**Run it again**", "**Updates**"):
        assert needed in dag["doc"]
    assert dag["on_failure"] == ["run_failed"]
    # What waits for a session's advice is late by its hour, too.
    assert set(dag["deadlines"]) == ({"run", "advice"} if dag_id in CHAIN else {"run"})
    assert dag["deadlines"]["run"] < dag["gives_up_hours"]
    for task in dag["tasks"].values():
        assert task["owner"] == "smartinvest"
        assert task["retries"] >= 1
        assert task["retry_policy"] == "RecoveryRetryPolicy"
        assert task["calls_back"] == {
            "failure": ["task_failed"],
            "retry": ["task_retries"],
            "success": ["task_succeeded"],
        }
        assert 0 < task["seconds"] < 3600 * dag["gives_up_hours"]
        assert task["queue"] in QUEUES


def test_train_looks_first_and_then_goes_one_of_two_ways(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["train"]["tasks"]
    assert {name: task["follows"] for name, task in tasks.items()} == {
        "decide": [],
        **{way: ["decide"] for way in WAYS_OF_TRAIN},
    }


def test_ingest_is_mapped_over_batches_in_the_pool_of_its_source(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["ingest"]["tasks"]
    assert {name: task["follows"] for name, task in tasks.items()} == {
        "plan": [],
        "ingest": ["plan"],
        "check": ["ingest", "plan"],
    }
    assert [name for name, task in tasks.items() if task["mapped"]] == ["ingest"]
    assert tasks["ingest"]["pool"] == pool_name(load_settings().source)


def test_rebalance_is_mapped_over_groups_of_shards_and_publishes_after_all(
    parsed: dict[str, Any],
) -> None:
    tasks = parsed["dags"]["rebalance"]["tasks"]
    assert {name: task["follows"] for name, task in tasks.items()} == {
        "prepare": [],
        "advise": ["prepare"],
        "publish": ["advise", "prepare"],
    }
    assert [name for name, task in tasks.items() if task["mapped"]] == ["advise"]
    assert tasks["advise"]["pool"] == ADVICE_GROUPS.name


def test_a_failed_batch_stops_no_run_and_every_other_failure_does(parsed: dict[str, Any]) -> None:
    despite_failures = [
        (dag_id, name)
        for dag_id, dag in parsed["dags"].items()
        for name, task in dag["tasks"].items()
        # A search that is over has no trials left, and a task that is skipped is no failure.
        if task["starts_when"] not in ("all_success", "none_failed")
    ]
    assert despite_failures == [("ingest", "check")]
    check = parsed["dags"]["ingest"]["tasks"]["check"]
    assert check["starts_when"] == "all_done_min_one_success"


def test_every_source_has_a_pool_and_no_task_waits_for_one_that_nobody_creates(
    parsed: dict[str, Any],
) -> None:
    created = {pool.name for pool in POOLS}
    assert {pool_name(source) for source in Source} <= created
    asked_for = {task["pool"] for dag in parsed["dags"].values() for task in dag["tasks"].values()}
    assert asked_for <= created | {"default_pool"}
