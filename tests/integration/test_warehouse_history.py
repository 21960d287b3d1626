"""Given advice is copied into the lake once, as the store has it, on both databases."""

import datetime as dt
import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from advice_examples import choose_model, publish_run, set_status
from new_stores import make_store

from models.advice_history import ADVICE_HISTORY, KEPT_RUN, OF_ONE_RUN
from models.store_advice import CLIENT_OUTCOME, TARGET_ALLOCATION
from models.store_forecasts import FORECAST
from models.store_scores import MODEL_SCORE
from pipelines.lake import FileRecord, declared, read_file
from pipelines.sessions import session_after
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, insert, read, stream, tables, transaction
from pipelines.store.schema import declarations
from pipelines.warehouse import history
from pipelines.warehouse.history import snapshot_history

FIRST = dt.date(2022, 11, 1)
SECOND = session_after(FIRST)
THIRD = session_after(SECOND)


def rows_of(settings: Settings, files: list[FileRecord], name: str) -> list[dict]:
    table = next(table for table in ADVICE_HISTORY if table.name == name)
    return [
        row
        for file in files
        if file.path.startswith(f"history/{name}/")
        for row in declared(read_file(settings, table, file.path), table).to_pylist()
    ]


def test_a_store_without_advice_has_no_history(store: Settings) -> None:
    assert snapshot_history(store, THIRD) == []


def test_every_row_of_earlier_runs_is_copied_as_the_store_has_it(store: Settings) -> None:
    publish_run(store, SECOND)
    publish_run(store, FIRST)
    files = snapshot_history(store, THIRD)
    for table in OF_ONE_RUN:
        with connect(store) as connection:
            stored = read(connection, declarations[table.name])
        expected = [{name: row[name] for name in table.column_names} for row in stored.to_pylist()]
        copied = rows_of(store, files, table.name)
        assert sorted(copied, key=repr) == sorted(expected, key=repr)
        assert len(copied) == sum(f.rows for f in files if f"/{table.name}/" in f.path)
    for file in files:
        assert (store.lake / file.path).is_file()


def test_only_runs_of_earlier_sessions_count(store: Settings) -> None:
    publish_run(store, FIRST)
    choose_model(store, FIRST)
    publish_run(store, SECOND)
    choose_model(store, SECOND)
    files = snapshot_history(store, SECOND)
    for name in ("advice_run", "client_outcome", "forecast"):
        assert {row["run_id"] for row in rows_of(store, files, name)} == {f"run-{FIRST}"}
    for name in ("model_choice", "model_score", "model_evidence", "model_check"):
        assert {row["session_date"] for row in rows_of(store, files, name)} == {FIRST}
    assert snapshot_history(store, FIRST) == []


def test_a_run_knows_how_much_its_snapshot_holds(store: Settings) -> None:
    publish_run(store, FIRST)
    [run] = rows_of(store, snapshot_history(store, SECOND), KEPT_RUN.name)
    assert (run["file_count"], run["row_count"]) == (2, 102)


def test_a_second_look_reads_no_advice_from_the_store_again(store: Settings) -> None:
    publish_run(store, FIRST)
    before = snapshot_history(store, THIRD)
    with transaction(store) as connection:
        for table in OF_ONE_RUN:
            connection.execute(sa.delete(tables[table.name]))
    assert snapshot_history(store, THIRD) == before


def test_a_superseded_run_stays_in_the_lineage_and_its_advice_goes(store: Settings) -> None:
    publish_run(store, FIRST)
    before = snapshot_history(store, THIRD)
    publish_run(store, FIRST, "better", supersedes=f"run-{FIRST}")
    after = snapshot_history(store, THIRD)
    assert after != before
    assert {row["run_id"] for row in rows_of(store, after, "client_outcome")} == {"better"}
    assert {row["run_id"]: row["status"] for row in rows_of(store, after, "advice_run")} == {
        f"run-{FIRST}": "superseded",
        "better": "published",
    }


def test_a_run_that_was_never_published_is_not_history(store: Settings) -> None:
    run_id = publish_run(store, FIRST)
    with transaction(store) as connection:
        set_status(connection, run_id, "building")
    assert snapshot_history(store, THIRD) == []


def test_a_published_run_without_outcomes_is_said_and_looked_at_again(
    store: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    run_id = publish_run(store, FIRST)
    outcome = tables["client_outcome"]
    with connect(store) as connection:
        lost = [dict(row) for row in connection.execute(sa.select(outcome)).mappings()]
    with transaction(store) as connection:
        connection.execute(sa.delete(outcome))
    files = snapshot_history(store, THIRD)
    assert rows_of(store, files, "client_outcome") == []
    assert len(rows_of(store, files, "forecast")) == 3
    assert caplog.messages == [f"run {run_id} is published, but the store has no outcome of it"]
    with transaction(store) as connection:
        insert(connection, CLIENT_OUTCOME, lost)
    assert len(rows_of(store, snapshot_history(store, THIRD), "client_outcome")) == 2


@pytest.mark.parametrize("damage", ["changed", "gone", "index"])
def test_a_damaged_copy_is_made_again(store: Settings, damage: str) -> None:
    publish_run(store, FIRST)
    before = snapshot_history(store, THIRD)
    [file] = [file for file in before if f"/{FORECAST.name}/" in file.path]
    path = store.lake / file.path
    if damage == "gone":
        path.unlink()
    elif damage == "changed":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        (store.lake / "history" / "runs" / f"run-{FIRST}.json").write_text("{")
    assert snapshot_history(store, THIRD) == before
    assert len(rows_of(store, before, "forecast")) == 3


def test_both_databases_give_the_same_bytes(postgresql_url: str, tmp_path: Path) -> None:
    found = []
    for number, url in enumerate(("", postgresql_url)):
        settings = load_settings({}, home=tmp_path / str(number), store_url=url)
        make_store(settings)
        # Locales put upper case beside lower case; bytes do not.
        publish_run(settings, FIRST, forecasts={"b": 0.1, "A": 1 / 3, "a": 0.0, "Ä": 1e-17})
        choose_model(settings, FIRST)
        found.append(snapshot_history(settings, SECOND))
    assert found[0] == found[1]
    symbols = [row["symbol"] for row in rows_of(settings, found[1], "forecast")]
    assert symbols == ["A", "a", "b", "Ä"]


def test_a_stream_comes_in_parts_of_the_wanted_size_in_the_order_of_the_key(
    store: Settings,
) -> None:
    publish_run(store, FIRST)
    publish_run(store, SECOND)
    with connect(store) as connection:
        parts = list(stream(connection, TARGET_ALLOCATION, 4))
        whole = read(connection, TARGET_ALLOCATION)
        none = tables["target_allocation"].c.run_id == "unknown"
        assert list(stream(connection, TARGET_ALLOCATION, 4, none)) == []
    assert [part.num_rows for part in parts] == [4, 2]
    assert [row for part in parts for row in part.to_pylist()] == whole.to_pylist()


def test_scores_of_a_training_are_as_stored(store: Settings) -> None:
    choose_model(store, FIRST)
    scores = rows_of(store, snapshot_history(store, SECOND), MODEL_SCORE.name)
    with connect(store) as connection:
        assert scores == read(connection, MODEL_SCORE).to_pylist()
    assert [score["period"] for score in scores] == ["test", "validation"]


def test_a_copy_of_a_release_with_other_columns_is_not_taken_for_one_of_these(
    store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(store, FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(history, "_COLUMNS", "of-another-release")
        snapshot_history(store, SECOND)
    with transaction(store) as connection:
        connection.execute(sa.update(tables["forecast"]).values(interval_note="migrated"))
    copied = rows_of(store, snapshot_history(store, SECOND), "forecast")
    assert {row["interval_note"] for row in copied} == {"migrated"}
