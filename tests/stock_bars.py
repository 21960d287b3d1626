"""Bars of made-up stocks as rows of ``PRICES``, which tests spoil one by one."""

import datetime as dt
import math
from typing import Any

import numpy as np
import pyarrow as pa

from models.lake import PRICES
from pipelines.lake import arrow_schema
from pipelines.sessions import available_at, sessions_between

SESSIONS = sessions_between(dt.date(2019, 1, 2), dt.date(2019, 12, 31))
LAST = len(SESSIONS) - 1
Row = dict[str, Any]


def stock(symbol: str = "ACME", seed: int = 1, vol: float = 0.015) -> list[Row]:
    """Bars of a random walk in cents, with the source's own returns."""
    dice = np.random.default_rng(seed)
    close = np.round(80 * np.exp(np.cumsum(dice.normal(0, vol, len(SESSIONS)))), 2)
    open_ = np.round(close * np.exp(dice.normal(0, vol / 2, len(SESSIONS))), 2)
    rows = []
    for number, session in enumerate(SESSIONS):
        top, bottom = max(open_[number], close[number]), min(open_[number], close[number])
        before = close[number - 1] if number else math.nan
        rows.append(
            {
                "source": "simulated",
                "symbol": symbol,
                "session_date": session,
                "open": open_[number],
                "high": round(top * 1.004, 2),
                "low": round(bottom * 0.996, 2),
                "close": close[number],
                "volume": float(dice.integers(900_000, 1_100_000)),
                "adjusted_return_1d": round(close[number] / before - 1, 6) if number else None,
                "price_basis": "as_traded",
                "known_at": available_at(session),
                "known_at_basis": "assumed",
                "ingest_session": SESSIONS[-1],
            }
        )
    return rows


def scale(row: Row, factor: float, *, shares: float = 1.0) -> None:
    row.update({name: round(row[name] * factor, 4) for name in ("open", "high", "low", "close")})
    row["volume"] *= shares


def table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, arrow_schema(PRICES))
