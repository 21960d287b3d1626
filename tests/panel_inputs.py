"""Staged bars and actions for the panel's builder, without dbt: small, and with every oddity."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.sessions import available_at, session_after, sessions_between
from pipelines.warehouse.panel.build import build_panel
from pipelines.warehouse.panel.staged import Staged

SESSION = dt.date(2023, 1, 5)
SESSIONS = sessions_between(session_after(SESSION, -899), SESSION)

Bar = dict[str, Any]
Key = tuple[str, dt.date]

_MOMENT = pa.timestamp("us", tz="UTC")
_NUMBERS = ("open", "high", "low", "close", "volume")
_PRICES = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "symbol")),
        ("session_date", pa.date32()),
        *((name, pa.float64()) for name in _NUMBERS),
        ("close_micros", pa.int64()),
        *((name, pa.string()) for name in ("price_basis", "known_at_basis")),
        ("known_at", _MOMENT),
    ]
)
_ACTIONS = pa.schema(
    [
        ("symbol", pa.string()),
        ("session_date", pa.date32()),
        ("kind", pa.string()),
        ("amount", pa.float64()),
    ]
)
_UNIVERSE = pa.schema(
    [("symbol", pa.string()), ("member_from", pa.date32()), ("member_until", pa.date32())]
)
_INSTRUMENTS = pa.schema([("symbol", pa.string()), ("asset_class", pa.string())])
_CHANGES = pa.schema([("symbol", pa.string()), ("first_session_date", pa.date32())])


@dataclass(frozen=True)
class Known:
    """What staging shows a build: accepted bars and actions, members, classes."""

    session: dt.date
    bars: Mapping[Key, Bar]
    actions: Mapping[tuple[str, dt.date, str], float]
    members: Sequence[tuple[str, dt.date, dt.date | None]]
    classes: Mapping[str, str]

    def until(self, session: dt.date) -> "Known":
        """Return what is known of the sessions up to one."""
        return replace(
            self,
            session=session,
            bars={key: bar for key, bar in self.bars.items() if key[1] <= session},
            actions={key: amount for key, amount in self.actions.items() if key[1] <= session},
        )

    def with_bar(self, symbol: str, session: dt.date, **changes: Any) -> "Known":
        """Return the same with one bar restated, or told late."""
        bar = self.bars.get((symbol, session)) or bar_of(symbol, session, 10.0)
        return replace(self, bars={**self.bars, (symbol, session): bar | changes})

    def without_bars(self, *keys: Key) -> "Known":
        """Return the same without some bars."""
        return replace(self, bars={key: bar for key, bar in self.bars.items() if key not in keys})

    def without_action(self, symbol: str, session: dt.date, kind: str) -> "Known":
        """Return the same with an action withdrawn."""
        gone = (symbol, session, kind)
        return replace(
            self, actions={key: amount for key, amount in self.actions.items() if key != gone}
        )

    def changes_since(self, base: "Known") -> dict[str, dt.date]:
        """Return the first session of each symbol whose bars or actions differ from a base's."""
        first: dict[str, dt.date] = {}
        for symbol, session in _differing(self.bars, base.bars):
            first[symbol] = min(session, first.get(symbol, session))
        for symbol, session, _ in _differing(self.actions, base.actions):
            first[symbol] = min(session, first.get(symbol, session))
        return first


def bar_of(symbol: str, session: dt.date, close: float, **changes: Any) -> Bar:
    """Return a bar known with its session's others, with all its numbers."""
    return {
        "source": "simulated",
        "symbol": symbol,
        "session_date": session,
        "open": close * 0.995,
        "high": close * 1.01,
        "low": close * 0.985,
        "close": close,
        "volume": 1e5 + 1e3 * session.day,
        "price_basis": "as_traded",
        "known_at_basis": "assumed",
        "known_at": available_at(session),
        **changes,
    }


def example() -> Known:
    """Symbols of every kind over 900 sessions, with splits, payments and members that come and go.

    SPY is the market, VIX never ranked. LATE begins 40 sessions before the end, ONE with the last
    but one, GONE ends after two thirds, HOLE lacks every seventh session, DARK has no volume and
    no highs, MIXED turns from one price basis to another, SPLIT and PAYER have actions.
    """
    rng = np.random.default_rng(4)
    spans = {
        "DARK": (0, 900),
        "GONE": (0, 600),
        "HOLE": (0, 900),
        "LATE": (860, 900),
        "MIXED": (0, 900),
        "ONE": (898, 900),
        "PAYER": (0, 900),
        "SPLIT": (0, 900),
        "SPY": (0, 900),
        "VIX": (100, 900),
    }
    bars: dict[Key, Bar] = {}
    for symbol, (begin, end) in spans.items():
        closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, end - begin)))
        for number, close in zip(range(begin, end), closes.tolist(), strict=True):
            if symbol == "HOLE" and number % 7 == 3:
                continue
            changes: dict[str, Any] = {}
            if symbol == "DARK":
                changes = {"open": None, "high": None, "low": None, "volume": None}
            if symbol == "MIXED" and number in (300, 301, 895):
                changes = {"price_basis": "total_return"}
            bars[symbol, SESSIONS[number]] = bar_of(symbol, SESSIONS[number], close, **changes)
    actions = {
        ("SPLIT", SESSIONS[200], "split"): 2.0,
        ("SPLIT", SESSIONS[880], "split"): 0.25,
        ("HOLE", SESSIONS[3 + 7 * 100], "dividend"): 0.4,
        **{("PAYER", SESSIONS[number], "dividend"): 0.3 for number in range(30, 900, 63)},
        ("PAYER", SESSIONS[890], "capital_gain"): 1.1,
    }
    members: list[tuple[str, dt.date, dt.date | None]] = [
        (symbol, SESSIONS[0], None) for symbol in spans if symbol not in ("HOLE", "SPLIT")
    ]
    members += [("HOLE", SESSIONS[400], SESSIONS[870]), ("SPLIT", SESSIONS[0], SESSIONS[500])]
    members += [("SPLIT", SESSIONS[700], None)]
    classes = {"SPY": "us_equity", "VIX": "volatility"}
    return Known(SESSION, bars, actions, members, classes)


def build(
    known: Known,
    workspace: Path,
    base: Path | None = None,
    changes: Mapping[str, dt.date] | None = None,
    threads: int = 2,
) -> pa.Table:
    """Build the panel of what is known, going on from a base if one is given."""
    (workspace / "inputs").mkdir(parents=True)
    if base is not None:
        (workspace / "inputs" / "base").symlink_to(base)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set timezone = 'UTC'")
        return build_panel(staged(connection, known, changes or {}), workspace, threads)


def staged(
    connection: duckdb.DuckDBPyConnection, known: Known, changes: Mapping[str, dt.date]
) -> Staged:
    """Return relations as dbt's staging models give them."""
    prices = [bar | {"close_micros": _micros(bar["close"])} for bar in known.bars.values()]
    cut = {"source": ["simulated"], "session_date": [known.session]}
    tables = {
        "cut": pa.table(cut),
        "prices": pa.Table.from_pylist(prices, _PRICES),
        "actions": _table(_ACTIONS, [(*key, amount) for key, amount in known.actions.items()]),
        "universe": _table(_UNIVERSE, known.members),
        "instruments": _table(_INSTRUMENTS, known.classes.items()),
        "changes": _table(_CHANGES, changes.items()),
    }
    relations = {name: connection.from_arrow(table) for name, table in tables.items()}
    return Staged(**relations, raw_prices=relations["prices"])


def _differing(ours: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> list[Any]:
    return [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]


def _table(schema: pa.Schema, rows: Any) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


def _micros(close: float | None) -> int | None:
    return None if close is None or np.isnan(close) else round(close * 1e6)
