"""Read the warehouse's panel, a folder of Parquet parts, into dense arrays: one part at a time."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.errors import PanelError
from ml.panel import RETURN_COLUMN, Panel

LARGEST_LOG_RETURN = 8.0

_KEY = ("symbol", "session_date")
_REMEDY = "Rebuild the warehouse: smartinvest transform."

Reader = Callable[[Sequence[str]], pa.Table]
"""Returns columns of a part; it is asked for the keys first, and for the numbers later."""


def read_panel(folder: Path, features: tuple[str, ...], through: dt.date | None = None) -> Panel:
    """Read the parts of a panel, cut at a session.

    Infinite values count as missing: they say no more than that a division failed. Beside the
    dense arrays, one part is held at a time, and of it the columns asked for.

    Parameters
    ----------
    folder : Parquet files, together one row per symbol and session, in any order.
    features : columns that become the panel's features, in this order.
    through : last session that may be read; all of them if left out.

    Raises
    ------
    PanelError
        There is no file, one is truncated or lacks a column, there are two rows for one symbol and
        session, no row at all, or an impossible daily return.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise PanelError("panel", folder, "it has no file", _REMEDY)
    return _panel([partial(_read_part, file) for file in files], features, folder.name, through)


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
    return _panel([table.select], features, origin, None)


def _panel(
    parts: Sequence[Reader], features: tuple[str, ...], origin: str, through: dt.date | None
) -> Panel:
    keys = [_Keys.of(part(_KEY), through) for part in parts]
    symbols = np.unique(np.concatenate([key.names for key in keys]))
    if len(symbols) == 0:
        raise PanelError("features", origin, "there is no row", _REMEDY)
    sessions = np.unique(np.concatenate([np.unique(key.days) for key in keys]))
    shape = (len(sessions), len(symbols))
    observed = np.zeros(shape, np.bool_)
    values = np.full((*shape, len(features)), np.nan, np.float32)
    log_return_1d = np.full(shape, np.nan)
    for part, key in zip(parts, keys, strict=True):
        at = np.searchsorted(sessions, key.days), np.searchsorted(symbols, key.names)[key.codes]
        table = _wanted(part(list(dict.fromkeys((RETURN_COLUMN, *features)))), key.rows)
        observed[at] = True
        values[at] = np.stack([_finite(table[name], np.float32) for name in features], axis=-1)
        log_return_1d[at] = _finite(table[RETURN_COLUMN], np.float64)
    if repeated := sum(len(key.days) for key in keys) - int(observed.sum()):
        raise PanelError(
            "features", origin, f"{repeated} rows repeat a symbol and session", _REMEDY
        )
    names = tuple(str(symbol) for symbol in symbols)
    panel = Panel(sessions, names, features, values, log_return_1d, observed)
    _require_possible_returns(panel, origin)
    return panel


@dataclass(frozen=True)
class _Keys:
    """What the rows of a part speak of.

    Attributes
    ----------
    rows : which of the part's rows are wanted; None if all.
    names : symbols, sorted, each once.
    codes : (wanted rows,), positions in ``names``.
    days : (wanted rows,), unit day.
    """

    rows: NDArray[np.bool_] | None
    names: NDArray[np.str_]
    codes: NDArray[np.int32]
    days: NDArray[np.datetime64]

    @classmethod
    def of(cls, table: pa.Table, through: dt.date | None) -> "_Keys":
        """Take the keys of a part up to a session."""
        days = table["session_date"].to_numpy().astype("datetime64[D]")
        column = table["symbol"].cast(pa.dictionary(pa.int32(), pa.string()))
        column = column.unify_dictionaries().combine_chunks()
        codes, rows = np.asarray(column.indices), None
        if through is not None and (days > np.datetime64(through, "D")).any():
            rows = days <= np.datetime64(through, "D")
            codes, days = codes[rows], days[rows]
        used = np.unique(codes)
        names, order = np.unique(
            np.asarray(column.dictionary.take(pa.array(used)).to_pylist(), np.str_),
            return_inverse=True,
        )
        position = np.zeros(len(column.dictionary), np.int32)
        position[used] = order
        return cls(rows, names, position[codes], days)


def _wanted(table: pa.Table, rows: NDArray[np.bool_] | None) -> pa.Table:
    return table if rows is None else table.filter(pa.array(rows))


def _finite(column: pa.ChunkedArray, kind: type[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    numbers = np.asarray(column.to_numpy(), kind)
    if np.isinf(numbers).any():
        numbers = np.where(np.isinf(numbers), np.nan, numbers)
    return numbers


def _read_part(file: Path, columns: Sequence[str]) -> pa.Table:
    try:
        with pq.ParquetFile(file, read_dictionary=["symbol"]) as part:
            missing = [name for name in columns if name not in part.schema_arrow.names]
            if missing:
                raise PanelError("panel file", file, f"it lacks the columns {missing}", _REMEDY)
            return part.read(columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise PanelError("panel file", file, f"it cannot be read ({error})", _REMEDY) from error


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
