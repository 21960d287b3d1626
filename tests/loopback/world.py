"""One made-up Yahoo, one real lake, and a poll from the one to the other.

After each poll the lake is held against the truth: nothing that it held is gone, and the newest
version of each of its rows is what was traded.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.declaration import Table
from models.lake import ACTIONS, PRICES
from models.vocabulary import ActionKind
from pipelines.errors import SourceError
from pipelines.ingest.fred import Fred
from pipelines.ingest.provider import (
    ACTION_SCHEMA,
    INSTRUMENT_SCHEMA,
    PRICE_SCHEMA,
    UNIVERSE_SCHEMA,
    Delivery,
)
from pipelines.ingest.retries import RetryPolicy
from pipelines.ingest.stamps import stamped_by_day
from pipelines.ingest.universe import Universe
from pipelines.ingest.yahoo import YahooProvider
from pipelines.lake import (
    AppendResult,
    append_versions,
    current_versions,
    dataset_files,
    read_files,
)
from pipelines.sessions import available_at, session_after
from pipelines.settings import Settings, load_settings

from .internet import Internet, Reply
from .network import only_loopback
from .yahoo import Listing, Yahoo, listing

FIRST, SESSION = dt.date(2024, 1, 2), dt.date(2024, 3, 1)
NEXT, LAST = session_after(SESSION), session_after(SESSION, 5)
SYMBOLS = ("BOLT", "IRON", "WOOL")
QUICK = RetryPolicy(
    attempts=4,
    first_wait_s=0.002,
    longest_wait_s=0.01,
    strikes=3,
    cool_down_s=60,
    timeout_s=20.0,
    pause_s=0.0,
)


@dataclass
class Poll:
    """What one poll asked, what was answered, and what became of it."""

    asked: int
    statuses: Counter[str]
    delivered: int
    problems: tuple[str, ...]
    new_rows: int
    restated_rows: int
    actions: int
    refused: str = ""


@dataclass
class World:
    """``disputed`` are bars of which Yahoo told two stories, so that neither can be the truth."""

    yahoo: Yahoo
    internet: Internet
    settings: Settings
    policy: RetryPolicy = QUICK
    currencies: dict[str, str] = field(default_factory=dict)
    polls: list[Poll] = field(default_factory=list)
    disputed: set[tuple[str, dt.date]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.provider = self.new_provider()

    def new_provider(self) -> YahooProvider:
        return YahooProvider(
            self.universe(),
            Fred(policy=self.policy),
            self.policy,
            clock=lambda: self.yahoo.now,
        )

    def universe(self) -> Universe:
        return _universe(tuple(self.yahoo.listings), self.currencies)

    def listing(self, symbol: str = "BOLT") -> Listing:
        return self.yahoo.listings[symbol]

    def poll(
        self,
        session: dt.date = SESSION,
        at: dt.datetime | None = None,
        *,
        also: tuple[str, ...] = (),
    ) -> Poll:
        """Ask for all symbols up to a session, append, and hold the lake against the truth.

        It happens on the session's evening, unless another moment is given.
        """
        self.yahoo.now = at or available_at(session) + dt.timedelta(minutes=5)
        before = self._all_versions()
        start = len(self.internet.exchanged)
        refused = ""
        try:
            delivery = self.provider.deliver((*self.yahoo.listings, *also), FIRST, session)
        except SourceError as error:
            refused = error.problem
            delivery = Delivery(PRICE_SCHEMA.empty_table(), ACTION_SCHEMA.empty_table())
        actions = self._append(ACTIONS, session, delivery.actions, delivery.origin)
        prices = self._append(PRICES, session, delivery.prices, delivery.origin)
        exchanged = self.internet.exchanged[start:]
        charts = [reply for request, reply in exchanged if "/chart/" in request.path]
        self.polls.append(
            Poll(
                asked=len(charts),
                statuses=Counter(told(reply) for reply in charts),
                delivered=delivery.prices.num_rows,
                problems=tuple(f"{one.thing}: {one.reason}" for one in delivery.problems),
                new_rows=prices.new_rows,
                restated_rows=prices.restated_rows,
                actions=actions.new_rows + actions.restated_rows,
                refused=refused,
            )
        )
        lost = before - self._all_versions()
        assert not lost, f"the lake lost {lost}"
        self.hold_against_the_truth()
        return self.polls[-1]

    def _append(self, table: Table, session: dt.date, rows: pa.Table, origin: str) -> AppendResult:
        return append_versions(
            self.settings,
            table,
            session,
            stamped_by_day(rows, self.provider.source, session),
            arrival=self.provider.arrival,
            observed_at=self.yahoo.now,
            origin=origin,
        )

    def _all_versions(self) -> set[tuple[object, ...]]:
        return {
            (table.name, *row.values())
            for table in (PRICES, ACTIONS)
            for row in read_files(
                self.settings, table, dataset_files(self.settings, table)
            ).to_pylist()
        }

    def hold_against_the_truth(self) -> None:
        """Compare each stored number with what was traded, exactly."""
        for row in current_versions(self.settings, PRICES).to_pylist():
            symbol, day = row["symbol"], row["session_date"]
            if (symbol, day) not in self.disputed:
                told = {name: row[name] for name in ("open", "high", "low", "close", "volume")}
                assert told == vars(self.yahoo.listings[symbol].bars[day]), (symbol, day)
        for row in current_versions(self.settings, ACTIONS).to_pylist():
            paid = self.paid(row["symbol"], ActionKind(row["kind"]))
            assert row["amount"] == paid[row["session_date"]], row

    def hold_returns(self, symbol: str = "BOLT") -> None:
        """Compare Yahoo's adjusted returns with what a holder earned since the session before."""
        known = self.yahoo.listings[symbol]
        for row in self.stored_rows(symbol)[1:]:
            day = row["session_date"]
            new, old = known.splits.get(day, (1, 1))
            cash = known.dividends.get(day, 0.0) + known.capital_gains.get(day, 0.0)
            base = known.bars[session_after(day, -1)].close * old / new - cash
            assert abs(row["adjusted_return_1d"] - known.bars[day].close / base + 1) < 2e-6, row

    def paid(self, symbol: str, kind: ActionKind) -> dict[dt.date, float]:
        known = self.yahoo.listings[symbol]
        if kind is ActionKind.SPLIT:
            return {day: new / old for day, (new, old) in known.splits.items()}
        return known.dividends if kind is ActionKind.DIVIDEND else known.capital_gains

    def stored_rows(self, symbol: str = "BOLT") -> list[dict[str, Any]]:
        """Return the newest version of each stored bar."""
        rows: list[dict[str, Any]] = current_versions(self.settings, PRICES, [symbol]).to_pylist()
        return rows

    def stored(self, symbol: str = "BOLT") -> dict[dt.date, float]:
        """Return the newest stored close of each day."""
        return {row["session_date"]: row["close"] for row in self.stored_rows(symbol)}

    def stored_actions(self, symbol: str = "BOLT") -> dict[tuple[dt.date, str], float]:
        rows = current_versions(self.settings, ACTIONS, [symbol]).to_pylist()
        return {(row["session_date"], row["kind"]): row["amount"] for row in rows}


@contextmanager
def world(folder: Path, *symbols: str, policy: RetryPolicy = QUICK) -> Iterator[World]:
    """Make up a market on loopback and an empty lake, for the time of one scenario."""
    listings = [
        listing(symbol, FIRST, LAST, seed) for seed, symbol in enumerate(symbols or SYMBOLS)
    ]
    yahoo = Yahoo(listings, available_at(SESSION))
    with only_loopback(folder, yahoo.sites()) as internet:
        settings = load_settings({}, home=folder / "home", source="yahoo")
        yield World(yahoo, internet, settings, policy)


def _universe(symbols: tuple[str, ...], currencies: dict[str, str]) -> Universe:
    return Universe(
        pa.Table.from_pylist(
            [
                {
                    "symbol": symbol,
                    "name": symbol.title(),
                    "asset_class": "us_equity",
                    "currency": currencies.get(symbol, "USD"),
                    "expense_ratio_bps": 0,
                    "substitute_group": symbol,
                    "reference_weight": 1 / len(symbols),
                    "tradable": True,
                    "first_session": FIRST,
                }
                for symbol in symbols
            ],
            INSTRUMENT_SCHEMA,
        ),
        UNIVERSE_SCHEMA.empty_table(),
    )


def told(reply: Reply) -> str:
    if reply.cut_at is not None:
        return "cut off"
    return "too late" if reply.delay_s else str(reply.status)
