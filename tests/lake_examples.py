"""Rows for tests of the lake: bars with made-up closes, stamped as ingest stamps them."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from models.declaration import Table
from models.lake import INSTRUMENTS, PRICES
from models.vocabulary import Arrival
from pipelines.lake import AppendResult, append_versions, arrow_schema, read_as_of
from pipelines.sessions import available_at, sessions_between
from pipelines.settings import Settings, load_settings

DAYS = sessions_between(dt.date(2022, 1, 3), dt.date(2022, 1, 14))
LATER = dt.datetime(2022, 3, 1, 12, tzinfo=dt.UTC)
FOREVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
RULES = "0" * 64

Values = dict[tuple[str, dt.date], float | None]


def lake_of(folder: Path, url: str = "") -> Settings:
    """Settings of an empty lake of simulated data."""
    return load_settings({}, home=folder, source="simulated", lake_url=url or None)


def bars(rows: Iterable[tuple[str, dt.date, float | None]]) -> pa.Table:
    """Bars with a close each, known since the evening of their day."""
    return pa.Table.from_pylist(
        [
            {
                "source": "simulated",
                "symbol": symbol,
                "session_date": day,
                "close": close,
                "price_basis": "as_traded",
                "known_at": available_at(day),
                "known_at_basis": "assumed",
                "ingest_session": day,
            }
            for symbol, day, close in rows
        ],
        schema=arrow_schema(PRICES),
    )


def index(ingest_session: dt.date) -> pa.Table:
    """One instrument, an index, known since ``LATER``."""
    row = {
        "source": "simulated",
        "symbol": "A",
        "name": "A",
        "asset_class": "index",
        "currency": "USD",
        "expense_ratio_bps": 0,
        "substitute_group": "A",
        "reference_weight": 0.0,
        "tradable": False,
        "known_at": LATER,
        "known_at_basis": "assumed",
        "ingest_session": ingest_session,
    }
    return pa.Table.from_pylist([row], schema=arrow_schema(INSTRUMENTS))


def append(
    home: Settings,
    session: dt.date,
    rows: pa.Table,
    observed_at: dt.datetime = LATER,
    arrival: Arrival = Arrival.BULK,
    table: Table = PRICES,
    origin: str = "",
) -> AppendResult:
    """Append rows as a delivery of an ingest."""
    return append_versions(
        home, table, session, rows, arrival=arrival, observed_at=observed_at, origin=origin
    )


def values(rows: pa.Table) -> Values:
    """The close of each symbol and day."""
    keys = zip(rows["symbol"].to_pylist(), rows["session_date"].to_pylist(), strict=True)
    return dict(zip(keys, rows["close"].to_pylist(), strict=True))


def as_of(home: Settings, session: dt.date, known_at: dt.datetime | None) -> Values:
    """The closes that a reader with these cuts sees; the session's own cut if None."""
    return values(read_as_of(home, PRICES, session, known_at))
