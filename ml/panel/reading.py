"""Read the warehouse's panel and session features into dense arrays: one part at a time."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.errors import PanelError
from ml.panel import RETURN_COLUMN, Panel
from ml.panel.arrays import InfiniteCount, PanelArrays, of_rows
from ml.panel.feature_columns import columns_of, feature_values
from ml.panel.features import SESSION_FEATURES, SYMBOL_FEATURES, Feature
from ml.panel.keys import (
    Days,
    PartKeys,
    Reader,
    day_number,
    days_of,
    distinct,
    positions_in,
)
from ml.rolling import LARGEST_VALUE

LARGEST_LOG_RETURN = LARGEST_VALUE**0.5
"""Squares of returns are summed."""

_REMEDY = "Rebuild the warehouse: smartinvest transform."


def read_panel(
    folder: Path,
    session_file: Path,
    *,
    through: dt.date | None = None,
    features_since: dt.date | None = None,
    features: tuple[Feature, ...] = SYMBOL_FEATURES,
    session_features: tuple[Feature, ...] = SESSION_FEATURES,
) -> Panel:
    """Read the parts of a panel, and what its sessions share, cut at a session.

    Infinite values count as missing, which the log says. Beside the dense arrays, one part is held
    at a time, and of it the columns asked for.

    Parameters
    ----------
    folder : Parquet files, together one row per symbol and session, in any order.
    session_file : Parquet file with one row per session; sessions that it lacks have no features.
    through : last session that may be read; all of them if left out.
    features_since : first session whose features are read; all of them if left out. Returns of
        earlier ones are read all the same.
    features, session_features : what becomes the panel's features, in this order.

    Raises
    ------
    PanelError
        There is no file, one is truncated or lacks a column, there are two rows for one symbol and
        session or for one session, no row at all, or an impossible daily return.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise PanelError("panel", folder, "it has no file", _REMEDY)
    shared = _read_part(session_file, ["session_date", *columns_of(session_features)])
    if len(distinct(days_of(shared))) < shared.num_rows:
        raise PanelError("session features", session_file, "a session has two rows", _REMEDY)
    parts = [partial(_read_part, file) for file in files]
    origin = folder.name
    return _panel(parts, origin, through, features_since, features, session_features, shared)


def panel_from_table(
    table: pa.Table,
    origin: str,
    features: tuple[Feature, ...] = SYMBOL_FEATURES,
    session_features: tuple[Feature, ...] = SESSION_FEATURES,
) -> Panel:
    """Return the panel of a table with one row per symbol and session, in any order.

    Parameters
    ----------
    table : columns ``symbol``, ``session_date`` and those of the features; what sessions share is
        the same in all rows of a session.
    origin : where the table comes from, for messages.
    features, session_features : what becomes the panel's features, in this order.

    Raises
    ------
    PanelError
        As :func:`read_panel`; or rows of a session do not agree on what it shares.
    """

    def part(columns: Sequence[str]) -> pa.Table:
        _require_columns("rows", origin, table.column_names, columns)
        return table.select(list(columns))

    shared = part(["session_date", *columns_of(session_features)])
    return _panel([part], origin, None, None, features, session_features, shared)


def _panel(
    parts: Sequence[Reader],
    origin: str,
    through: dt.date | None,
    features_since: dt.date | None,
    features: tuple[Feature, ...],
    session_features: tuple[Feature, ...],
    shared: pa.Table,
) -> Panel:
    keys = [PartKeys.read(part, through) for part in parts]
    symbols = np.unique(np.concatenate([key.names for key in keys]))
    if len(symbols) == 0:
        raise PanelError("features", origin, "there is no row", _REMEDY)
    days = np.unique(np.concatenate([distinct(key.days) for key in keys]))
    start = 0
    if features_since is not None:
        start = int(np.searchsorted(days, day_number(features_since)))
    infinite = InfiniteCount()
    arrays = PanelArrays.empty(len(days), len(symbols), start, len(features))
    for part, key in zip(parts, keys, strict=True):
        arrays.fill(part, key, key.positions(days, symbols), features, infinite)
    if repeated := sum(len(key) for key in keys) - int(arrays.observed.sum()):
        raise PanelError(
            "features", origin, f"{repeated} rows repeat a symbol and session", _REMEDY
        )
    panel = Panel(
        sessions=days.astype("datetime64[D]"),
        symbols=tuple(str(symbol) for symbol in symbols),
        features=tuple(feature.name for feature in features),
        values=arrays.values,
        log_return_1d=arrays.log_return_1d,
        observed=arrays.observed,
        session_features=tuple(feature.name for feature in session_features),
        session_values=_session_values(session_features, shared, days, origin, infinite),
        features_start=start,
    )
    if arrays.largest_return > LARGEST_LOG_RETURN:
        raise _impossible_return(panel, origin)
    infinite.tell(origin)
    return panel


def _session_values(
    features: tuple[Feature, ...],
    rows: pa.Table,
    days: Days,
    origin: str,
    infinite: InfiniteCount,
) -> NDArray[np.float32]:
    """Return what sessions share, (sessions, features)."""
    sessions = positions_in(days, days_of(rows))
    values = feature_values(features, of_rows(rows, sessions >= 0), infinite.add)
    sessions = sessions[sessions >= 0]
    shared = np.full((len(days), len(features)), np.nan, np.float32)
    shared[sessions] = values
    differs = ~np.isclose(shared[sessions], values, rtol=0, atol=0, equal_nan=True)
    if differs.any():
        row, column = np.argwhere(differs)[0]
        raise PanelError(
            f"{features[column].column} of {np.datetime64(int(days[sessions[row]]), 'D')}",
            values[row, column],
            f"other rows of that session in {origin} say {shared[sessions[row], column]}",
            "All symbols of a session share it.",
        )
    return shared


def _read_part(file: Path, columns: Sequence[str]) -> pa.Table:
    try:
        metadata = pq.read_metadata(file)
        _require_columns("panel file", file, metadata.schema.names, columns)
        text = ["symbol"] if "symbol" in columns else []
        with pq.ParquetFile(file, metadata=metadata, read_dictionary=text) as part:
            return part.read(columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise PanelError("panel file", file, f"it cannot be read ({error})", _REMEDY) from error


def _require_columns(
    thing: str, origin: object, there: Sequence[str], columns: Sequence[str]
) -> None:
    missing = [name for name in columns if name not in there]
    if missing:
        raise PanelError(thing, origin, f"it lacks the columns {missing}", _REMEDY)


def _impossible_return(panel: Panel, origin: str) -> PanelError:
    row, column = np.argwhere(np.abs(panel.log_return_1d) > LARGEST_LOG_RETURN)[0]
    return PanelError(
        f"{RETURN_COLUMN} of {panel.symbols[column]} on {panel.session(row)} in {origin}",
        panel.log_return_1d[row, column],
        f"a log return beyond {LARGEST_LOG_RETURN} in a day is an error of the data",
        "Quarantine the price and rebuild the warehouse.",
    )
