"""Features of all symbols as dense arrays: sessions x symbols x features."""

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.errors import PanelError
from ml.rolling import Floats, expanding_mean, forward_sum, root_mean_square

RETURN_COLUMN = "log_return_1d"
"""The feature from which labels, trends and volatility are made."""

VOLATILITY_WINDOW_SESSIONS = 63
LEAST_DAILY_VOLATILITY = 1e-5
LEAST_HISTORY_SESSIONS = 252
"""Returns that a symbol's mean so far is first made of."""


def date_of(session: np.datetime64) -> dt.date:
    """Return a session of the axis, unit day, as a date."""
    date: dt.date = session.astype(object)
    return date


@dataclass(frozen=True)
class Panel:
    """Features of all symbols on a common axis of sessions.

    Attributes
    ----------
    sessions : dates, ascending, shape (sessions,), unit day.
    symbols : sorted names.
    features : names of the last axis of ``values``.
    values : float32, shape (sessions from ``features_start`` on, symbols, features); NaN is
        missing, never infinite. Read it by :meth:`values_at`.
    log_return_1d : float64, shape (sessions, symbols); log return since the symbol's row before.
    observed : whether the symbol has a row for the session, shape (sessions, symbols).
    session_features : names of the last axis of ``session_values``.
    session_values : float32, shape (sessions, session features); what all symbols of a session
        share: the economy and the calendar, as known then; NaN is missing.
    features_start : position of the first session whose ``values`` are there. Returns of all
        sessions are, so that a forecast for the last one needs not hold the features of all.
    """

    sessions: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    features: tuple[str, ...]
    values: NDArray[np.float32]
    log_return_1d: Floats
    observed: NDArray[np.bool_]
    session_features: tuple[str, ...]
    session_values: NDArray[np.float32]
    features_start: int = 0

    def __len__(self) -> int:
        return len(self.sessions)

    def until(self, session: dt.date) -> "Panel":
        """Return the panel without anything after the session."""
        end = int(np.searchsorted(self.sessions, np.datetime64(session, "D"), side="right"))
        return replace(
            self,
            sessions=self.sessions[:end],
            values=self.values[: max(0, end - self.features_start)],
            log_return_1d=self.log_return_1d[:end],
            observed=self.observed[:end],
            session_values=self.session_values[:end],
            features_start=min(self.features_start, end),
        )

    def of_symbols(self, symbols: tuple[str, ...]) -> "Panel":
        """Return the panel with these symbols, in this order; unknown ones are never observed."""
        if symbols == self.symbols:
            return self
        known = {symbol: column for column, symbol in enumerate(self.symbols)}
        columns = np.array([known.get(symbol, 0) for symbol in symbols], np.int64)
        absent = np.array([symbol not in known for symbol in symbols], np.bool_)
        return replace(
            self,
            symbols=symbols,
            values=np.where(absent[:, None], np.float32(np.nan), self.values[:, columns]),
            log_return_1d=np.where(absent, np.nan, self.log_return_1d[:, columns]),
            observed=self.observed[:, columns] & ~absent,
        )

    def values_at(self, sessions: range) -> NDArray[np.float32]:
        """Return the features of positions of the session axis, (sessions, symbols, features).

        Raises
        ------
        PanelError
            Features of some of them were not read.
        """
        if sessions.start < self.features_start:
            raise PanelError(
                "first session of the panel's features",
                self.features_start,
                f"those from position {sessions.start} on are needed",
                "Read the panel with features since an earlier session.",
            )
        return self.values[
            sessions.start - self.features_start : sessions.stop - self.features_start
        ]

    def session(self, index: int) -> dt.date:
        """Return the date of a position on the session axis."""
        return date_of(self.sessions[index])

    def forward_log_return(self, horizon_sessions: int) -> Floats:
        """Return the labels: log return from each session to ``horizon_sessions`` later.

        Shape (sessions, symbols); NaN where the symbol has no row at either end or lacks more than
        20 % of the rows between, so also for the last ``horizon_sessions`` sessions.
        """
        ahead = forward_sum(self.log_return_1d, horizon_sessions)
        return np.where(self.observed, ahead, np.nan)

    @cached_property
    def daily_volatility(self) -> Floats:
        """Root mean square daily log return over the last 63 sessions, (sessions, symbols).

        NaN where less than 80 % of the window is observed, where the symbol has no row at the
        session, or where the price does not move (below 0.001 % a day).
        """
        volatility = root_mean_square(self.log_return_1d, VOLATILITY_WINDOW_SESSIONS)
        volatility[~(self.observed & (volatility >= LEAST_DAILY_VOLATILITY))] = np.nan
        return volatility

    @cached_property
    def mean_log_return(self) -> Floats:
        """Mean daily log return since the symbol's first session, (sessions, symbols).

        NaN before 252 observed returns, or where the symbol has no row at the session.
        """
        mean = expanding_mean(self.log_return_1d, LEAST_HISTORY_SESSIONS)
        mean[~self.observed] = np.nan
        return mean
