# ruff: noqa: ARG001 - a fault need not use all that its signature offers
"""Faults of time: bars that are missing, doubled, stale, shifted, too early or changed later."""

import datetime as dt

import numpy as np
import pandas as pd

from pipelines.ingest.simulated.faults.fault import (
    MATTERS,
    PRICES,
    Boundary,
    History,
    Place,
    SymbolFault,
    Truth,
    believed,
    changed,
    scaled,
)
from pipelines.sessions import sessions_between

_LONGEST_WEEKEND = 5


def _missing_sessions(history: History, at: int, severity: float) -> tuple[History, Truth]:
    until = at + int(severity)
    kept = history.bars.drop(history.bars.index[at:until])
    return believed(history.with_bars(kept)), history.truth(at, until - 1, "bars are missing")


def _silent(history: History, at: int, severity: float) -> tuple[History, Truth]:
    """Leave out the last bars up to a position, and all that come after."""
    first = at + 1 - int(severity)
    kept = history.bars.iloc[:first]
    return history.with_bars(kept), history.truth(first, at, "bars come no more")


def _duplicate(history: History, at: int, severity: float) -> tuple[History, Truth]:
    again = scaled(history.bars.iloc[[at]], slice(None), 1 + severity)
    bars = pd.concat([history.bars.iloc[: at + 1], again, history.bars.iloc[at + 1 :]])
    return history.with_bars(bars), history.truth(at, at, "two bars of a day contradict each other")


def _bar_repeated(history: History, at: int, severity: float) -> tuple[History, Truth]:
    before = history.bars.iloc[at - 1]
    values = {name: float(before[name]) for name in (*PRICES, "volume")}
    spoiled = history.with_bars(changed(history.bars, at, **values))
    return believed(spoiled), history.truth(at, at, "the bar is that of the session before")


def _standing(history: History, at: int, severity: float, *, flat: bool) -> tuple[History, Truth]:
    until = min(at + int(severity), len(history.bars))
    bars = history.bars.copy()
    close = history.close(at - 1)
    rows = bars.index[at:until]
    bars.loc[rows, "close"] = close
    if flat:
        bars.loc[rows, list(PRICES)] = close
    bars.loc[rows, "high"] = np.maximum(bars.loc[rows, "high"], close)
    bars.loc[rows, "low"] = np.minimum(bars.loc[rows, "low"], close)
    how = "the whole bar stands still" if flat else "the close stands still"
    return believed(history.with_bars(bars)), history.truth(at, until - 1, how)


def _stale_close(history: History, at: int, severity: float) -> tuple[History, Truth]:
    return _standing(history, at, severity, flat=False)


def _stale_bar(history: History, at: int, severity: float) -> tuple[History, Truth]:
    return _standing(history, at, severity, flat=True)


def _on_closed_day(history: History, at: int, severity: float) -> tuple[History, Truth]:
    """Add a bar on the first closed day after a position, a copy of the bar before it."""
    start = history.day(at)
    days = [start + dt.timedelta(days=ahead) for ahead in range(1, 3 * _LONGEST_WEEKEND)]
    closed = next(day for day in days if not sessions_between(day, day))
    extra = history.bars.iloc[[at]].assign(session_date=closed)
    bars = pd.concat([history.bars, extra]).sort_values("session_date", kind="stable")
    return history.with_bars(bars), Truth(
        history.symbol, closed, closed, "the exchange was closed on that day"
    )


def _future_bar(history: History, at: int, severity: float) -> tuple[History, Truth]:
    newest = history.day(-1)
    day = sessions_between(newest, newest + dt.timedelta(days=2 * _LONGEST_WEEKEND))[3]
    bars = pd.concat([history.bars, history.bars.iloc[[-1]].assign(session_date=day)])
    return history.with_bars(bars), Truth(history.symbol, day, day, "the session is still to come")


def _time_zone_shift(history: History, at: int, severity: float) -> tuple[History, Truth]:
    """Date bars by the day in another time zone: all are a calendar day early."""
    bars = history.bars.copy()
    shifted = [day - dt.timedelta(days=1) for day in bars["session_date"].iloc[at:]]
    bars["session_date"] = [*bars["session_date"].iloc[:at], *shifted]
    bars = bars.drop_duplicates("session_date", keep="last")
    truth = Truth(history.symbol, shifted[0], shifted[-1], "bars are dated a day early")
    return believed(history.with_bars(bars)), truth


def _session_shift(history: History, at: int, severity: float) -> tuple[History, Truth]:
    bars = history.bars.copy()
    columns = [*PRICES, "volume", "adjusted_return_1d"]
    bars.loc[bars.index[at:], columns] = history.bars[columns].shift(int(severity)).iloc[at:]
    how = "bars are dated sessions late"
    return believed(history.with_bars(bars)), history.truth(at, len(bars) - 1, how)


def _unfinished_bar(history: History, at: int, severity: float) -> tuple[History, Truth]:
    """Show the bar as it stood during the session; the next day's delivery has the whole one."""
    truth = history.truth(at, at, "the bar was taken before the close")
    if at < len(history.bars) - 1:
        return history, truth
    bar = history.bars.iloc[at]
    close = round(bar["open"] + severity * (bar["close"] - bar["open"]), 2)
    values = {
        "close": close,
        "high": max(bar["open"], close),
        "low": min(bar["open"], close),
        "volume": round(bar["volume"] * severity),
    }
    return believed(history.with_bars(changed(history.bars, at, **values))), truth


def _history_restated(history: History, at: int, severity: float) -> tuple[History, Truth]:
    """Once later bars are there, deliver all up to a position at another level."""
    truth = history.truth(0, at, "bars delivered before were changed")
    if at == len(history.bars) - 1:
        return history, truth
    return history.with_bars(scaled(history.bars, slice(0, at + 1), 1 - severity)), truth


def _bar_restated(history: History, at: int, severity: float) -> tuple[History, Truth]:
    """Once later bars are there, change one that was delivered before."""
    past = at - 20
    truth = history.truth(past, past, "a bar delivered before was changed")
    if at == len(history.bars) - 1:
        return history, truth
    return history.with_bars(scaled(history.bars, slice(past, past + 1), 1 + severity)), truth


def _level_shift(history: History, at: int, severity: float) -> tuple[History, Truth]:
    factor = 1 + severity if at % 2 else 1 / (1 + severity)
    spoiled = history.with_bars(scaled(history.bars, slice(at, None), factor))
    how = "from here on prices are in another currency"
    return believed(spoiled), history.truth(at, at, how)


def _ticker_reuse(history: History, at: int, severity: float) -> tuple[History, Truth]:
    back = at + int(severity)
    resumed = history.day(min(back, len(history.bars) - 1))
    theirs = history.other[history.other["session_date"] >= resumed]
    theirs = theirs.assign(symbol=history.symbol)
    bars = pd.concat([history.bars.iloc[:at], theirs], ignore_index=True)
    how = "after a hole another company trades under the symbol"
    truth = Truth(history.symbol, resumed, resumed, how)
    return believed(history.with_bars(bars)), truth


_P = Boundary.PRICES
_SESSIONS = "sessions"
TIMING_FAULTS = (
    SymbolFault(
        "symbol_silent",
        _P,
        "no bars any more",
        _silent,
        (1, 5, 21),
        _SESSIONS,
        place=Place.NEWEST,
    ),
    SymbolFault(
        "missing_sessions",
        _P,
        "no bars for a while",
        _missing_sessions,
        (1, 2, 5, 21),
        _SESSIONS,
        place=Place.ENDS_BEFORE_NEWEST,
    ),
    SymbolFault(
        "duplicate_day",
        _P,
        "two contradicting bars of one day",
        _duplicate,
        (0.001, 0.01, MATTERS, 0.1),
        "relative difference of the two",
        MATTERS,
    ),
    SymbolFault("bar_repeated", _P, "the bar of the session before again", _bar_repeated),
    SymbolFault(
        "stale_close",
        _P,
        "the close stands still, while the range and the volume go on",
        _stale_close,
        (1, 2, 3, 5, 10, 21),
        _SESSIONS,
        2,
    ),
    SymbolFault(
        "stale_bar",
        _P,
        "all prices stand still, while the volume goes on",
        _stale_bar,
        (1, 2, 3, 5, 10, 21),
        _SESSIONS,
        2,
    ),
    SymbolFault("closed_day_bar", _P, "a bar on a weekend or holiday", _on_closed_day),
    SymbolFault(
        "future_bar", _P, "a bar of a session still to come", _future_bar, place=Place.NEWEST
    ),
    SymbolFault("time_zone_shift", _P, "bars dated by another time zone", _time_zone_shift),
    SymbolFault(
        "session_shift", _P, "bars dated sessions late", _session_shift, (1, 2, 5), _SESSIONS
    ),
    SymbolFault(
        "unfinished_bar",
        _P,
        "a bar taken before the close",
        _unfinished_bar,
        (0.25, 0.5, 0.9),
        "share of the session that was over",
        0.25,
        Place.NEWEST,
    ),
    SymbolFault(
        "history_restated",
        _P,
        "all bars delivered before come at another level",
        _history_restated,
        (0.001, 0.01, MATTERS, 0.1),
        "relative change",
        MATTERS,
        Place.NEWEST,
    ),
    SymbolFault(
        "bar_restated",
        _P,
        "one bar delivered before comes with other prices",
        _bar_restated,
        (0.001, 0.01, MATTERS, 0.1),
        "relative change",
        MATTERS,
        Place.NEWEST,
    ),
    SymbolFault(
        "level_shift",
        _P,
        "prices in another currency from a day on",
        _level_shift,
        (0.01, MATTERS, 0.05, 0.1, 0.3, 1.0),
        "relative change of the level",
        MATTERS,
    ),
    SymbolFault(
        "ticker_reuse",
        _P,
        "another company under the symbol after a hole",
        _ticker_reuse,
        (5, 21, 63, 252),
        "sessions without a bar",
        5,
    ),
)
