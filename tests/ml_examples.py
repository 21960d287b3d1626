"""Made-up panels for the forecasting tests, with and without something to find in them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from ml.panel import RETURN_COLUMN, Panel
from ml.panel.feature_columns import CLOSE_COLUMN, columns_of
from ml.panel.features import SESSION_FEATURES, SYMBOL_FEATURES
from ml.rolling import Floats, trailing_mean
from pipelines.sessions import session_after, sessions_between

LAST_SESSION = dt.date(2022, 12, 28)
DAILY_VOLATILITY = 0.01
TREND_WINDOW = 21


def random_walk(sessions: int = 1000, symbols: int = 6, seed: int = 1) -> Floats:
    """Daily log returns without anything to find in them; the first row is missing."""
    generator = np.random.default_rng(seed)
    returns = generator.normal(0.0, DAILY_VOLATILITY, (sessions, symbols))
    returns[0] = np.nan
    return returns


def trending(sessions: int = 1000, symbols: int = 6, seed: int = 1) -> Floats:
    """Daily log returns around a mean that wanders slowly, an AR(1) of half-life 69 sessions."""
    generator = np.random.default_rng(seed)
    returns = random_walk(sessions, symbols, seed + 1)
    mean = np.zeros(symbols)
    for session in range(sessions):
        mean = 0.99 * mean + generator.normal(0.0, 0.1 * DAILY_VOLATILITY, symbols)
        returns[session] += mean
    return returns


def dates_of(sessions: int) -> list[dt.date]:
    """So many exchange sessions, the last one being ``LAST_SESSION``."""
    return sessions_between(session_after(LAST_SESSION, 1 - sessions), LAST_SESSION)


def panel_of(returns: Floats) -> Panel:
    """A panel with two features of symbols, the mean return of a month and noise, and one of
    sessions, noise."""
    generator = np.random.default_rng(99)
    noise = generator.normal(size=returns.shape)
    trend = trailing_mean(returns, TREND_WINDOW) / DAILY_VOLATILITY
    return Panel(
        sessions=np.array(dates_of(len(returns)), "datetime64[D]"),
        symbols=tuple(f"S{number:02d}" for number in range(returns.shape[1])),
        features=("trend", "noise"),
        values=np.stack([trend, noise], axis=-1).astype(np.float32),
        log_return_1d=returns,
        observed=np.ones(returns.shape, np.bool_),
        session_features=("economy",),
        session_values=generator.normal(size=(len(returns), 1)).astype(np.float32),
    )


def changed_after(panel: Panel, position: int) -> Panel:
    """The panel with everything after a position replaced by something else."""
    generator = np.random.default_rng(5)
    after = slice(position + 1, None)
    changed = {
        name: getattr(panel, name).copy() for name in ("values", "session_values", "log_return_1d")
    }
    for name, scale in (("values", 9.0), ("session_values", 9.0), ("log_return_1d", 0.2)):
        changed[name][after] = generator.normal(0.1, scale, changed[name][after].shape)
    return replace(panel, **changed)


def feature_table(returns: Floats, **changes: Any) -> pa.Table:
    """The columns of the warehouse that models read: past mean returns under the features' names.

    Columns of sessions stand in every row of theirs, as in the mart ``features``.
    """
    shape = returns.shape
    names = [f"S{number:02d}" for number in range(shape[1])]
    sessions, symbols = np.meshgrid(
        np.array(dates_of(shape[0]), "datetime64[D]"), names, indexing="ij"
    )
    columns: dict[str, Any] = {
        "symbol": pa.array(symbols.ravel().tolist()),
        "session_date": pa.array(sessions.ravel()).cast(pa.date32()),
    }
    for window, name in enumerate(columns_of(SYMBOL_FEATURES), start=2):
        # Rising on purpose in the mean: a logarithm is to be made of some.
        columns[name] = (0.01 + trailing_mean(returns, window)).ravel()
    columns[RETURN_COLUMN] = returns.ravel()
    columns[CLOSE_COLUMN] = 100 * np.exp(np.cumsum(np.nan_to_num(returns), axis=0)).ravel()
    for number, name in enumerate(columns_of(SESSION_FEATURES), start=1):
        columns[name] = np.repeat(_of_sessions(name, number, sessions[:, 0]), shape[1])
    return pa.table(columns | changes)


def session_table(table: pa.Table) -> pa.Table:
    """The rows of the mart ``session_features`` in a table of features."""
    names = ["session_date", *columns_of(SESSION_FEATURES)]
    grouped = table.group_by("session_date", use_threads=False)
    first = grouped.aggregate([(name, "first") for name in names[1:]])
    return first.rename_columns(names).sort_by("session_date")


def _of_sessions(name: str, number: int, dates: Sequence[Any]) -> Any:
    days = np.asarray(dates, "datetime64[D]").astype(np.int64)
    if name == "month":
        return np.asarray(dates, "datetime64[M]").astype(np.int64) % 12 + 1
    if name.startswith("is_"):
        return days % 5 == number % 5
    return 10 + np.sin(days / (10.0 * number))
