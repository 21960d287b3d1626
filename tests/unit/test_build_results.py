"""dbt's results become records that say what failed, and are kept within bounds."""

import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from build_result_examples import (
    FAILED_TEST,
    MODEL,
    PASSED_TEST,
    SESSION,
    SKIPPED,
    attempt,
    failed_attempt,
    write_dbt_results,
)

from pipelines.build_results import (
    KEPT_ATTEMPTS,
    NodeResult,
    Totals,
    attempt_behind,
    attempt_of_build,
    attempts_of,
    by_model,
    compact,
    keep,
    newest_attempts,
    read_attempt,
    read_nodes,
    totals,
)
from pipelines.errors import WarehouseError
from pipelines.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({}, home=tmp_path / "home")


@pytest.fixture
def nodes(tmp_path: Path) -> dict[str, NodeResult]:
    write_dbt_results(tmp_path)
    return {node.name: node for node in read_nodes(tmp_path)}


def test_each_node_says_what_it_is_and_what_it_speaks_of(nodes: dict[str, NodeResult]) -> None:
    assert [(node.kind, node.name, node.layer, node.model) for node in nodes.values()] == [
        ("model", "stg_prices", "staging", "stg_prices"),
        ("unit_test", "a_split_is_no_return", "staging", "stg_prices"),
        ("test", "not_null_stg_prices_close", "staging", "stg_prices"),
        ("test", "prices_are_known", "source", "lake.prices"),
        ("model", "features", "marts", "features"),
        ("model", "price", "marts", "price"),
    ]
    assert nodes["stg_prices"].description == "Grain: one row."
    assert nodes["stg_prices"].seconds == 0.123
    assert nodes["not_null_stg_prices_close"].column == "close"


def test_only_errors_and_failures_fail_and_only_they_keep_their_sql(
    nodes: dict[str, NodeResult],
) -> None:
    failed = {name for name, node in nodes.items() if node.failed}
    assert failed == {"a_split_is_no_return", "not_null_stg_prices_close", "features"}
    assert {name for name, node in nodes.items() if node.sql} == failed
    assert totals(nodes.values()) == Totals(
        models=3, tests=2, unit_tests=1, failed=3, warned=1, skipped=1
    )


def test_messages_are_plain_text_and_left_out_where_the_failing_rows_say_it(
    nodes: dict[str, NodeResult],
) -> None:
    assert {name: node.message for name, node in nodes.items() if node.message} == {
        "a_split_is_no_return": "actual differs from expected",
        "features": "Runtime Error in model features\n  out of memory",
    }
    assert nodes["not_null_stg_prices_close"].failing_rows == 4


TRACEBACK = """Runtime Error in model int_last_bar (models/intermediate/int_last_bar.py)
  Python model failed:
  Traceback (most recent call last):
    File "somewhere.py", line 286, in run
  NameError: name 'pa' is not defined
"""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "Database Error in model x\n\n  Out of Memory\n  a\n  b",
            "Database Error in model x Out of Memory a",
        ),
        (TRACEBACK, "NameError: name 'pa' is not defined"),
        ("Traceback (most recent call last):\npipelines.errors.LakeError: it is cut", "it is cut"),
        ("", "error"),
    ],
    ids=["database", "Python", "our own", "no words"],
)
def test_the_reason_is_the_line_that_tells_most(message: str, reason: str) -> None:
    assert replace(MODEL, status="error", message=message).reason == reason


def test_a_failing_test_has_its_rows_as_the_reason_and_a_passed_one_has_none() -> None:
    assert FAILED_TEST.reason == "3 rows fail"
    assert replace(FAILED_TEST, failing_rows=1).reason == "1 row fails"
    assert PASSED_TEST.reason == ""


def test_a_dbt_that_ended_before_or_while_it_wrote_has_no_nodes(tmp_path: Path) -> None:
    assert read_nodes(tmp_path) == ()
    write_dbt_results(tmp_path)
    results = tmp_path / "run_results.json"
    results.write_text(results.read_text()[:-30])
    assert read_nodes(tmp_path) == ()


def test_models_that_failed_come_first_with_their_failed_tests_first() -> None:
    fine = replace(MODEL, name="stg_actions", model="stg_actions")
    [first, second, third] = by_model([fine, SKIPPED, MODEL, PASSED_TEST, FAILED_TEST])
    assert (first.name, first.status) == ("stg_prices", "failed")
    assert first.tests == (FAILED_TEST, PASSED_TEST)
    assert first.seconds == 2.0
    assert (second.name, second.status) == ("features", "skipped")
    assert (third.name, third.status) == ("stg_actions", "passed")


def test_a_record_is_read_as_it_was_kept(settings: Settings) -> None:
    given = failed_attempt(output=("last words",))
    keep(settings, given)
    assert read_attempt(settings, SESSION, given.attempt_id) == given
    assert attempts_of(settings, SESSION) == [given]
    assert given.seconds == 12.5
    assert not given.passed


def test_the_newest_record_comes_first_over_all_sessions(settings: Settings) -> None:
    day = dt.timedelta(days=1)
    kept = [attempt(minute=minute, session_date=SESSION - minute * day) for minute in (1, 3, 2)]
    for one in kept:
        keep(settings, one)
    assert [one.started_at.minute for one in newest_attempts(settings)] == [3, 2, 1]


def test_old_records_are_removed(settings: Settings) -> None:
    old = attempt(session_date=SESSION - dt.timedelta(days=1))
    keep(settings, old)
    for number in range(KEPT_ATTEMPTS):
        keep(settings, attempt(started_at=old.started_at + dt.timedelta(seconds=number + 1)))
    assert len(newest_attempts(settings)) == KEPT_ATTEMPTS
    assert attempts_of(settings, old.session_date) == []


def test_a_record_of_another_release_is_passed_over(settings: Settings) -> None:
    keep(settings, attempt())
    folder = settings.warehouse / "results" / SESSION.isoformat()
    (folder / "20221228T235959000000Z.json").write_text(json.dumps({"something": "else"}))
    assert attempts_of(settings, SESSION) == [attempt()]


def test_a_record_that_cannot_be_written_stops_no_build(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.warehouse.mkdir(parents=True)
    (settings.warehouse / "results").write_text("a file in the way")
    keep(settings, attempt())
    assert "cannot be kept" in caplog.text


@pytest.mark.parametrize(
    "attempt_id", ["../../../etc/passwd", "..", "", "20221228T210000000000Z/../x", "\0", "x" * 400]
)
def test_a_record_is_found_by_nothing_but_its_name(settings: Settings, attempt_id: str) -> None:
    keep(settings, attempt())
    with pytest.raises(WarehouseError, match="no results are kept"):
        read_attempt(settings, SESSION, attempt_id)


def test_an_error_leads_to_the_build_that_raised_it_and_to_no_other(settings: Settings) -> None:
    error = WarehouseError("dbt build", "x", "3 rows fail", "Mend them.")
    keep(settings, failed_attempt())
    assert attempt_behind(settings, SESSION, error) == failed_attempt()
    keep(settings, attempt(minute=5))
    assert attempt_behind(settings, SESSION, error) is None


def test_a_finished_build_leads_to_the_record_of_how_it_was_made(settings: Settings) -> None:
    keep(settings, attempt())
    keep(settings, failed_attempt(minute=5))
    assert attempt_of_build(settings, SESSION, attempt().build) == attempt()
    assert attempt_of_build(settings, SESSION, "another") is None


def test_rows_of_marts_are_filled_in_last_since_views_are_counted_then() -> None:
    view = replace(MODEL, name="price", model="price", layer="marts", rows=None)
    counted = attempt(MODEL, view).with_rows_of_marts({"price": 7, "stg_prices": 8})
    assert [node.rows for node in counted.nodes] == [12_345, 7]


def test_the_compact_form_is_plain_json_and_names_what_failed() -> None:
    mart = replace(MODEL, name="price", model="price", layer="marts", rows=7)
    told = compact(failed_attempt(nodes=(mart, FAILED_TEST)))
    assert json.loads(json.dumps(told)) == told
    assert told["status"] == "failed"
    assert told["failures"] == [
        {"name": "stg_prices_is_sound", "model": "stg_prices", "reason": "3 rows fail"}
    ]
    assert told["rows"] == {"price": 7}


def test_nothing_heavy_is_imported_to_read_records() -> None:
    # Airflow's API server reads them, and lives long.
    code = "import pipelines.build_results, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert not {"duckdb", "pyarrow", "pandas", "dbt", "airflow"} & set(done.stdout.split())
