"""A small build's results: what dbt writes, cut to what we read, and the same as records."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from pipelines.build_results import BuildAttempt, FailingRows, NodeResult

SESSION = dt.date(2022, 12, 28)

MODEL = NodeResult(
    kind="model",
    name="stg_prices",
    model="stg_prices",
    layer="staging",
    status="success",
    seconds=1.25,
    rows=12_345,
    description="Grain: one row per symbol and session.",
    file="models/staging/stg_prices.sql",
)
FAILED_TEST = NodeResult(
    kind="test",
    name="stg_prices_is_sound",
    model="stg_prices",
    layer="staging",
    status="fail",
    seconds=0.5,
    failing_rows=3,
    column="close",
    file="models/staging/stg_prices.yml",
    sql='select * from "warehouse"."staging"."stg_prices" where close <= 0',
    sample=FailingRows(("close", "symbol"), (("-63.5", "KO"), (None, "<script>alert(1)</script>"))),
)
PASSED_TEST = NodeResult(
    kind="unit_test",
    name="a_split_is_no_return",
    model="stg_prices",
    layer="staging",
    status="pass",
    seconds=0.25,
    file="models/staging/stg_prices.yml",
)
SKIPPED = NodeResult(
    kind="model",
    name="features",
    model="features",
    layer="marts",
    status="skipped",
    seconds=0.0,
    file="models/marts/features.sql",
)


def attempt(*nodes: NodeResult, minute: int = 0, **changes: Any) -> BuildAttempt:
    """A build that passed, begun at some minute of an evening, with changes."""
    began = dt.datetime(2022, 12, 28, 21, minute, tzinfo=dt.UTC)
    given: dict[str, Any] = {
        "source": "sample",
        "session_date": SESSION,
        "data_snapshot": "5" * 64,
        "build": "2022-12-28_555555555555_77777777",
        "code_digest": "7" * 64,
        "started_by": "",
        "started_at": began,
        "ended_at": began + dt.timedelta(seconds=12.5),
        "nodes": nodes,
    }
    return BuildAttempt(**(given | changes))


def failed_attempt(**changes: Any) -> BuildAttempt:
    """A build whose data test failed."""
    nodes = (MODEL, PASSED_TEST, FAILED_TEST, SKIPPED)
    return attempt(*nodes, **{"problem": "dbt build = 'x': 3 rows fail. Mend them.", **changes})


def write_dbt_results(target: Path) -> None:
    """Write what dbt wrote of a build with one of everything, cut to what is read."""
    ids = {
        "model": "model.smartinvest.stg_prices",
        "broken": "model.smartinvest.features",
        "data_test": "test.smartinvest.not_null_stg_prices_close.1b2c",
        "source_test": "test.smartinvest.prices_are_known.9f8e",
        "unit_test": "unit_test.smartinvest.stg_prices.a_split_is_no_return",
        "skipped": "model.smartinvest.price",
    }
    results = [
        _result(ids["model"], "success", message="OK"),
        _result(ids["unit_test"], "fail", message="\x1b[31mactual differs\x1b[0m from expected"),
        _result(ids["data_test"], "fail", failures=4, message="Got 4 results, configured to fail"),
        _result(ids["source_test"], "warn", failures=1, message="Got 1 result"),
        _result(ids["broken"], "error", message="Runtime Error in model features\n  out of memory"),
        _result(ids["skipped"], "skipped", compiled_code=None),
    ]
    nodes = {
        ids["model"]: _node("model", "stg_prices", "staging", "  Grain: one row.\n"),
        ids["broken"]: _node("model", "features", "marts"),
        ids["skipped"]: _node("model", "price", "marts"),
        ids["data_test"]: _node("test", "not_null_stg_prices_close", "staging")
        | {"attached_node": ids["model"], "column_name": "close"},
        ids["source_test"]: _node("test", "prices_are_known", "staging")
        | {"attached_node": None, "depends_on": {"nodes": ["source.smartinvest.lake.prices"]}},
    }
    units = {
        ids["unit_test"]: _node("unit_test", "a_split_is_no_return", "staging")
        | {"model": "stg_prices"}
    }
    sources = {"source.smartinvest.lake.prices": {"source_name": "lake", "name": "prices"}}
    target.mkdir(parents=True, exist_ok=True)
    manifest = {
        "nodes": {key: {**node, "unique_id": key} for key, node in nodes.items()},
        "unit_tests": {key: {**node, "unique_id": key} for key, node in units.items()},
        "sources": sources,
    }
    (target / "manifest.json").write_text(json.dumps(manifest))
    (target / "run_results.json").write_text(json.dumps({"results": results}))


def _result(unique_id: str, status: str, **changes: Any) -> dict[str, Any]:
    return {
        "unique_id": unique_id,
        "status": status,
        "execution_time": 0.1234567,
        "failures": None,
        "message": None,
        "compiled_code": "\nselect 1\n",
    } | changes


def _node(kind: str, name: str, layer: str, description: str = "") -> dict[str, Any]:
    return {
        "resource_type": kind,
        "name": name,
        "fqn": ["smartinvest", layer, name],
        "description": description,
        "original_file_path": f"models/{layer}/{name}.yml",
    }
