"""Whether a peer made what our panel holds, on some symbols of all sessions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.declaration import ColumnType
from models.panel import PANEL, RANKS

Floats = npt.NDArray[np.float64]

_NUMBERS = (ColumnType.FLOAT, ColumnType.SINGLE)
_PARTS = 3
_SYMBOLS_OF_PART = 8


@dataclass(frozen=True)
class Agreement:
    """How far a peer's values lie from ours.

    Attributes
    ----------
    rows : rows compared.
    unlike : values that are missing on one side only, or that are no numbers and differ.
    error : largest difference, relative to the value or the column's median magnitude, whichever
        is larger; exponential means apart.
    warm_up_error : largest difference of what exponential means are in, which the peers take over
        all bars and we over the last four spans: relative to the mean (averages and crossovers),
        the close (MACD), the range (ATR) and 100 (RSI).
    worst : the column with the largest ``error``.
    """

    rows: int
    unlike: int
    error: float
    warm_up_error: float
    worst: str


def agreement(panel: Path, made: Path) -> Agreement:
    """Compare our panel with the files that a peer made, on symbols spread over its files.

    Raises
    ------
    RuntimeError
        One has rows that the other lacks.
    """
    parts = sorted(path for path in made.glob("*.parquet") if path.name != "ranks.parquet")
    theirs = pa.concat_tables(_some(parts[at]) for at in _spread(len(parts), _PARTS))
    is_wanted = pc.field("symbol").isin(pc.unique(theirs["symbol"]))
    theirs = _with_ranks(theirs, pq.read_table(made / "ranks.parquet", filters=is_wanted))
    ours = _in_order(pq.read_table(panel, filters=is_wanted))
    for key in PANEL.key:
        if not _plain(ours[key]).equals(_plain(theirs[key])):
            raise RuntimeError(f"{made.name} has {theirs.num_rows} rows where we have others")
    return _compared(ours, theirs)


def _compared(ours: pa.Table, theirs: pa.Table) -> Agreement:
    unlike = 0
    errors: dict[str, float] = {}
    warm_up_errors: dict[str, float] = {}
    for column in PANEL:
        if column.type not in _NUMBERS:
            same = pc.equal(_plain(ours[column.name]), _plain(theirs[column.name]))
            unlike += pc.sum(pc.invert(same)).as_py()
            continue
        our, their = _floats(ours[column.name]), _floats(theirs[column.name])
        unlike += int((np.isnan(our) != np.isnan(their)).sum())
        warm_up_scale = _warm_up_scale(column.name, our, _floats(ours["close"]))
        scale = np.fmax(np.abs(our), _median(our)) if warm_up_scale is None else warm_up_scale
        gap = np.abs(our - their)
        with np.errstate(invalid="ignore", divide="ignore"):
            worst = float(np.fmax.reduce(np.where(gap == 0, 0, gap / scale), initial=0.0))
        (errors if warm_up_scale is None else warm_up_errors)[column.name] = worst
    worst_column = max(errors, key=errors.__getitem__)
    return Agreement(
        rows=ours.num_rows,
        unlike=unlike,
        error=errors[worst_column],
        warm_up_error=max(warm_up_errors.values()),
        worst=worst_column,
    )


def _warm_up_scale(name: str, values: Floats, close: Floats) -> Floats | float | None:
    if name.startswith(("close_to_ema_", "ema_cross_")):
        return 1.0
    if name.startswith("macd_"):
        return close
    if name == "atr_14":
        return np.abs(values)
    return 100.0 if name == "rsi_14" else None


def _spread(count: int, wanted: int) -> list[int]:
    return sorted({round(at) for at in np.linspace(0, count - 1, wanted)})


def _some(part: Path) -> pa.Table:
    symbols = pc.unique(pq.read_table(part, columns=["symbol"])["symbol"]).to_pylist()
    step = max(1, len(symbols) // _SYMBOLS_OF_PART)
    return pq.read_table(part, filters=pc.field("symbol").isin(symbols[::step]))


def _with_ranks(panel: pa.Table, ranks: pa.Table) -> pa.Table:
    panel, ranks = _in_order(panel), _in_order(ranks)
    for column in RANKS:
        panel = panel.append_column(column.name, ranks[column.name])
    return panel


def _in_order(table: pa.Table) -> pa.Table:
    return table.sort_by([(key, "ascending") for key in PANEL.key])


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as texts, however a library stores them, and moments in microseconds."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", "UTC"))
    return column


def _floats(column: pa.ChunkedArray) -> Floats:
    return column.to_numpy().astype(np.float64, copy=False)


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(np.abs(known))) if len(known) else 1.0
