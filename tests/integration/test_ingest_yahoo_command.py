"""A whole ingest of source yahoo, by the real clock: in this process, and as a user starts it."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from loopback.economy import published
from loopback.fred import FredSite
from loopback.internet import Internet
from loopback.network import only_loopback
from loopback.yahoo import Listing, Yahoo, listing

from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE
from pipelines.ingest import ingest, resolve_session
from pipelines.lake import current_versions, read_as_of
from pipelines.lake.adjustment import Adjustment, adjusted
from pipelines.macro_series import macro_series
from pipelines.settings import Settings, load_settings

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


@dataclass
class Market:
    yahoo: Yahoo
    internet: Internet
    settings: Settings

    def hold_against_the_lake(self) -> None:
        charts = [request for request, _ in self.internet.exchanged if "/chart/" in request.path]
        assert len(charts) == len(SYMBOLS)
        stored = current_versions(self.settings, PRICES).to_pylist()
        assert {row["symbol"] for row in stored} == set(SYMBOLS)
        for row in stored:
            bar = self.yahoo.listings[row["symbol"]].bars[row["session_date"]]
            assert {name: row[name] for name in vars(bar)} == vars(bar)
        actions = current_versions(self.settings, ACTIONS).to_pylist()
        told = {(row["kind"], row["amount"]) for row in actions}
        assert told == {("split", 3.0), ("dividend", 0.36)}
        assert current_versions(self.settings, INSTRUMENTS).num_rows == len(SYMBOLS)
        assert current_versions(self.settings, UNIVERSE).num_rows == len(SYMBOLS)
        series = set(current_versions(self.settings, MACRO)["series_id"].to_pylist())
        assert series == {one.series_id for one in macro_series()}

    def largest_error_of_total_return(self) -> float:
        """Compare our series with that of shares followed by hand, cash put back into them."""
        session = resolve_session(self.settings)
        prices, actions = (
            read_as_of(self.settings, table, session, symbols=list(SYMBOLS))
            for table in (PRICES, ACTIONS)
        )
        ours = adjusted(prices, actions, Adjustment.TOTAL_RETURN).to_pylist()
        errors = []
        for symbol, known in self.yahoo.listings.items():
            series = {row["session_date"]: row["close"] for row in ours if row["symbol"] == symbol}
            shares, worth = Fraction(1), {}
            for day in sorted(series):
                close = Fraction(str(known.bars[day].close))
                new, old = known.splits.get(day, (1, 1))
                cash = Fraction(str(known.dividends.get(day, 0)))
                shares *= Fraction(new, old) + cash / close
                worth[day] = shares * close
            errors += [abs(series[day] / (worth[day] / shares) - 1) for day in series]
        return float(max(errors))


@contextmanager
def market(folder: Path) -> Iterator[Market]:
    now = dt.datetime.now(dt.UTC)
    yahoo = Yahoo(made_up_listings(now.date()), now)
    fred = FredSite({one.series_id: published(one.series_id) for one in macro_series()}, now.date())
    settings = load_settings(
        {}, home=folder / "home", source="yahoo", universe_file=universe_file(folder)
    )
    with only_loopback(folder, yahoo.sites() | fred.sites()) as internet:
        yield Market(yahoo, internet, settings)


def test_a_first_ingest_stores_what_was_traded_paid_and_published(tmp_path: Path) -> None:
    with market(tmp_path) as made_up:
        ingest(made_up.settings, resolve_session(made_up.settings))
        assert made_up.largest_error_of_total_return() < 1e-14
    made_up.hold_against_the_lake()


@pytest.mark.long
def test_the_command_does_so_in_a_process_of_its_own(tmp_path: Path) -> None:
    with market(tmp_path) as made_up:
        run = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "ingest"],
            env=os.environ | made_up.settings.environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert run.returncode == 0, run.stdout + run.stderr
    made_up.hold_against_the_lake()
