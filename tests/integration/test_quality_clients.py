"""A client whose inputs break a rule is left out with a reason, and blocks nobody else."""

import sqlite3
from pathlib import Path

import pytest

from expectations.clients import CLIENT_SUITES
from models.store_inputs import SNAPSHOT
from models.store_outputs import CLIENT_ISSUE
from pipelines.clients import generate
from pipelines.lake import read_file
from pipelines.quality.judging import judge_rows
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, migrate, read, read_current_from
from pipelines.warehouse.snapshot import snapshot_clients

CLIENTS = 12


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path, source="sample")
    migrate(settings)
    generate(settings, CLIENTS, seed=3)
    return settings


def break_in(settings: Settings, statement: str) -> None:
    """Write as another program might that minds no check of ours."""
    with connect(settings) as connection:
        path = connection.engine.url.database
    with sqlite3.connect(str(path)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(statement)
    database.close()


def clients_in_snapshot(settings: Settings) -> dict[str, set[str]]:
    found = {}
    for table, file in zip(SNAPSHOT, snapshot_clients(settings), strict=True):
        rows = read_file(settings, table, file.path)
        found[table.name] = set(rows[table.key[0]].to_pylist())
    return found


def issues(settings: Settings) -> list[dict[str, object]]:
    with connect(settings) as connection:
        return read(connection, CLIENT_ISSUE).to_pylist()


def test_good_inputs_are_copied_whole(home: Settings) -> None:
    for table, file in zip(SNAPSHOT, snapshot_clients(home), strict=True):
        with connect(home) as connection:
            assert file.rows == read_current_from(connection, table).num_rows
    assert issues(home) == []


def test_a_client_with_a_wrong_answer_is_left_out_everywhere_and_comes_back_once_right(
    home: Settings,
) -> None:
    before = clients_in_snapshot(home)
    bad = min(before["client"])
    break_in(home, f"UPDATE risk_profile SET max_loss_percent = 500 WHERE client_id = '{bad}'")
    after = clients_in_snapshot(home)
    assert before["client"] - after["client"] == {bad}
    assert all(len(after[name]) < len(before[name]) for name in ("goal", "account", "holding"))
    assert after["holding"] <= after["account"]
    (issue,) = issues(home)
    assert issue["client_id"] == bad
    assert issue["field"] == "risk_profile.max_loss_percent_is_in_range"
    assert "500" not in str(issue["cause"])
    break_in(home, f"UPDATE risk_profile SET max_loss_percent = 20 WHERE client_id = '{bad}'")
    assert clients_in_snapshot(home) == before
    assert issues(home) == []


def test_great_expectations_agrees_on_client_inputs(home: Settings) -> None:
    from pipelines.quality.confirmation import confirm

    break_in(home, "UPDATE goal SET priority = 12")
    with connect(home) as connection:
        for table in SNAPSHOT:
            verdict = judge_rows(
                table, CLIENT_SUITES[table.name], read_current_from(connection, table)
            )
            assert (verdict.rows_rejected > 0) == (table.name == "goal")
            confirm(table, CLIENT_SUITES[table.name], verdict)
