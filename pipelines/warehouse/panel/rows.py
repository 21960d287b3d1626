"""Rows of the panel as the kernels fill them: one matrix per width, one line of it per column."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.declaration import ColumnType
from models.panel import PANEL
from models.vocabulary import KnownAtBasis, PriceBasis
from pipelines.lake.rows import encoded_schema

SCHEMA = encoded_schema(PANEL).remove_metadata()
"""The panel's columns as Arrow has them, text as dictionaries."""

TEXT = tuple(column.name for column in PANEL if column.type is ColumnType.TEXT)

_DTYPES = {
    ColumnType.TEXT: np.int32,  # codes of words
    ColumnType.DATE: np.int32,
    ColumnType.INTEGER: np.int64,
    ColumnType.TIMESTAMP: np.int64,
    ColumnType.FLOAT: np.float64,
    ColumnType.SINGLE: np.float32,
}
_WIDTHS = tuple(dict.fromkeys(_DTYPES.values()))
_NAMES = {
    dtype: tuple(column.name for column in PANEL if _DTYPES[column.type] is dtype)
    for dtype in _WIDTHS
}
_PLACES = {
    name: (dtype, line) for dtype, names in _NAMES.items() for line, name in enumerate(names)
}

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Words:
    """What the codes of text columns stand for: positions in these lists, which are sorted."""

    source: str
    symbols: Sequence[str]

    @cached_property
    def codes(self) -> dict[str, int]:
        """The code of each symbol."""
        return {symbol: code for code, symbol in enumerate(self.symbols)}

    @cached_property
    def lists(self) -> dict[str, Array]:
        """The words of each text column."""
        return {
            "source": np.array([self.source], object),
            "symbol": np.array(self.symbols, object),
            "price_basis": np.array(sorted(PriceBasis), object),
            "known_at_basis": np.array(sorted(KnownAtBasis), object),
        }


def dtype_of(name: str) -> Any:
    """Return the NumPy type that a column is stored in."""
    return _PLACES[name][0]


class Rows:
    """Room for rows of the panel; ``rows[name]`` is a column, to be read or filled.

    Text is held as codes of :class:`Words`, dates as days, moments as microseconds since 1970.
    A number that is missing is NaN.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._matrices = {dtype: np.empty((len(_NAMES[dtype]), length), dtype) for dtype in _WIDTHS}

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Array:
        dtype, line = _PLACES[name]
        return self._matrices[dtype][line]

    def put(self, at: int, source: "Rows", begin: int, end: int) -> None:
        """Copy some rows of another table to a place in this one."""
        for dtype, matrix in self._matrices.items():
            matrix[:, at : at + end - begin] = source._matrices[dtype][:, begin:end]

    def equals(self, other: "Rows") -> bool:
        """Say whether the rows are the same, bit for bit."""
        return len(self) == len(other) and all(
            np.array_equal(matrix.view(np.uint8), other._matrices[dtype].view(np.uint8))
            for dtype, matrix in self._matrices.items()
        )

    def take(self, order: npt.NDArray[np.int64]) -> "Rows":
        """Return the rows at these positions."""
        taken = Rows(len(order))
        for dtype, matrix in self._matrices.items():
            np.take(matrix, order, axis=1, out=taken._matrices[dtype], mode="clip")
        return taken

    def to_arrow(self, words: Words, begin: int, end: int) -> pa.Table:
        """Return some rows as Arrow; a dictionary holds the words in use, in order."""
        return pa.Table.from_arrays(
            [self._arrow(field, words, slice(begin, end)) for field in SCHEMA],
            schema=SCHEMA,
        )

    def _arrow(self, field: pa.Field, words: Words, rows: slice) -> pa.Array:
        values = self[field.name][rows]
        if field.name in TEXT:
            listed = words.lists[field.name]
            used = np.flatnonzero(np.bincount(values, minlength=len(listed)))
            new_code = np.zeros(len(listed), np.int32)
            new_code[used] = np.arange(len(used))
            return pa.DictionaryArray.from_arrays(
                new_code[values], pa.array(listed[used], pa.string())
            )
        if pa.types.is_floating(field.type):
            is_missing = np.isnan(values)
            return pa.array(values, mask=is_missing if is_missing.any() else None)
        return pa.array(values).view(field.type)


def from_arrow(table: pa.Table, words: Words) -> Rows:
    """Return the rows of a part that was read with its text columns as dictionaries."""
    rows = Rows(table.num_rows)
    for field in SCHEMA:
        column = table[field.name].combine_chunks()
        if field.name in TEXT:
            known = words.lists[field.name]
            new_code = np.searchsorted(known, column.dictionary.to_numpy(zero_copy_only=False))
            rows[field.name][:] = new_code[np.asarray(column.indices)]
        else:
            rows[field.name][:] = plain(column)
    return rows


def plain(column: pa.Array | pa.ChunkedArray) -> Array:
    """Return numbers, with NaN for null, or dates as days or moments as microseconds."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_date(array.type):
        return np.asarray(array.view(pa.int32()))
    if pa.types.is_timestamp(array.type):
        return np.asarray(array.view(pa.int64()))
    return np.asarray(array.to_numpy(zero_copy_only=False))


def joined(tables: Sequence[Rows]) -> Rows:
    """Return the rows of several tables, one after the other."""
    rows = Rows(sum(len(table) for table in tables))
    at = 0
    for table in tables:
        rows.put(at, table, 0, len(table))
        at += len(table)
    return rows
