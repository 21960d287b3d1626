"""Whoever asks why a build failed is told the model, the test and the rows, without any log."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import markupsafe
import pytest
from warehouse_inputs import (
    SESSION,
    action_row,
    actions,
    add_prices,
    append,
    price_row,
    price_rows,
)

from models.lake import ACTIONS
from pipelines.build_results import BuildAttempt, attempts_of, by_model
from pipelines.errors import WarehouseError, WarehouseTestError
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import build_for, dbt_build, making, transform
from pipelines.warehouse.record import WAREHOUSE_FILE

PLUGINS = Path(__file__).parents[2] / "plugins"
BAD_AMOUNT = -0.5


@dataclass(frozen=True)
class Failure:
    """A home whose last build failed, as the command line told it."""

    settings: Settings
    said: subprocess.CompletedProcess[str]
    attempt: BuildAttempt


def command(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *words],
        env={**os.environ, **settings.environment(), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def home(small_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The shared home, free to be changed: it is put back afterwards."""
    kept = tmp_path_factory.mktemp("kept") / "home"
    shutil.copytree(small_warehouse.home, kept, symlinks=True)
    yield small_warehouse
    shutil.rmtree(small_warehouse.home)
    shutil.move(kept, small_warehouse.home)


@pytest.fixture(scope="module")
def failure(home: Settings) -> Failure:
    append(home, ACTIONS, actions([action_row("KO", SESSION, "dividend", BAD_AMOUNT)]))
    said = command(home, "transform", "--session", SESSION.isoformat())
    return Failure(home, said, attempts_of(home, SESSION)[0])


@pytest.mark.long
def test_a_bar_that_the_panel_refuses_is_not_tried_again(
    small_warehouse: Settings, tmp_path: Path
) -> None:
    copied = shutil.copytree(small_warehouse.home, tmp_path / "home", symlinks=True)
    unspoiled = load_settings({}, home=copied)
    add_prices(unspoiled, [price_row("XOM", SESSION, None)])
    with pytest.raises(WarehouseTestError, match=f"XOM on {SESSION} has no close above zero"):
        transform(unspoiled, SESSION)


def test_a_good_build_keeps_status_rows_and_seconds_of_each_model_and_test(
    home: Settings,
) -> None:
    attempt = attempts_of(home, SESSION)[-1]
    assert attempt.passed
    assert attempt.build == build_for(home, SESSION).path.name
    assert {node.kind for node in attempt.nodes} == {"model", "test", "unit_test"}
    assert all(node.passed for node in attempt.nodes)
    rows = {node.name: node.rows for node in attempt.nodes if node.kind == "model"}
    assert rows["account"] == 4
    assert rows["features"] == rows["price"] == len(price_rows())
    assert all(node.seconds > 0 for node in attempt.nodes if node.kind == "model")
    assert {node.failing_rows for node in attempt.nodes if node.kind == "test"} == {0}


@pytest.mark.long
@pytest.mark.parametrize(
    "step",
    [
        "read_parts",
        "settle",
        "anchor_in",
    ],
)
def test_a_build_that_fails_after_dbt_keeps_its_results_and_says_why(
    home: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = build_for(home, SESSION)
    take_step = getattr(making, step)

    def take_step_on_a_damaged_file(path: Path, *others: object) -> object:
        (path if path.is_file() else path / WAREHOUSE_FILE).write_bytes(b"damaged")
        return take_step(path, *others)

    with monkeypatch.context() as patch, pytest.raises(WarehouseError) as raised:
        patch.setattr(making, step, take_step_on_a_damaged_file)
        transform(home, SESSION, full=True)
    newest = attempts_of(home, SESSION)[0]
    assert newest.problem == newest.problem_outside_of_dbt == str(raised.value)
    assert {node.kind for node in newest.nodes} == {"model", "test"}
    assert all(node.passed for node in newest.nodes)
    assert build_for(home, SESSION) == before
    assert str(raised.value) in command(home, "warehouse", "results").stdout.replace("\n", "")
    monkeypatch.syspath_prepend(PLUGINS)
    pages = importlib.import_module("warehouse_pages.pages")
    html = pages.one_build("/warehouse-results", home, newest)
    assert markupsafe.escape(str(raised.value)) in html
    html = pages.all_builds("/warehouse-results", home, [newest])
    assert markupsafe.escape(str(raised.value)[:60]) in html


def test_a_failed_build_keeps_the_rows_that_failed_and_publishes_nothing(
    failure: Failure,
) -> None:
    attempt = failure.attempt
    assert not attempt.passed
    assert (failure.settings.warehouse / "current").resolve().name != attempt.build
    [failed] = [node for node in attempt.nodes if node.failed]
    assert (failed.kind, failed.name, failed.model, failed.failing_rows) == (
        "test",
        "stg_actions_is_sound",
        "stg_actions",
        1,
    )
    assert failed.sample is not None
    rows = [dict(zip(failed.sample.columns, row, strict=True)) for row in failed.sample.rows]
    assert [(row["symbol"], row["session_date"], row["amount"]) for row in rows] == [
        ("KO", SESSION.isoformat(), str(BAD_AMOUNT))
    ]
    assert by_model(attempt.nodes)[0].name == "stg_actions"
    assert next(node for node in attempt.nodes if node.name == "features").skipped


def test_the_terminal_tells_what_failed_and_which_rows_before_the_error(failure: Failure) -> None:
    assert failure.said.returncode == 1
    assert "FAILED, nothing was published" in failure.said.stdout
    assert "symbol KO" in failure.said.stdout
    assert f"amount {BAD_AMOUNT}" in failure.said.stdout
    assert "smartinvest warehouse results" in failure.said.stderr


def test_the_last_results_can_be_asked_for_again(failure: Failure) -> None:
    again = command(failure.settings, "warehouse", "results")
    assert again.stdout == failure.said.stdout
    of_session = command(failure.settings, "warehouse", "results", "--session", SESSION.isoformat())
    assert of_session.stdout == again.stdout
    listed = command(failure.settings, "warehouse", "builds").stdout
    assert listed.index("failed") < listed.index("passed")
    none = command(failure.settings, "warehouse", "results", "--session", "2022-12-01")
    assert none.returncode == 1
    assert "no results of a build are kept" in none.stderr


def test_the_page_of_the_failed_build_shows_the_failing_rows(
    failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(PLUGINS)
    pages = importlib.import_module("warehouse_pages.pages")
    html = pages.one_build("/warehouse-results", failure.settings, failure.attempt)
    assert "1 row fails" in html
    assert f"<td>{BAD_AMOUNT}</td>" in html
    assert "<td>KO</td>" in html
    assert build_for(failure.settings, SESSION).path.name in html


@pytest.mark.long
def test_a_test_that_failed_is_told_from_a_build_that_may_pass_the_next_time(
    failure: Failure,
) -> None:
    with pytest.raises(WarehouseTestError) as raised:
        transform(failure.settings, SESSION, started_by="some run")
    newest = attempts_of(failure.settings, SESSION)[0]
    assert newest.problem == str(raised.value)
    assert newest.started_by == "some run"


def test_what_dbt_said_last_is_kept_where_it_failed_outside_of_any_model(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_build, "PROJECT", tmp_path)
    add_prices(home, [price_row("XOM", SESSION, 12.5)])
    with pytest.raises(WarehouseError, match="outside of any model or test, with exit code") as no:
        transform(home, SESSION)
    assert not isinstance(no.value, WarehouseTestError)
    newest = attempts_of(home, SESSION)[0]
    assert newest.nodes == ()
    assert "dbt_project.yml" in " ".join(newest.output)
