"""Clients are given what could be held at accepted closes, and nothing at a stale one."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
from warehouse_inputs import SESSION, SESSIONS, make_home, price_rows

from models.lake import PRICES, QUARANTINED_PRICES
from models.vocabulary import STALE_AFTER_SESSIONS, AssetClass
from pipelines.clients.market import market_of, with_past
from pipelines.ingest.sample import SampleProvider
from pipelines.lake import add_rejections, arrow_schema, rules_in_force
from pipelines.rebalance.policy import POLICY
from pipelines.settings import load_settings

LAST = {row["symbol"]: row["close"] for row in price_rows() if row["session_date"] == SESSION}


def without_the_last(symbol: str, sessions: int) -> list[dict[str, Any]]:
    gone = SESSIONS[-sessions:]
    return [
        row for row in price_rows() if row["symbol"] != symbol or row["session_date"] not in gone
    ]


def test_prices_are_the_lakes_accepted_closes(tmp_path: Path) -> None:
    settings = make_home(tmp_path / "home")
    [row] = [row for row in price_rows() if (row["symbol"], row["session_date"]) == ("KO", SESSION)]
    rules = rules_in_force(settings, PRICES)
    assert rules is not None
    add_rejections(settings, PRICES, rules, rejected(row))

    market = market_of(settings)
    [eve] = [r for r in price_rows() if (r["symbol"], r["session_date"]) == ("KO", SESSIONS[-2])]
    assert market.session == SESSION
    assert market.price_micros["AAPL"] == round(LAST["AAPL"] * 1e6)
    assert market.price_micros["KO"] == round(eve["close"] * 1e6)


def test_a_close_stands_in_for_five_sessions_and_no_longer(tmp_path: Path) -> None:
    fresh = make_home(tmp_path / "fresh", without_the_last("KO", STALE_AFTER_SESSIONS))
    stale = make_home(tmp_path / "stale", without_the_last("KO", STALE_AFTER_SESSIONS + 1))
    assert STALE_AFTER_SESSIONS == 5
    assert "KO" in market_of(fresh).price_micros
    assert "KO" not in market_of(stale).price_micros
    assert "KO" in market_of(stale).classes


def test_an_empty_lake_leaves_it_to_the_source(tmp_path: Path) -> None:
    delivered = SampleProvider().deliver(["AAPL"], SESSION, SESSION).prices
    [close] = delivered["close"].to_pylist()
    assert market_of(load_settings({}, home=tmp_path)).price_micros["AAPL"] == round(close * 1e6)


def test_a_folder_of_files_prices_clients_before_its_first_ingest(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "prices.csv").write_text(
        "symbol,date,close\nKO,2022-12-27,60\nKO,2022-12-28,61\nXOM,2022-12-28,110\n"
    )
    (folder / "instruments.csv").write_text("symbol,asset_class\nKO,energy\nXOM,energy\n")
    settings = load_settings({}, home=tmp_path / "home", source="files", files_folder=folder)
    market = with_past(settings, market_of(settings))
    assert market.price_micros == {"KO": 61_000_000, "XOM": 110_000_000}
    assert market.past["KO"] == [(dt.date(2022, 12, 27), 60_000_000)]


def test_the_past_is_that_of_accepted_closes_before_the_session(tmp_path: Path) -> None:
    settings = make_home(tmp_path / "home")
    past = with_past(settings, market_of(settings)).past
    closes = [(row["session_date"], row["close"]) for row in price_rows() if row["symbol"] == "KO"]
    assert past["KO"] == [(day, round(close * 1e6)) for day, close in closes if day < SESSION]


def test_every_asset_class_has_a_limit_and_what_nobody_classified_is_not_bought() -> None:
    assert set(POLICY.class_limits) == set(AssetClass)
    assert POLICY.class_limits[AssetClass.UNCLASSIFIED].symbol_weight == 0
    assert POLICY.class_limits[AssetClass.VOLATILITY].class_weight == 0


def rejected(row: dict[str, Any]) -> pa.Table:
    cause = {"rule": "r", "observed_value": None, "reason": "r", "remedy": "r"}
    key = {name: row[name] for name in PRICES.key}
    return pa.Table.from_pylist([key | cause], arrow_schema(QUARANTINED_PRICES))
