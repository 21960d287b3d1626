"""What clients may hold, and what it was worth at a session's close."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from models.vocabulary import MICROS, AssetClass
from pipelines.settings import Settings

_STALE_AFTER = dt.timedelta(days=14)
"""A close older than this is no price any more."""


@dataclass(frozen=True)
class Market:
    """The tradable instruments of a source as of a session.

    ``classes`` maps each symbol that could be held then to its class; ``price_micros`` maps those
    that were priced lately to their newest close.
    """

    session: dt.date
    classes: Mapping[str, AssetClass]
    price_micros: Mapping[str, int]


def market_of(settings: Settings) -> Market:
    """Read from the source what could be held on the settings' session, the newest if unset.

    Raises
    ------
    SessionError
        The session asked for is none, or the source has no prices for it.
    SourceError
        The source is not built, or cannot be read.
    """
    from pipelines.ingest import provider_for, resolve_session

    session = resolve_session(settings)
    provider = provider_for(settings)
    classes = {
        row["symbol"]: AssetClass(row["asset_class"])
        for row in provider.instruments().sort_by("symbol").to_pylist()
        if row["tradable"] and row["first_session"] <= session
    }
    closes = newest_closes(provider.deliver(tuple(classes), session - _STALE_AFTER, session).prices)
    prices = {symbol: closes[symbol] for symbol in classes if symbol in closes}
    return Market(session, classes, prices)


def newest_closes(prices: pa.Table) -> dict[str, int]:
    """Return each symbol's newest close that is a price, in millionths of a dollar."""
    found: dict[str, int] = {}
    for row in prices.sort_by([("symbol", "ascending"), ("session_date", "ascending")]).to_pylist():
        close = row["close"]
        if close is not None and math.isfinite(close) and round(close * MICROS) > 0:
            found[row["symbol"]] = round(close * MICROS)
    return found
