"""`smartinvest ingest` with source yahoo, as a user starts it: another process, the real clock."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

from loopback.economy import published
from loopback.fred import FredSite
from loopback.network import only_loopback
from loopback.yahoo import Listing, Yahoo, listing

from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE
from pipelines.ingest.fred import macro_series
from pipelines.lake import current_versions
from pipelines.settings import load_settings

SYMBOLS = ("^MADE", "BOLT", "IRON")
FIRST = dt.date(2024, 1, 2)


def universe_file(folder: Path) -> Path:
    header = (
        "universe,symbol,name,asset_class,currency,expense_ratio_bps,substitute_group,"
        "reference_weight,tradable,first_session,member_from,member_until"
    )
    rows = [
        f"made,{symbol},{symbol},us_equity,USD,3,{symbol},{weight},true,{FIRST},{FIRST},"
        for symbol, weight in zip(SYMBOLS, (0.2, 0.3, 0.5), strict=True)
    ]
    path = folder / "universe.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def made_up_listings(today: dt.date) -> list[Listing]:
    listings = [listing(symbol, FIRST, today, seed) for seed, symbol in enumerate(SYMBOLS)]
    listings[1].split(dt.date(2025, 3, 3), 3, 1)
    listings[1].dividends[dt.date(2024, 6, 3)] = 0.36
    return listings


def test_a_first_ingest_stores_what_was_traded_paid_and_published(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    yahoo = Yahoo(made_up_listings(now.date()), now)
    fred = FredSite({one.series_id: published(one.series_id) for one in macro_series()}, now.date())
    with only_loopback(tmp_path, yahoo.sites() | fred.sites()) as internet:
        environment = os.environ | {
            "SMARTINVEST_HOME": str(tmp_path / "home"),
            "SMARTINVEST_SOURCE": "yahoo",
            "SMARTINVEST_UNIVERSE_FILE": str(universe_file(tmp_path)),
        }
        run = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "ingest"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        charts = [request for request, _ in internet.exchanged if "/chart/" in request.path]
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(charts) == len(SYMBOLS)
    settings = load_settings({}, home=tmp_path / "home", source="yahoo")
    stored = current_versions(settings, PRICES).to_pylist()
    assert {row["symbol"] for row in stored} == set(SYMBOLS)
    for row in stored:
        bar = yahoo.listings[row["symbol"]].bars[row["session_date"]]
        assert {name: row[name] for name in vars(bar)} == vars(bar)
    actions = {
        (row["kind"], row["amount"]) for row in current_versions(settings, ACTIONS).to_pylist()
    }
    assert actions == {("split", 3.0), ("dividend", 0.36)}
    assert current_versions(settings, INSTRUMENTS).num_rows == len(SYMBOLS)
    assert current_versions(settings, UNIVERSE).num_rows == len(SYMBOLS)
    series = set(current_versions(settings, MACRO)["series_id"].to_pylist())
    assert series == {one.series_id for one in macro_series()}
