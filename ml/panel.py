"""The feature file as dense arrays: sessions x symbols x features."""

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.errors import PanelError
from ml.rolling import Floats, forward_sum, trailing_mean

RETURN_COLUMN = "log_return_1d"
"""The feature from which labels, trends and volatility are made."""

LARGEST_LOG_RETURN = 8.0
VOLATILITY_WINDOW_SESSIONS = 63
LEAST_DAILY_VOLATILITY = 1e-5


@dataclass(frozen=True)
class Panel:
    """Features of all symbols on a common axis of sessions.

    Attributes
    ----------
    sessions : dates, ascending, shape (sessions,), unit day.
    symbols : sorted names.
    features : names of the last axis of ``values``.
    values : float32, shape (sessions, symbols, features); NaN is missing, never infinite.
    log_return_1d : float64, shape (sessions, symbols); log return since the symbol's row before.
    observed : whether the symbol has a row for the session, shape (sessions, symbols).
    """

    sessions: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    features: tuple[str, ...]
    values: NDArray[np.float32]
    log_return_1d: Floats
    observed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sessions)

    def until(self, session: dt.date) -> "Panel":
        """Return the panel without anything after the session."""
        end = int(np.searchsorted(self.sessions, np.datetime64(session, "D"), side="right"))
        return replace(
            self,
            sessions=self.sessions[:end],
            values=self.values[:end],
            log_return_1d=self.log_return_1d[:end],
            observed=self.observed[:end],
        )

    def of_symbols(self, symbols: tuple[str, ...]) -> "Panel":
        """Return the panel with these symbols, in this order; unknown ones are never observed."""
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

    def session(self, index: int) -> dt.date:
        """Return the date of a position on the session axis."""
        date: dt.date = self.sessions[index].astype(object)
        return date

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
        mean_square = trailing_mean(np.square(self.log_return_1d), VOLATILITY_WINDOW_SESSIONS)
        volatility = np.sqrt(mean_square)
        usable = self.observed & (volatility >= LEAST_DAILY_VOLATILITY)
        return np.where(usable, volatility, np.nan)


def read_panel(path: Path, features: tuple[str, ...], through: dt.date | None = None) -> Panel:
    """Read the feature file into a panel, cut at a session.

    Infinite values count as missing: they say no more than that a division failed.

    Parameters
    ----------
    path : Parquet file, one row per symbol and session.
    features : columns that become the panel's features, in this order.
    through : last session that may be read; all of them if left out.

    Raises
    ------
    PanelError
        The file is missing or truncated, lacks a column, has two rows for one symbol and session,
        has no row at all, or holds an impossible daily return.
    """
    table = _read_table(path, features)
    if through is not None:
        table = table.filter(pc.less_equal(table["session_date"], pa.scalar(through, pa.date32())))
    return panel_from_table(table, features, path.name)


def panel_from_table(table: pa.Table, features: tuple[str, ...], origin: str) -> Panel:
    """Return the panel of a table with one row per symbol and session, in any order.

    Parameters
    ----------
    table : columns ``symbol``, ``session_date`` and the features.
    features : columns that become the panel's features, in this order.
    origin : where the table comes from, for messages.

    Raises
    ------
    PanelError
        As :func:`read_panel`.
    """
    remedy = "Rebuild the warehouse; the key of its features is (symbol, session_date)."
    if table.num_rows == 0:
        raise PanelError("features", origin, "there is no row", remedy)
    sessions, at_session = np.unique(
        table["session_date"].to_numpy().astype("datetime64[D]"), return_inverse=True
    )
    symbols, at_symbol = np.unique(
        np.asarray(table["symbol"].to_pylist(), dtype=np.str_), return_inverse=True
    )
    observed = np.zeros((len(sessions), len(symbols)), np.bool_)
    observed[at_session, at_symbol] = True
    if repeated := table.num_rows - int(observed.sum()):
        raise PanelError("features", origin, f"{repeated} rows repeat a symbol and session", remedy)

    def spread(column: str) -> Floats:
        dense = np.full(observed.shape, np.nan)
        dense[at_session, at_symbol] = table[column].to_numpy()
        dense[~np.isfinite(dense)] = np.nan
        return dense

    values = np.empty((*observed.shape, len(features)), np.float32)
    for index, feature in enumerate(features):
        values[..., index] = spread(feature)
    panel = Panel(
        sessions=sessions,
        symbols=tuple(str(symbol) for symbol in symbols),
        features=features,
        values=values,
        log_return_1d=spread(RETURN_COLUMN),
        observed=observed,
    )
    _require_possible_returns(panel, origin)
    return panel


def _read_table(path: Path, features: tuple[str, ...]) -> pa.Table:
    remedy = "Rebuild the warehouse: smartinvest transform."
    try:
        available = pq.read_schema(path).names
        wanted = list(dict.fromkeys(("symbol", "session_date", RETURN_COLUMN, *features)))
        missing = [column for column in wanted if column not in available]
        if missing:
            raise PanelError("feature file", path, f"it lacks the columns {missing}", remedy)
        table = pq.read_table(path, columns=wanted)
    except FileNotFoundError:
        raise PanelError("feature file", path, "there is no such file", remedy) from None
    except (pa.ArrowInvalid, OSError) as error:
        raise PanelError("feature file", path, f"it cannot be read ({error})", remedy) from error
    numbers = [name for name in wanted if name not in ("symbol", "session_date")]
    types = [pa.string(), pa.date32(), *(pa.float64() for _ in numbers)]
    return table.select(["symbol", "session_date", *numbers]).cast(
        pa.schema(zip(["symbol", "session_date", *numbers], types, strict=True))
    )


def _require_possible_returns(panel: Panel, origin: str) -> None:
    impossible = np.argwhere(np.abs(panel.log_return_1d) > LARGEST_LOG_RETURN)
    if len(impossible):
        row, column = impossible[0]
        raise PanelError(
            f"{RETURN_COLUMN} of {panel.symbols[column]} on {panel.session(row)} in {origin}",
            panel.log_return_1d[row, column],
            f"a log return beyond {LARGEST_LOG_RETURN} in a day is an error of the data",
            "Quarantine the price and rebuild the warehouse.",
        )
