"""What a fault is: a named way in which deliveries go wrong, as a pure function with its truth.

**When a fault matters.** It moves a portfolio by 10 basis points when one of twenty equally
weighted holdings is valued, or its return is measured, 2 % wrong. So for a relative error of a
price or a return the severity that counts is 0.02. A missing or a standing price is wrong by what
the market did meanwhile: a stock's usual move is 1.5 to 2 % per session, so one missing session
counts, and two that stand still. A wrong number of an action counts by the return it pretends. A
fault without a ladder is larger than that by nature, or breaks what a portfolio rests on.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from models.vocabulary import ActionKind

PRICES = ("open", "high", "low", "close")
MATTERS = 0.02
"""Relative error of one price in twenty that moves their portfolio by 10 basis points."""


class Boundary(StrEnum):
    """Where a fault enters."""

    PRICES = "prices"
    ACTIONS = "actions"
    MACRO = "macro"
    INSTRUMENTS = "instruments"
    UNIVERSE = "universe"
    FILES = "files"


class Place(StrEnum):
    """Which bar of a history a fault is put on."""

    MIDDLE = "middle"
    NEWEST = "newest"
    ENDS_BEFORE_NEWEST = "ends_before_newest"


@dataclass(frozen=True)
class Truth:
    """What is wrong with a spoiled delivery.

    ``thing`` is a symbol, a series or a file; ``first`` and ``last`` are the dates of the wrong,
    missing or surplus rows, both included.
    """

    thing: str
    first: dt.date
    last: dt.date
    how: str


@dataclass(frozen=True)
class History:
    """One symbol as its source knows it up to the day of an ingest.

    ``bars`` are rows of ``PRICE_SCHEMA`` and ``actions`` of ``ACTION_SCHEMA`` in order of session;
    ``other`` are the bars of another symbol, for faults that mix two up.
    """

    symbol: str
    bars: pd.DataFrame
    actions: pd.DataFrame
    other: pd.DataFrame

    def day(self, at: int) -> dt.date:
        """Return the session of the bar at a position."""
        day: dt.date = self.bars["session_date"].iloc[at]
        return day

    def truth(self, first: int, last: int, how: str) -> Truth:
        """Return the truth that the bars between two positions are wrong."""
        return Truth(self.symbol, self.day(first), self.day(min(last, len(self.bars) - 1)), how)

    def with_bars(self, bars: pd.DataFrame) -> "History":
        """Return it with other bars."""
        return replace(self, bars=bars)

    def with_action(self, at: int, kind: ActionKind, amount: float) -> "History":
        """Return it with one more action, on the session at a position."""
        row = {"symbol": self.symbol, "session_date": self.day(at), "kind": kind, "amount": amount}
        actions = pd.concat([self.actions, pd.DataFrame([row])], ignore_index=True)
        return replace(self, actions=actions)

    def close(self, at: int) -> float:
        """Return the close at a position."""
        return float(self.bars["close"].iloc[at])


Spoil = Callable[[History, int, float], tuple[History, Truth]]
"""Spoils a history at the position of a bar, with a severity."""


TableSpoil = Callable[[pd.DataFrame, int, float], tuple[pd.DataFrame, Truth]]
"""Spoils the row at a position of a macro, instrument or universe table."""

FileSpoil = Callable[[bytes, float], bytes]
"""Spoils the bytes of one symbol's CSV file."""


SpoilT = TypeVar("SpoilT")


@dataclass(frozen=True)
class Fault(Generic[SpoilT]):
    """A named fault.

    Parameters
    ----------
    ladder : severities to try, ascending; one of 1 where it has no degrees.
    unit : what a severity counts.
    matters_from : the severity from which it moves a portfolio by 10 basis points.
    place : where a plan puts it: some faults are about the newest bar of an ingest, or about what
        a later ingest changes, or are only seen while they are recent.
    """

    name: str
    boundary: Boundary
    meaning: str
    spoil: SpoilT
    ladder: tuple[float, ...] = (1.0,)
    unit: str = ""
    matters_from: float = 1.0
    place: Place = Place.MIDDLE


SymbolFault = Fault[Spoil]
TableFault = Fault[TableSpoil]
FileFault = Fault[FileSpoil]


def scaled(bars: pd.DataFrame, rows: slice, factor: float) -> pd.DataFrame:
    """Return the bars with the prices of some rows multiplied, to hundredths of a cent."""
    bars = bars.copy()
    where, columns = bars.index[rows], list(PRICES)
    bars.loc[where, columns] = (bars.loc[where, columns] * factor).round(4)
    return bars


def changed(bars: pd.DataFrame, at: int, **values: float | None) -> pd.DataFrame:
    """Return the bars with some values of one row replaced."""
    bars = bars.copy()
    for name, value in values.items():
        bars.loc[bars.index[at], name] = value
    return bars


def believed(history: History) -> History:
    """Return it with the adjusted returns of a source that believes its own bars and actions."""
    bars = history.bars.copy()
    actions = history.actions
    day = bars["session_date"]
    is_split = actions["kind"] == ActionKind.SPLIT
    ratio = actions[is_split].groupby("session_date")["amount"].prod()
    cash = actions[~is_split].groupby("session_date")["amount"].sum()
    shares = day.map(ratio).fillna(1.0).astype(float)
    before = bars["close"].shift(1) - shares * day.map(cash).fillna(0.0).astype(float)
    returns = (bars["close"] * shares / before - 1).round(6).replace([np.inf, -np.inf], np.nan)
    returns.iloc[0] = bars["adjusted_return_1d"].iloc[0]
    return history.with_bars(bars.assign(adjusted_return_1d=returns))


def gone_ex(history: History, at: int, factor: float) -> History:
    """Return it with all prices, and payments, from a position on multiplied by a factor.

    This is what a split or a dividend does to as-traded prices; the adjusted returns stay.
    """
    bars = scaled(history.bars, slice(at, None), factor)
    actions = history.actions.copy()
    later = (actions["session_date"] > history.day(at)) & (actions["kind"] != ActionKind.SPLIT)
    actions.loc[later, "amount"] *= factor
    return replace(history, bars=bars, actions=actions)
