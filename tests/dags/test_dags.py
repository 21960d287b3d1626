"""The DAGs are the ones we expect, wired as the design says, and cheap to parse."""

from typing import Any

import pytest

CHAIN = {
    # DAG: (asset it starts on, asset it updates)
    "ingest": (None, "market_data"),
    "warehouse": ("market_data", "warehouse"),
    "train": ("warehouse", "model_choice"),
    "forecast": ("model_choice", "forecasts"),
    "rebalance": ("forecasts", "advice"),
}


def test_exactly_the_expected_dags_parse(parsed: dict[str, Any]) -> None:
    assert parsed["import_errors"] == {}
    assert set(parsed["dags"]) == set(CHAIN)


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
    assert [task["updates"] for task in tasks] == [[]] * (len(tasks) - 1) + [[updates]]


@pytest.mark.parametrize("dag_id", CHAIN)
def test_each_dag_keeps_the_policy(parsed: dict[str, Any], dag_id: str) -> None:
    dag = parsed["dags"][dag_id]
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is False
    assert "smartinvest" in dag["tags"]
    for needed in ("**Start", "**Run it again**", "**Updates** the asset"):
        assert needed in dag["doc"]
    for task in dag["tasks"].values():
        assert task["owner"] == "smartinvest"
        assert task["retries"] >= 1
