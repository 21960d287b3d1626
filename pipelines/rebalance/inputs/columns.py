"""Columns of Arrow as the arrays that rebalancing works with, without a Python object per row."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rebalance.arrays import Floats, Integers

Column: TypeAlias = pa.Array | pa.ChunkedArray


def integers(column: Column, missing: int | None = None) -> Integers:
    """Return whole numbers (dates as days since 1970-01-01) as int64; nulls as ``missing``."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32()).cast(pa.int64())
    if missing is not None:
        column = pc.fill_null(column, missing)
    return np.ascontiguousarray(column.to_numpy(), dtype=np.int64)


def floats(column: Column, missing: float) -> Floats:
    """Return numbers as float64; nulls as ``missing``."""
    return np.ascontiguousarray(pc.fill_null(column, missing).to_numpy(), dtype=np.float64)


def text(column: Column) -> pa.StringArray:
    """Return texts as one array."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.cast(pa.string())


def positions(column: Column, names: Sequence[str] | pa.StringArray) -> Integers:
    """Return where each text stands among the names; -1 where it does not."""
    among = names if isinstance(names, pa.Array) else pa.array(names, pa.string())
    return integers(pc.index_in(column, value_set=among), missing=-1)
