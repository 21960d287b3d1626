"""Past sessions know in a warehouse what their own runs knew by the rule of the lake."""

import datetime as dt
from pathlib import Path

import duckdb
import pytest
from lake_examples import DAYS, HOUR, LATER, append, bars, lake_of

from models.lake import PRICES, RAW
from models.vocabulary import Arrival
from pipelines.lake import FileRecord, Manifest, known_at_cut
from pipelines.lake.catalogue import landed_files
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.warehouse.inputs import lay_out

_CHAIN = ("staging/stg_cut", "staging/stg_sessions", "intermediate/int_session_cuts")


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A lake that was polled in and out of turn, DAYS[3] being overtaken by DAYS[4]."""
    home = lake_of(tmp_path)
    append(home, DAYS[1], bars(("A", day, 1.0) for day in DAYS[:2]))
    poll(home, DAYS[2], [("A", DAYS[2], 2.0)], available_at(DAYS[2]) + HOUR)
    overtaking = [("A", DAYS[3], 3.0), ("A", DAYS[4], 4.0)]
    poll(home, DAYS[4], overtaking, available_at(DAYS[4]) + HOUR)
    poll(home, DAYS[3], [("A", DAYS[3], 3.0)], available_at(DAYS[4]) + 2 * HOUR)
    poll(home, DAYS[5], [("A", DAYS[1], 9.0), ("A", DAYS[5], 5.0)], available_at(DAYS[5]) + HOUR)
    poll(home, DAYS[2], [("A", DAYS[0], 7.0)], LATER)
    poll(home, DAYS[7], [("A", DAYS[7], 7.0)], LATER + HOUR)
    return home


def test_every_past_session_has_the_cut_of_its_run(
    home: Settings, small_warehouse: Settings, tmp_path: Path
) -> None:
    compiled = small_warehouse.warehouse / "dbt" / "compiled" / "smartinvest" / "models"
    cuts = warehouse_cuts(home, DAYS[7], compiled, tmp_path / "work")
    assert {day: cuts[day] for day in DAYS[:8]} == {
        day: known_at_cut(home, day) for day in DAYS[:8]
    }
    assert cuts[DAYS[2]] == LATER
    assert cuts[DAYS[3]] == available_at(DAYS[4]) + HOUR
    assert cuts[DAYS[6]] == available_at(DAYS[6])


def test_a_past_session_is_not_told_what_came_after_the_builds_own_cut(
    home: Settings, small_warehouse: Settings, tmp_path: Path
) -> None:
    compiled = small_warehouse.warehouse / "dbt" / "compiled" / "smartinvest" / "models"
    cuts = warehouse_cuts(home, DAYS[5], compiled, tmp_path / "work")
    assert cuts[DAYS[2]] == available_at(DAYS[2]) + HOUR < known_at_cut(home, DAYS[2])
    assert max(cuts) == DAYS[5]


def poll(
    home: Settings, session: dt.date, rows: list[tuple[str, dt.date, float]], moment: dt.datetime
) -> None:
    append(home, session, bars(rows), moment, Arrival.POLLED)


def warehouse_cuts(
    home: Settings, session: dt.date, compiled: Path, workspace: Path
) -> dict[dt.date, dt.datetime]:
    """What the model ``int_session_cuts`` makes of the lake in a build of a session."""
    files = [file for table in RAW for file in landed_files(home, "raw", table)]
    manifest = Manifest(
        home.source.value,
        session,
        known_at_cut(home, session),
        tuple(FileRecord(file.path, file.digest or "", file.summary.rows) for file in files),
    )
    assert manifest.paths("raw", PRICES)
    lay_out(home, manifest, workspace)
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(f"set timezone = 'UTC'; set file_search_path = '{workspace}'")
        database.execute("attach ':memory:' as warehouse; use warehouse")
        for name in _CHAIN:
            layer, model = name.split("/")
            sql = (compiled / f"{name}.sql").read_text("utf-8")
            database.execute(f"create schema if not exists {layer}")
            database.execute(f"create table {layer}.{model} as {sql}")
        return dict(database.sql("from intermediate.int_session_cuts").fetchall())
