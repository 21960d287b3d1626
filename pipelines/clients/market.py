"""What clients may hold, and what it was worth at a session's close."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from models.lake import PRICES
from models.vocabulary import MICROS, STALE_AFTER_SESSIONS, AssetClass
from pipelines.sessions import session_after
from pipelines.settings import Settings

_PAST_SESSIONS = 1_260  # five years


@dataclass(frozen=True)
class Market:
    """The tradable instruments of a source as of a session.

    ``classes`` maps each symbol that could be held then to its class; ``price_micros`` maps those
    that were priced lately to their newest close. ``past`` maps these to (session, close in today's
    shares) of five years before, ascending; empty where nobody asked.
    """

    session: dt.date
    classes: Mapping[str, AssetClass]
    price_micros: Mapping[str, int]
    past: Mapping[str, Sequence[tuple[dt.date, int]]] = field(default_factory=dict)


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
        prices = _plain(provider.deliver(tuple(classes), start, session).prices)
    closes = newest_closes(prices)
    return Market(session, classes, {name: closes[name] for name in classes if name in closes})


def with_past(settings: Settings, market: Market) -> Market:
    """Return the market with its past closes: the lake's, or the source's where it has none.

    Raises
    ------
    SourceError, LakeError
        The source or the lake cannot be read.
    """
    from pipelines.ingest import provider_for
    from pipelines.lake.adjustment import Adjustment, adjusted, comparable
    from pipelines.lake.views import prices_as_of

    symbols = tuple(market.price_micros)
    start = session_after(market.session, -_PAST_SESSIONS)
    rows = prices_as_of(settings, symbols, market.session, adjustment=Adjustment.SPLIT)
    if rows.num_rows == 0:
        delivered = provider_for(settings).deliver(symbols, start, market.session)
        bars = _plain(delivered.prices).filter(pc.field("close") > 0)
        bars = bars.sort_by([("symbol", "ascending"), ("session_date", "ascending")])
        rows = adjusted(comparable(bars), delivered.actions, Adjustment.SPLIT)
    day = pc.field("session_date")
    rows = rows.filter((day >= start) & (day < market.session)).select(
        ["symbol", "session_date", "close"]
    )
    past: dict[str, list[tuple[dt.date, int]]] = {symbol: [] for symbol in symbols}
    for row in rows.to_pylist():
        if round(row["close"] * MICROS) > 0:
            past[row["symbol"]].append((row["session_date"], round(row["close"] * MICROS)))
    return replace(market, past=past)


def _plain(prices: pa.Table) -> pa.Table:
    """Return delivered rows with symbols as text, which can be sorted; files give dictionaries."""
    from pipelines.ingest.provider import PRICE_SCHEMA

    return prices.cast(PRICE_SCHEMA)


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
