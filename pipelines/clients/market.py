"""What clients may hold, and what it was worth at a session's close."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from models.lake import PRICES
from models.vocabulary import MICROS, STALE_AFTER_SESSIONS, AssetClass
from pipelines.sessions import session_after
from pipelines.settings import Settings


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
    """Return what could be held on the settings' session, the source's newest if unset.

    Prices are the accepted closes of the lake as a run of the session sees them; where the lake
    has none yet, those that the source delivers.

    Raises
    ------
    SessionError
        The session asked for is none, or the source has no prices for it.
    SourceError, LakeError
        The source is not built, or it or the lake cannot be read.
    """
    from pipelines.ingest import provider_for, resolve_session

    session = resolve_session(settings)
    provider = provider_for(settings)
    classes = {
        row["symbol"]: AssetClass(row["asset_class"])
        for row in provider.instruments().sort_by("symbol").to_pylist()
        if row["tradable"] and row["first_session"] <= session
    }
    prices = _accepted_prices(settings, tuple(classes), session)
    if prices.num_rows == 0:
        start = session_after(session, -STALE_AFTER_SESSIONS)
        prices = provider.deliver(tuple(classes), start, session).prices
    closes = newest_closes(prices)
    return Market(session, classes, {name: closes[name] for name in classes if name in closes})


def _accepted_prices(settings: Settings, symbols: tuple[str, ...], session: dt.date) -> pa.Table:
    from pipelines.lake import declared, known_at_cut, past_of

    rows = past_of(
        settings,
        PRICES,
        symbols,
        session_after(session),
        sessions=STALE_AFTER_SESSIONS + 1,
        known_at=known_at_cut(settings, session),
    )
    return declared(rows, PRICES)


def newest_closes(prices: pa.Table) -> dict[str, int]:
    """Return each symbol's newest close that is a price, in millionths of a dollar."""
    found: dict[str, int] = {}
    for row in prices.sort_by([("symbol", "ascending"), ("session_date", "ascending")]).to_pylist():
        close = row["close"]
        if close is not None and math.isfinite(close) and round(close * MICROS) > 0:
            found[row["symbol"]] = round(close * MICROS)
    return found
