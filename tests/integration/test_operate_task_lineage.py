"""Notes of task tries in the store, on both databases, also while it is away or busy."""

import datetime as dt
import json
import logging
import time

import pytest
import sqlalchemy as sa
from operations_examples import NOW, RUN, SESSION, advice_run
from stored import rows

from models.store_runs import ADVICE_RUN
from models.vocabulary import RunStatus, TaskState
from pipelines.operate.task_lineage import TaskTry, note_begin, note_end, note_verdict
from pipelines.settings import Settings
from pipelines.store import insert, transaction
from pipelines.store.engine import BRIEF_SECONDS

LATER = NOW + dt.timedelta(minutes=5)
ADVISE = TaskTry(
    dag_id="rebalance",
    dag_run_id="asset_triggered__1",
    task_id="advise",
    map_index=3,
    try_number=1,
    session=SESSION,
    inlets=("forecasts",),
    outlets=("advice",),
    makes_advice=True,
)


def test_a_try_is_one_row_that_knows_what_it_read_and_what_it_made(store: Settings) -> None:
    building = advice_run("cd" * 32, SESSION, NOW, RunStatus.BUILDING)
    with transaction(store) as connection:
        insert(connection, ADVICE_RUN, [building])
    note_begin(store, ADVISE, NOW)
    with transaction(store) as connection:
        insert(connection, ADVICE_RUN, [advice_run(RUN, SESSION, LATER)])
    note_end(store, ADVISE, TaskState.SUCCESS, NOW, LATER)
    [row] = rows(store, "task_lineage")
    assert (row["state"], row["started_at"], row["ended_at"]) == ("success", NOW, LATER)
    assert json.loads(row["inlets"])[0]["version"] == "cd" * 32
    assert json.loads(row["outlets"])[0]["version"] == RUN
    assert row["advice_run_id"] == RUN


def test_the_verdict_on_a_killed_try_ends_that_try_and_no_other(store: Settings) -> None:
    other = TaskTry(**{**vars(ADVISE), "map_index": 4})
    for each in (ADVISE, other):
        note_begin(store, each, NOW)
    note_verdict(store, ADVISE, TaskState.UP_FOR_RETRY, LATER)
    note_end(store, other, TaskState.SUCCESS, NOW, LATER)
    note_verdict(store, other, TaskState.FAILED, LATER)
    found = {row["map_index"]: row["state"] for row in rows(store, "task_lineage")}
    assert found == {3: "up_for_retry", 4: "success"}


def test_a_task_without_a_session_is_noted_too(store: Settings) -> None:
    upkeep = TaskTry("maintenance", "manual__1", "compact", -1, 1, None)
    note_begin(store, upkeep, NOW)
    note_end(store, upkeep, TaskState.FAILED, NOW, LATER)
    [row] = rows(store, "task_lineage")
    assert (row["session_date"], row["advice_run_id"], row["state"]) == (None, None, "failed")


def test_a_note_waits_for_no_writer_longer_than_seconds(
    store: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction(store) as connection:
        connection.execute(sa.text("UPDATE advice_run SET status = status"))
        began = time.monotonic()
        with caplog.at_level(logging.WARNING):
            note_begin(store, ADVISE, NOW)
        assert time.monotonic() - began < BRIEF_SECONDS + 5
    # PostgreSQL lets it write beside the other; SQLite has one writer.
    noted = rows(store, "task_lineage")
    assert noted or "lineage of rebalance.advise is not in the store" in caplog.text
