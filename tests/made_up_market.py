"""A small market that tests make up: a provider whose rows a test can spoil."""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import Arrival, AssetClass, PriceBasis, Source
from pipelines.ingest.provider import (
    ACTION_SCHEMA,
    INSTRUMENT_SCHEMA,
    MACRO_SCHEMA,
    PRICE_SCHEMA,
    UNIVERSE_SCHEMA,
    Delivery,
    Problem,
)
from pipelines.sessions import sessions_between

Bar = dict[str, Any]

SESSIONS = sessions_between(dt.date(2020, 1, 2), dt.date(2020, 3, 31))
STOCKS = ("ACME", "BOLT", "CORK", "DUNE", "EDGE")
INDEX = "WORLD"


class MadeUpMarket:
    """Five stocks and an index, random walks of one seed, with every column filled."""

    source = Source.SIMULATED
    arrival = Arrival.BULK

    def __init__(self, sessions: Iterable[dt.date] = SESSIONS, seed: int = 1) -> None:
        dice = random.Random(seed)
        self.sessions = list(sessions)
        self.bars: list[Bar] = []
        for symbol in (*STOCKS, INDEX):
            close = 100.0
            for session in self.sessions:
                opened, close = close, round(close * (1 + dice.uniform(-0.02, 0.021)), 2)
                self.bars.append(
                    {
                        "symbol": symbol,
                        "session_date": session,
                        "open": opened,
                        "high": max(opened, close) + 0.5,
                        "low": min(opened, close) - 0.5,
                        "close": close,
                        "volume": 1_000_000.0,
                        "adjusted_return_1d": None,
                        "price_basis": PriceBasis.AS_TRADED.value,
                    }
                )

    def bar(self, symbol: str, session: dt.date) -> Bar:
        """Return the one bar of a symbol and session, to be changed in place."""
        return next(
            bar for bar in self.bars if bar["symbol"] == symbol and bar["session_date"] == session
        )

    def drop(self, unwanted: Callable[[Bar], bool]) -> None:
        self.bars = [bar for bar in self.bars if not unwanted(bar)]

    def first_session(self) -> dt.date:
        return self.sessions[0]

    def newest_session(self) -> dt.date:
        return self.sessions[-1]

    def instruments(self) -> pa.Table:
        rows = [
            {
                "symbol": symbol,
                "name": symbol.title(),
                "asset_class": AssetClass.INDEX if symbol == INDEX else AssetClass.INDUSTRIALS,
                "currency": "USD",
                "expense_ratio_bps": 0,
                "substitute_group": symbol,
                "reference_weight": 0.0 if symbol == INDEX else 0.2,
                "tradable": symbol != INDEX,
                "first_session": self.sessions[0],
            }
            for symbol in (*STOCKS, INDEX)
        ]
        return pa.Table.from_pylist(rows, schema=INSTRUMENT_SCHEMA)

    def universe(self) -> pa.Table:
        return UNIVERSE_SCHEMA.empty_table()

    def batches(self, session: dt.date) -> list[tuple[str, ...]]:
        return [(*STOCKS, INDEX)]

    def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
        rows = pa.Table.from_pylist(self.bars, schema=PRICE_SCHEMA)
        day = pc.field("session_date")
        wanted = (day >= pa.scalar(start)) & (day <= pa.scalar(end))
        rows = rows.filter(wanted & pc.field("symbol").isin(list(symbols)))
        return Delivery(rows, ACTION_SCHEMA.empty_table(), origin="made up")

    def macro(self, start: dt.date, end: dt.date) -> tuple[pa.Table, tuple[Problem, ...]]:
        return MACRO_SCHEMA.empty_table(), ()
