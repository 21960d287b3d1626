"""Thirty sessions with late, restated, rejected and withdrawn data: no byte differs from full."""

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_examples import RULES, append, lake_of

from models.declaration import Table
from models.lake import ACTIONS, INSTRUMENTS, PRICES, UNIVERSE, quarantined
from models.vocabulary import Arrival
from pipelines.lake import (
    add_rejections,
    add_release,
    arrow_schema,
    build_manifest,
    mark_checked,
    unchecked_files,
)
from pipelines.sessions import available_at, session_after, sessions_between
from pipelines.settings import Settings
from pipelines.warehouse.base import Plan, rejections_of
from pipelines.warehouse.changes import Changes, Inputs, changes_since, everything
from pipelines.warehouse.inputs import lay_out
from pipelines.warehouse.panel.build import build_panel
from pipelines.warehouse.panel.staged import Staged

FIRST = dt.date(2022, 12, 5)
SESSIONS = sessions_between(FIRST, session_after(FIRST, 29))
"""Over the turn of a year and of two months."""
HISTORY = sessions_between(session_after(FIRST, -320), session_after(FIRST, -1))
SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "SPY")
_STAGED = ("stg_cut", "stg_prices", "stg_actions", "stg_universe", "stg_instruments")


class Market:
    """A source whose deliveries come late, change and are taken back; seeded."""

    def __init__(self, home: Settings, seed: int) -> None:
        self.home, self.random = home, np.random.default_rng(seed)
        self.late: list[tuple[str, dt.date]] = []
        self.splits: list[tuple[str, dt.date]] = []
        self.rejected: list[tuple[str, dt.date]] = []

    def begin(self) -> None:
        """Load the history of all symbols but one, who are members, in bulk."""
        day = HISTORY[-1]
        kinds = [
            {"symbol": symbol, "name": symbol, "asset_class": "technology", "currency": "USD"}
            | {"expense_ratio_bps": 0, "substitute_group": symbol, "reference_weight": 1.0}
            | {"tradable": True}
            for symbol in SYMBOLS
        ]
        self.add(INSTRUMENTS, day, kinds, known=HISTORY[0])
        members = [
            {"universe": "index", "symbol": symbol, "member_from": HISTORY[0], "member_until": None}
            for symbol in SYMBOLS[:5]
        ]
        self.add(UNIVERSE, day, members, known=HISTORY[0])
        self.add(PRICES, day, [self.bar(name, d) for name in SYMBOLS[:-2] for d in HISTORY])
        self.add(PRICES, day, [self.bar("SPY", d) for d in HISTORY])

    def tell(self, day: dt.date) -> None:
        """Deliver a session, what was missing before, and what is different now."""
        random = self.random
        for name in SYMBOLS:
            if name != "SPY" and random.random() < 0.15:
                self.late.append((name, day))
        bars = [(name, day) for name in SYMBOLS if (name, day) not in self.late]
        bars += [key for key in self.late if key[1] < day and random.random() < 0.5]
        self.late = [key for key in self.late if key not in bars]
        restated = (str(random.choice(SYMBOLS[:6])), HISTORY[int(random.integers(1, 320))])
        bars += [restated] if random.random() < 0.3 else []
        if random.random() < 0.2:
            self.splits.append((str(random.choice(SYMBOLS[:6])), day))
            self.add(ACTIONS, day, [self.split(*self.splits[-1], 2.0)])
        if self.splits and random.random() < 0.1:
            self.add(ACTIONS, day, [self.split(*self.splits.pop(), None)], polled=True)
        self.add(PRICES, day, [self.bar(*key) for key in dict.fromkeys(bars)], polled=True)
        if random.random() < 0.3:
            self.reject(str(random.choice(SYMBOLS[:6])), HISTORY[int(random.integers(1, 320))])
        if self.rejected and random.random() < 0.2:
            self.release(*self.rejected.pop(), day)
        if day == SESSIONS[10]:
            self.add(UNIVERSE, day, [{"universe": "index", "symbol": "FFF", "member_from": day}])
        mark_checked(self.home, PRICES, RULES, day, unchecked_files(self.home, PRICES, RULES))

    def bar(self, symbol: str, day: dt.date) -> dict[str, Any]:
        close = float(np.exp(self.random.normal(3.0, 0.2)))
        return {
            "symbol": symbol,
            "session_date": day,
            "open": close * 0.99,
            "high": close * 1.02,
            "low": close * 0.98,
            "close": close,
            "volume": float(self.random.integers(1000, 9000)),
            "price_basis": "as_traded",
        }

    def split(self, symbol: str, day: dt.date, ratio: float | None) -> dict[str, Any]:
        return {"symbol": symbol, "session_date": day, "kind": "split", "amount": ratio}

    def add(
        self,
        table: Table,
        session: dt.date,
        rows: list[dict[str, Any]],
        known: dt.date | None = None,
        polled: bool = False,
    ) -> None:
        empty = dict.fromkeys(table.column_names)
        stamped = [
            empty
            | row
            | {"source": "simulated", "known_at_basis": "assumed", "ingest_session": session}
            | {"known_at": available_at(known or row.get("session_date") or session)}
            for row in rows
        ]
        append(
            self.home,
            session,
            pa.Table.from_pylist(stamped, arrow_schema(table)),
            available_at(session),
            Arrival.POLLED if polled else Arrival.BULK,
            table,
        )

    def reject(self, symbol: str, day: dt.date) -> None:
        row = {"source": "simulated", "symbol": symbol, "session_date": day, "rule": "x"}
        row |= {"known_at": available_at(day), "observed_value": "1", "reason": "x", "remedy": "y"}
        rows = pa.Table.from_pylist([row], arrow_schema(quarantined(PRICES)))
        if add_rejections(self.home, PRICES, RULES, rows):
            self.rejected.append((symbol, day))

    def release(self, symbol: str, day: dt.date, today: dt.date) -> None:
        add_release(
            self.home,
            PRICES,
            symbol,
            first_session=day,
            last_session=day,
            rule=None,
            released_by="test",
            reason="right after all",
            released_at=available_at(today),
        )


@pytest.fixture(scope="session")
def staging(small_warehouse: Settings) -> dict[str, str]:
    """The SQL of dbt's staging models as the shared warehouse compiled it."""
    compiled = small_warehouse.warehouse / "dbt" / "compiled" / "smartinvest" / "models"
    return {name: (compiled / "staging" / f"{name}.sql").read_text("utf-8") for name in _STAGED}


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_no_byte_differs_from_a_full_build_session_after_session(
    tmp_path: Path, staging: dict[str, str], seed: int
) -> None:
    home = lake_of(tmp_path / "home")
    market = Market(home, seed)
    market.begin()
    before: Inputs | None = None
    went_on = 0
    for number, session in enumerate(SESSIONS):
        market.tell(session)
        manifest = build_manifest(home, session, [])
        now = Inputs(manifest, rejections_of(home, manifest))
        changes = everything("there is no base")
        if before is not None:
            symbols = pq.read_table(tmp_path / "last" / "last_bars.parquet")["symbol"].to_pylist()
            changes = changes_since(home, before, now, symbols)
        on, full = tmp_path / f"on{number}", tmp_path / f"full{number}"
        build(home, now, changes, on, staging, tmp_path / "last")
        build(home, now, everything("asked for"), full, staging, None)
        went_on += changes.everything is None
        assert files_of(on) == files_of(full)
        (tmp_path / "last").unlink(missing_ok=True)
        (tmp_path / "last").symlink_to(on)
        before = now
    assert went_on > 20


def build(
    home: Settings,
    inputs: Inputs,
    changes: Changes,
    workspace: Path,
    staging: dict[str, str],
    base: Path | None,
) -> None:
    """Build a panel as the stage and dbt do, from dbt's own staging over a layout of the lake."""
    workspace.mkdir()
    lay_out(home, inputs, Plan(None, changes), workspace)
    if base is not None and changes.everything is None:
        (workspace / "inputs" / "base").symlink_to(base.resolve())
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(f"set timezone = 'UTC'; set file_search_path = '{workspace}'")
        database.execute("attach ':memory:' as warehouse; use warehouse; create schema staging")
        for name, sql in staging.items():
            database.execute(f"create view staging.{name} as {sql}")
        relations = {name: database.table(f"staging.{name}") for name in _STAGED}
        staged = Staged(
            cut=relations["stg_cut"],
            raw_prices=database.sql("from read_parquet('inputs/prices/*.parquet')"),
            prices=relations["stg_prices"],
            actions=relations["stg_actions"],
            universe=relations["stg_universe"],
            instruments=relations["stg_instruments"],
            changes=database.sql("from read_parquet('inputs/change/*.parquet')"),
        )
        build_panel(staged, workspace, threads=1)


def files_of(workspace: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (workspace / "panel").iterdir()}
