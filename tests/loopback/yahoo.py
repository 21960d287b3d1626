"""Yahoo Finance in its wire format: charts of made-up symbols, cookies, crumbs, consent pages.

A ``Listing`` says what was traded and paid. The site tells it as Yahoo does: in single precision,
divided by every split until its own today, with an adjusted close, and with a bar of today that
is not finished yet.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from pipelines.sessions import calendar, sessions_between

from .internet import Reply, Request, Site

NEW_YORK = ZoneInfo("America/New_York")
CRUMB = "made.up/crumb"
HOSTS = (
    "query1.finance.yahoo.com",
    "query2.finance.yahoo.com",
    "finance.yahoo.com",
    "fc.yahoo.com",
    "guce.yahoo.com",
    "consent.yahoo.com",
)

Answer = dict[str, Any]
Spoiler = Callable[[Answer], Reply]


@dataclass
class Bar:
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass
class Listing:
    """The truth about a symbol: bars as they traded, cash as it was paid, splits as (new, old)."""

    symbol: str
    bars: dict[dt.date, Bar]
    splits: dict[dt.date, tuple[int, int]] = field(default_factory=dict)
    dividends: dict[dt.date, float] = field(default_factory=dict)
    capital_gains: dict[dt.date, float] = field(default_factory=dict)
    currency: str = "USD"
    unapplied: set[dt.date] = field(default_factory=set)

    def split(self, day: dt.date, new: int, old: int) -> None:
        """Split shares: from that day on as many more trade, for as much less each."""
        self.splits[day] = (new, old)
        for traded in (bar for when, bar in self.bars.items() if when >= day):
            for name in ("open", "high", "low", "close"):
                setattr(traded, name, round(getattr(traded, name) * old / new, 2))
            traded.volume = float(round(traded.volume * new / old))


def listing(symbol: str, first: dt.date, last: dt.date, seed: int) -> Listing:
    """Make up a symbol that trades in cents on every session."""
    chance = np.random.default_rng(seed)
    days = sessions_between(first, last)
    closes = np.round(80 * np.exp(np.cumsum(chance.normal(0, 0.012, len(days)))), 2)
    bars = {}
    for day, close, spread in zip(days, closes, chance.uniform(0.1, 0.9, len(days)), strict=True):
        low, high = round(close - spread, 2), round(close + spread, 2)
        opened = round(float(chance.uniform(low, high)), 2)
        volume = float(chance.integers(100_000, 5_000_000))
        bars[day] = Bar(opened, high, low, float(close), volume)
    return Listing(symbol, bars)


class Yahoo:
    """All of Yahoo's hosts. ``spoil`` decides what happens to the next answers for a symbol."""

    def __init__(self, listings: list[Listing], now: dt.datetime) -> None:
        self.listings = {one.symbol: one for one in listings}
        self.now = now
        self.crumb = Reply(body=CRUMB.encode(), content_type="text/plain")
        self.gives_cookie = True
        self.cookie = "A3=made-up; Domain=.yahoo.com; Path=/; Max-Age=86400; Secure"
        self._spoilers: dict[str, Iterator[Spoiler | None]] = {}

    def sites(self) -> dict[str, Site]:
        return dict.fromkeys(HOSTS, self._answer)

    def spoil(self, symbol: str, spoilers: Iterator[Spoiler | None]) -> None:
        """Spoil the next answers for a symbol, one spoiler each; None leaves one as it is.

        yfinance repeats a request itself when the status is 400 or more, so such a spoiler is
        needed twice to be noticed.
        """
        self._spoilers[symbol] = spoilers

    def _answer(self, request: Request) -> Reply:
        match request.host, request.path:
            case "fc.yahoo.com", _:
                headers = (("Set-Cookie", self.cookie),) if self.gives_cookie else ()
                return Reply(404, headers=headers, content_type="text/html")
            case _, "/v1/test/getcrumb":
                return self.crumb
            case "query2.finance.yahoo.com", path if path.startswith("/v8/finance/chart/"):
                return self._chart(path.rpartition("/")[2].replace("%5E", "^"), request)
            case "guce.yahoo.com", "/consent":
                fields = "".join(
                    f'<input name="{name}" value="made-up">' for name in ("csrfToken", "sessionId")
                )
                return Reply(body=f"<form>{fields}</form>".encode(), content_type="text/html")
            case ("guce.yahoo.com", "/copyConsent") | ("consent.yahoo.com", "/v2/collectConsent"):
                return Reply(content_type="text/html")
            case _:
                return Reply(404, b"<html>nothing here</html>", "text/html")

    def _chart(self, symbol: str, request: Request) -> Reply:
        first, until = (
            dt.datetime.fromtimestamp(int(request.query[name]), dt.UTC)
            for name in ("period1", "period2")
        )
        known = self.listings.get(symbol)
        answer = unknown_symbol() if known is None else chart(known, first, until, self.now)
        spoiler = next(self._spoilers.get(symbol, iter(())), None)
        if spoiler is not None:
            return spoiler(answer)
        return Reply(404 if known is None else 200, json.dumps(answer).encode())


def unknown_symbol() -> Answer:
    text = "No data found, symbol may be delisted"
    return {"chart": {"result": None, "error": {"code": "Not Found", "description": text}}}


def chart(known: Listing, first: dt.datetime, until: dt.datetime, now: dt.datetime) -> Answer:
    """Tell what a listing did, as Yahoo would at some moment."""
    minor = 100 if known.currency == "GBp" else 1
    days = [day for day in sorted(known.bars) if first <= opening(day) < min(until, now)]
    factors = np.array([split_factor(known, day, now) for day in days])
    columns = {
        name: _single([getattr(known.bars[day], name) * minor for day in days] / factors)
        for name in ("open", "high", "low", "close")
    }
    volumes = np.round([known.bars[day].volume for day in days] * factors)
    return {
        "chart": {
            "result": [
                {
                    "meta": {
                        "currency": known.currency,
                        "symbol": known.symbol,
                        "instrumentType": "ETF",
                        "exchangeTimezoneName": NEW_YORK.key,
                        "dataGranularity": "1d",
                        "range": "",
                    },
                    "timestamp": [int(_stamp(day, now).timestamp()) for day in days],
                    "events": _events(known, first, until, now),
                    "indicators": {
                        "quote": [columns | {"volume": [int(volume) for volume in volumes]}],
                        "adjclose": [{"adjclose": _adjusted(known, days, columns["close"], now)}],
                    },
                }
            ],
            "error": None,
        }
    }


@cache
def opening(day: dt.date) -> dt.datetime:
    return calendar().session_open(str(day)).to_pydatetime()


def split_factor(known: Listing, day: dt.date, now: dt.datetime) -> float:
    """Return by what Yahoo divides a day's prices: the splits after it until now."""
    later = [
        new / old
        for ex_date, (new, old) in known.splits.items()
        if day < ex_date and opening(ex_date) <= now and ex_date not in known.unapplied
    ]
    return float(np.prod(later))


def _stamp(day: dt.date, now: dt.datetime) -> dt.datetime:
    """Return a bar's time: its opening, or the last trade while the session goes on."""
    close = calendar().session_close(str(day)).to_pydatetime()
    return now if opening(day) <= now < close else opening(day)


def _single(values: Any) -> list[float]:
    return [float(value) for value in np.asarray(values, dtype=np.float32)]


def _adjusted(
    known: Listing, days: list[dt.date], closes: list[float], now: dt.datetime
) -> list[float]:
    """Return closes less the distributions after them: the method of CRSP, as Yahoo uses it."""
    factor, adjusted = 1.0, []
    minor = 100 if known.currency == "GBp" else 1
    for position in reversed(range(len(days))):
        adjusted.append(closes[position] * factor)
        day = days[position]
        cash = known.dividends.get(day, 0.0) + known.capital_gains.get(day, 0.0)
        if cash and position:
            paid = cash * minor / split_factor(known, day, now)
            factor *= 1 - paid / closes[position - 1]
    return _single(adjusted[::-1])


def _events(known: Listing, first: dt.datetime, until: dt.datetime, now: dt.datetime) -> Answer:
    def within(day: dt.date) -> bool:
        return first <= opening(day) < until and opening(day) <= now

    def stamp(day: dt.date) -> int:
        return int(opening(day).timestamp())

    minor = 100 if known.currency == "GBp" else 1
    events: Answer = {}
    for name, cash in (("dividends", known.dividends), ("capitalGains", known.capital_gains)):
        told = {
            str(stamp(day)): {
                "amount": round(amount * minor / split_factor(known, day, now), 6),
                "date": stamp(day),
            }
            for day, amount in cash.items()
            if within(day)
        }
        if told:
            events[name] = told
    splits = {
        str(stamp(day)): {
            "date": stamp(day),
            "numerator": float(new),
            "denominator": float(old),
            "splitRatio": f"{new}:{old}",
        }
        for day, (new, old) in known.splits.items()
        if within(day)
    }
    return events | ({"splits": splits} if splits else {})
