"""`smartinvest quarantine list`: short by default, whole where asked for."""

import csv
import io
from pathlib import Path

import pytest
from made_up_market import SESSIONS, MadeUpMarket
from new_stores import make_store
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.ingest import ingest
from pipelines.quality import check, grouped, list_quarantine
from pipelines.settings import Settings, load_settings

LAST = SESSIONS[-1]
MISSING = SESSIONS[3:9]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Six closes of BOLT are missing, one of CORK is negative."""
    settings = load_settings({}, home=tmp_path_factory.mktemp("home"), source="simulated")
    make_store(settings)
    market = MadeUpMarket()
    for day in MISSING:
        market.bar("BOLT", day)["close"] = None
    market.bar("CORK", LAST)["close"] = -1.0
    ingest(settings, LAST, market)
    check(settings, LAST)
    return settings


def said(home: Path, *arguments: str) -> str:
    environment = {
        "SMARTINVEST_HOME": str(home),
        "SMARTINVEST_SOURCE": "simulated",
        "COLUMNS": "200",
    }
    done = CliRunner().invoke(app, ["quarantine", "list", *arguments], env=environment)
    assert done.exit_code == 0, done
    return done.stdout


def test_rejections_are_grouped_by_symbol_and_rule(home: Settings) -> None:
    groups = grouped(list_quarantine(home))
    assert [(group.symbol, group.rule, group.rows) for group in groups] == [
        ("BOLT", "close_is_present", 6),
        ("CORK", "close_is_in_range", 1),
        ("CORK", "close_is_not_below_low", 1),
    ]
    assert (groups[0].first_session, groups[0].last_session) == (MISSING[0], MISSING[-1])
    assert all(group.reason and group.remedy for group in groups)


def test_the_list_says_each_reason_once(home: Settings) -> None:
    shown = said(home.home)
    assert shown.count("the close is missing") == 1
    assert str(MISSING[-1]) in shown
    assert str(MISSING[2]) not in shown


def test_one_symbol_is_shown_bar_by_bar(home: Settings) -> None:
    shown = said(home.home, "--symbol", "BOLT")
    assert all(str(day) in shown for day in MISSING)
    assert "CORK" not in shown


def test_csv_has_every_row_with_every_column(home: Settings) -> None:
    rows = list(csv.DictReader(io.StringIO(said(home.home, "--csv"))))
    expected = list_quarantine(home).to_pylist()
    assert [(row["symbol"], row["session_date"], row["known_at"], row["rule"]) for row in rows] == [
        (r["symbol"], str(r["session_date"]), r["known_at"].isoformat(), r["rule"])
        for r in expected
    ]
    assert [row["remedy"] for row in rows] == [row["remedy"] for row in expected]


def test_a_symbol_without_rejections_is_told(home: Settings) -> None:
    assert said(home.home, "--symbol", "ACME").strip() == "nothing of ACME is in quarantine"


def test_an_empty_quarantine_is_told(tmp_path: Path) -> None:
    assert said(tmp_path).strip() == "nothing is in quarantine"
    assert said(tmp_path, "--csv").startswith("source,dataset,symbol,session_date,")
