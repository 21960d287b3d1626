"""The lake for analysts: adjusted prices as of a cut, and SQL that reads no more than it must."""

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from lake_examples import DAYS, FOREVER, LATER, append, as_of, bars, lake_of

from models.lake import ACTIONS, PRICES, UNIVERSE
from pipelines.lake import arrow_schema, compact
from pipelines.lake.adjustment import Adjustment
from pipelines.lake.views import prices_as_of, view_sql
from pipelines.sessions import available_at, sessions_between
from pipelines.settings import Settings

TURN_OF_YEAR = sessions_between(dt.date(2021, 12, 29), dt.date(2022, 1, 4))


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    home = lake_of(tmp_path)
    append(home, TURN_OF_YEAR[-1], bars((s, day, 1.0) for s in "AB" for day in TURN_OF_YEAR))
    append(home, TURN_OF_YEAR[-1], bars([("A", TURN_OF_YEAR[0], 2.0)]))
    return home


@pytest.mark.parametrize("compacted", [False, True])
def test_the_view_shows_what_a_reader_sees(home: Settings, compacted: bool) -> None:
    if compacted:
        compact(home)
    for session in TURN_OF_YEAR[2:]:
        for known_at in (available_at(session), LATER, FOREVER):
            sql = view_sql(home, PRICES, session, known_at)
            rows = duckdb.sql(f"select symbol, session_date, close from ({sql})").fetchall()
            assert {row[:2]: row[2] for row in rows} == as_of(home, session, known_at)


def test_a_condition_on_the_year_opens_only_that_years_files(home: Settings) -> None:
    sql = view_sql(home, PRICES, TURN_OF_YEAR[-1], FOREVER)
    inner = sql.partition(" qualify ")[0]
    plan = duckdb.sql(f"explain {inner} and year = 2022 and symbol = 'B'").fetchall()[0][1]
    assert "Scanning Files: 1/3" in plan


def test_a_view_of_nothing_has_the_columns_and_no_rows(home: Settings) -> None:
    result = duckdb.sql(view_sql(home, UNIVERSE, TURN_OF_YEAR[-1], FOREVER))
    assert result.columns == list(UNIVERSE.column_names)
    assert result.fetchall() == []


def test_prices_are_adjusted_by_what_was_known(home: Settings) -> None:
    """Two for one on the third day: what traded before is halved, once the split is known."""
    split = {
        "source": "simulated",
        "symbol": "B",
        "session_date": TURN_OF_YEAR[2],
        "kind": "split",
        "amount": 2.0,
        "known_at": LATER,
        "known_at_basis": "assumed",
        "ingest_session": TURN_OF_YEAR[-1],
    }
    rows = pa.Table.from_pylist([split], arrow_schema(ACTIONS))
    append(home, TURN_OF_YEAR[-1], rows, table=ACTIONS)
    last = TURN_OF_YEAR[-1]
    known = prices_as_of(home, ["B"], last, FOREVER, Adjustment.SPLIT)
    assert known["close"].to_pylist() == [0.5, 0.5, 1.0, 1.0, 1.0]
    unknown = prices_as_of(home, ["B"], last, available_at(DAYS[1]), Adjustment.SPLIT)
    assert unknown["close"].to_pylist() == [1.0] * 5
