"""Past sessions know in a warehouse what their own runs knew by the rule of the lake."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from lake_examples import DAYS, HOUR, LATER, RULES, append, bars, lake_of

from models.lake import ACTIONS, PRICES, RAW
from models.vocabulary import Arrival
from pipelines.lake import (
    FileRecord,
    Manifest,
    arrow_schema,
    compact,
    known_at_cut,
    mark_checked,
    unchecked_files,
)
from pipelines.lake.catalogue import landed_files
from pipelines.lake.files import visible
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.warehouse.cuts import session_rows


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


def test_every_past_session_has_the_cut_of_its_run(home: Settings) -> None:
    cuts = cuts_of(home, DAYS[7])
    assert {day: cuts[day] for day in DAYS[:8]} == {
        day: known_at_cut(home, day) for day in DAYS[:8]
    }
    assert cuts[DAYS[2]] == LATER
    assert cuts[DAYS[3]] == available_at(DAYS[4]) + HOUR
    assert cuts[DAYS[6]] == available_at(DAYS[6])


def test_a_past_session_is_not_told_what_came_after_the_builds_own_cut(home: Settings) -> None:
    cuts = cuts_of(home, DAYS[5])
    assert cuts[DAYS[2]] == available_at(DAYS[2]) + HOUR < known_at_cut(home, DAYS[2])
    assert max(cuts) == DAYS[5]


def test_a_compaction_moves_no_cut(home: Settings) -> None:
    before = cuts_of(home, DAYS[7])
    mark_checked(home, PRICES, RULES, DAYS[7], unchecked_files(home, PRICES, RULES))
    assert compact(home).files_written == 1
    assert cuts_of(home, DAYS[7]) == before


def test_other_datasets_move_the_cut_of_the_ingest_that_observed_them(home: Settings) -> None:
    row = {"source": "simulated", "symbol": "A", "session_date": DAYS[1], "kind": "split"}
    stamps = {"known_at": available_at(DAYS[1]), "known_at_basis": "assumed"}
    rows = [row | stamps | {"amount": 2.0, "ingest_session": DAYS[6]}]
    moment = available_at(DAYS[6]) + 2 * HOUR
    table = pa.Table.from_pylist(rows, arrow_schema(ACTIONS))
    append(home, DAYS[6], table, moment, Arrival.POLLED, ACTIONS)
    assert cuts_of(home, DAYS[7])[DAYS[6]] == known_at_cut(home, DAYS[6]) == moment


@pytest.mark.parametrize("seed", range(6))
def test_lakes_polled_at_random_give_each_session_the_cut_of_its_run(
    tmp_path: Path, seed: int
) -> None:
    """No ingest here comes after the last session's cut, so both rules see the same files."""
    generator = np.random.default_rng(seed)
    home = lake_of(tmp_path)
    history = [(name, day, 1.0) for name in "AB" for day in DAYS[:3] if generator.random() < 0.7]
    append(home, DAYS[2], bars([*history, ("A", DAYS[0], 1.0)]))
    for number, session in enumerate(generator.permutation(np.arange(1, 9))):
        moment = available_at(DAYS[8]) + number * HOUR
        days = [DAYS[day] for day in range(session + 1) if generator.random() < 0.5]
        close = float(generator.integers(2, 9))
        poll(home, DAYS[session], [(name, day, close) for name in "AB" for day in days], moment)
    poll(home, DAYS[9], [("A", DAYS[9], 1.0)], available_at(DAYS[9]) + HOUR)
    cuts = cuts_of(home, DAYS[9])
    assert {day: cuts[day] for day in DAYS[:10]} == {
        day: known_at_cut(home, day) for day in DAYS[:10]
    }


def poll(
    home: Settings, session: dt.date, rows: list[tuple[str, dt.date, float]], moment: dt.datetime
) -> None:
    append(home, session, bars(rows), moment, Arrival.POLLED)


def cuts_of(home: Settings, session: dt.date) -> dict[dt.date, dt.datetime]:
    """What a build of a session says that the runs of all sessions until then knew."""
    cut = known_at_cut(home, session)
    files = [
        file for table in RAW for file in visible(landed_files(home, "raw", table), session, cut)
    ]
    records = tuple(FileRecord(file.path, file.digest, file.summary.rows) for file in files)
    manifest = Manifest(home.source.value, session, cut, records)
    assert manifest.paths("raw", PRICES)
    rows = session_rows(home, manifest)
    return dict(
        zip(rows["session_date"].to_pylist(), rows["known_at_cut"].to_pylist(), strict=True)
    )
