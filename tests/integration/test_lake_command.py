"""`smartinvest lake`: prices as they were known, restatements, files, as a user asks for them."""

import datetime as dt
from pathlib import Path

import duckdb
import pytest
from lake_examples import DAYS, LATER, RULES, append, bars, lake_of
from typer.testing import CliRunner

from models.lake import PRICES
from pipelines.cli.common import out
from pipelines.cli.main import app
from pipelines.lake import dataset_files, mark_checked
from pipelines.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    home = lake_of(tmp_path)
    for name, value in home.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(out, "width", 200)
    append(home, DAYS[1], bars([("A", day, 1.25) for day in DAYS[:2]]))
    append(home, DAYS[2], bars([("A", DAYS[0], 2.75), ("A", DAYS[2], 1.25)]))
    return home


def lake(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["lake", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_yesterdays_run_shows_yesterdays_numbers_after_a_restatement(home: Settings) -> None:
    assert "2.75" in lake("prices", "A")
    yesterday = lake("prices", "A", "--session", str(DAYS[1]))
    assert "2.75" not in yesterday
    assert f"A: 2 sessions from {DAYS[0]} to {DAYS[1]}" in yesterday
    before = (LATER - dt.timedelta(seconds=1)).isoformat()
    assert "2.75" not in lake("prices", "A", "--known-at", before)


def test_duckdb_shows_with_the_printed_query_what_a_run_saw(home: Settings) -> None:
    seen = "select symbol, session_date, close from ({}) order by session_date"
    yesterday = lake("sql", "prices", "--session", str(DAYS[1]))
    assert duckdb.sql(seen.format(yesterday)).fetchall() == [
        ("A", DAYS[0], 1.25),
        ("A", DAYS[1], 1.25),
    ]
    (first, *_) = duckdb.sql(seen.format(lake("sql", "prices"))).fetchall()
    assert first == ("A", DAYS[0], 2.75)
    refused = CliRunner().invoke(app, ["lake", "sql", "closes"])
    assert refused.exit_code == 2
    assert "use one of prices" in refused.output


def test_a_restatement_is_listed_with_both_values_and_moments(home: Settings) -> None:
    listed = lake("restatements")
    assert "1.25" in listed
    assert "2.75" in listed
    assert str(LATER) in listed
    assert "nothing was restated" in lake("restatements", "--symbol", "B")


def test_files_are_counted_before_and_after_a_compaction(home: Settings) -> None:
    row = "│ prices  │ 2      │ {} "
    assert row.format(2) in lake("files")
    mark_checked(home, PRICES, RULES, DAYS[2], dataset_files(home, PRICES))
    lake("compact")
    assert row.format(1) in lake("files")
    assert f"{DAYS[0]} to {DAYS[2]}" in lake("files")


@pytest.mark.parametrize(
    ("option", "value"), [("--adjust", "splits"), ("--known-at", "2022-01-01"), ("--known-at", "x")]
)
def test_a_value_that_means_nothing_is_refused_with_what_is_allowed(
    home: Settings, option: str, value: str
) -> None:
    result = CliRunner().invoke(app, ["lake", "prices", "A", option, value])
    assert result.exit_code == 2
    assert "Invalid value" in result.output


def test_an_unknown_symbol_is_said_to_be_unknown(home: Settings) -> None:
    assert f"nothing of ZZZ is known to a run of {DAYS[2]}" in lake("prices", "ZZZ")
