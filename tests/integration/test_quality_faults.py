"""Faults of a feed, one by one: each ends in quarantine with its reason, and the rest goes on."""

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from made_up_market import INDEX, SESSIONS, Bar, MadeUpMarket
from new_stores import make_store

from pipelines.ingest import ingest
from pipelines.quality import check, list_quarantine
from pipelines.settings import Settings, load_settings

DAY, LAST = SESSIONS[-10], SESSIONS[-1]
HOLIDAY = dt.date(2020, 2, 17)

Fault = Callable[[Bar], list[Bar]]
"""Spoils a bar in place, and returns what the feed delivers besides."""


def changes(**values: object) -> Fault:
    def spoil(bar: Bar) -> list[Bar]:
        bar.update(values)
        return []

    return spoil


def scaled(factor: float) -> Fault:
    def spoil(bar: Bar) -> list[Bar]:
        scale(bar, factor)
        return []

    return spoil


def also(**values: object) -> Fault:
    return lambda bar: [bar | values]


def high_and_low_swapped(bar: Bar) -> list[Bar]:
    bar["high"], bar["low"] = bar["low"], bar["high"]
    return []


def scale(bar: Bar, factor: float) -> None:
    bar.update({name: bar[name] * factor for name in ("open", "high", "low", "close")})


FAULTS = {
    "negative close": (changes(close=-5.0), "close_is_in_range"),
    "zero close": (changes(close=0.0), "close_is_in_range"),
    "missing close": (changes(close=None), "close_is_present"),
    "NaN close": (changes(close=math.nan), "close_is_present"),
    "infinite close": (changes(close=math.inf), "close_is_in_range"),
    "price in cents": (scaled(100), "move_is_plausible"),
    "price in units of 100": (scaled(0.01), "fall_is_plausible"),
    "high below low": (high_and_low_swapped, "high_is_not_below_low"),
    "high below close": (changes(high=1.0, low=0.5), "high_is_not_below_close"),
    "low above close": (changes(low=999.0, high=1000.0), "close_is_not_below_low"),
    "zero open": (changes(open=0.0), "open_is_in_range"),
    "negative volume": (changes(volume=-1.0), "volume_is_in_range"),
    "volume overflow": (changes(volume=1.8e19), "volume_is_in_range"),
    "contradicting duplicate": (also(volume=5.0), "key_is_unique"),
    "holiday bar": (also(session_date=HOLIDAY), "session_is_open"),
    "unknown symbol": (also(symbol="GHOST"), "symbol_is_known"),
}


DAY_OF_FAULT = dict(zip(FAULTS, SESSIONS[-2 * len(FAULTS) :: 2], strict=True))


class GhostlyMarket(MadeUpMarket):
    """Asks for one symbol more than its instruments know."""

    def batches(self, session: dt.date) -> list[tuple[str, ...]]:
        return [(*super().batches(session)[0], "GHOST")]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path, source="simulated")
    make_store(settings)
    return settings


@pytest.fixture(scope="module")
def rejected(tmp_path_factory: pytest.TempPathFactory) -> list[Bar]:
    """What is in quarantine after one delivery that holds every fault, each on a day of its own."""
    settings = load_settings({}, home=tmp_path_factory.mktemp("home"), source="simulated")
    make_store(settings)
    market = GhostlyMarket()
    for name, (spoil, _) in FAULTS.items():
        market.bars += spoil(market.bar("BOLT", DAY_OF_FAULT[name]))
    market.bars.append(dict(market.bar("ACME", DAY)))  # twice the same: harmless
    scale(market.bar(INDEX, DAY), 2)
    ingest(settings, LAST, market)
    check(settings, LAST)
    rows: list[Bar] = list_quarantine(settings).to_pylist()
    return rows


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_quarantined_under_the_rule_it_breaks(rejected: list[Bar], name: str) -> None:
    symbol = "GHOST" if name == "unknown symbol" else "BOLT"
    day = HOLIDAY if name == "holiday bar" else DAY_OF_FAULT[name]
    rows = [row for row in rejected if _key(row) == (symbol, day)]
    assert FAULTS[name][1] in {row["rule"] for row in rows}
    for row in rows:
        assert row["reason"]
        assert row["remedy"]


def test_nothing_but_the_faults_is_quarantined(rejected: list[Bar]) -> None:
    others = set(DAY_OF_FAULT.values()) - {
        DAY_OF_FAULT["holiday bar"],
        DAY_OF_FAULT["unknown symbol"],
    }
    expected = {("BOLT", day) for day in others}
    expected |= {("BOLT", HOLIDAY), ("GHOST", DAY_OF_FAULT["unknown symbol"]), (INDEX, DAY)}
    assert {_key(row) for row in rejected} == expected


def test_the_offending_value_is_quoted(rejected: list[Bar]) -> None:
    quoted = {row["rule"]: row["observed_value"] for row in rejected}
    assert quoted["volume_is_in_range"] in ("-1.0", "1.8e+19")
    assert quoted["session_is_open"] == str(HOLIDAY)
    assert quoted["close_is_present"] is None
    assert quoted["high_is_not_below_low"].startswith("high=")


def test_a_symbol_that_becomes_known_is_judged_from_then_on(home: Settings) -> None:
    """As the remedy says: later bars pass, and the one that was rejected stays out."""
    market = GhostlyMarket()
    market.bars.append(market.bar("BOLT", SESSIONS[-2]) | {"symbol": "GHOST", "volume": 5e5})
    ingest(home, SESSIONS[-2], market)
    assert check(home, SESSIONS[-2]).rules == {"symbol_is_known": 1}

    class Extended(GhostlyMarket):
        def instruments(self) -> pa.Table:
            known = super().instruments()
            row = next(row for row in known.to_pylist() if row["symbol"] == "BOLT")
            ghost = row | {"symbol": "GHOST", "reference_weight": 0.0}
            return pa.concat_tables([known, pa.Table.from_pylist([ghost], schema=known.schema)])

    extended = Extended()
    extended.bars = [*market.bars, extended.bar("BOLT", LAST) | {"symbol": "GHOST", "volume": 5e5}]
    ingest(home, LAST, extended)
    assert check(home, LAST).rules == {"symbol_is_known": 1}
    assert [_key(row) for row in list_quarantine(home).to_pylist()] == [("GHOST", SESSIONS[-2])]


def test_a_price_that_stands_still_is_rejected_once_it_is_stale(home: Settings) -> None:
    market = MadeUpMarket()
    stuck = [bar for bar in market.bars if bar["symbol"] == "CORK"][-30:]
    for bar in stuck:
        bar.update(dict.fromkeys(("open", "high", "low", "close"), stuck[0]["close"]))
    ingest(home, LAST, market)
    report = check(home, LAST)
    assert report.rules == {"price_is_not_stale": 24}  # 29 repeats, 5 of them by chance
    assert report.symbols_frozen == ("CORK",)


def test_a_crash_of_the_whole_market_passes(home: Settings) -> None:
    market = MadeUpMarket()
    for bar in market.bars:
        if bar["session_date"] >= DAY:
            fall = 0.77 if bar["symbol"] == INDEX else 0.5
            scale(bar, fall)
    ingest(home, LAST, market)
    assert check(home, LAST).rules == {}


def test_an_index_that_doubles_overnight_is_rejected(rejected: list[Bar]) -> None:
    assert [row["rule"] for row in rejected if row["symbol"] == INDEX] == ["move_is_plausible"]


def _key(bar: Bar) -> tuple[str, dt.date]:
    return bar["symbol"], bar["session_date"]
