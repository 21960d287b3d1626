"""Evaluate rules over whole Arrow columns at once, without Great Expectations.

Great Expectations takes seconds to import and milliseconds per rule and thousand rows; a bulk
load has tens of millions. The stage has it confirm what this module says (``validation``).
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.rules import (
    Between,
    Columns,
    Matches,
    NotBelow,
    OneOf,
    Present,
    Rule,
    SumWithin,
    Unique,
)

Mask: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]
ArrowColumn: TypeAlias = pa.Array | pa.ChunkedArray
Column: TypeAlias = ArrowColumn | npt.NDArray[Any]


class Batch:
    """Columns of equal length by name; numbers as float64 with NaN where there is no value."""

    def __init__(self, columns: Mapping[str, Column], rows: int) -> None:
        self.columns = dict(columns)
        self.rows = rows
        self._numbers: dict[str, Floats] = {}

    @classmethod
    def of(cls, table: pa.Table, **derived: Column) -> "Batch":
        """Return a table's columns and some derived ones."""
        named = {name: table[name] for name in table.column_names}
        return cls({**named, **derived}, table.num_rows)

    def numbers(self, name: str) -> Floats:
        """Return a column as float64: dates as days, moments as microseconds since 1970."""
        if name not in self._numbers:
            self._numbers[name] = numbers(self.columns[name])
        return self._numbers[name]

    def missing(self, name: str) -> Mask | None:
        """Say where a column has no value; nothing if it has one everywhere."""
        column = self.columns[name]
        if _is_missing_only_as_null(column):
            absent = _mask(pc.is_null(column))
        else:
            absent = np.isnan(self.numbers(name))
        return absent if absent.any() else None

    def value(self, name: str, position: int) -> Any:
        """Return one value as a plain one; nothing where there is none."""
        column = self.columns[name]
        value = column[position]
        value = value.item() if isinstance(column, np.ndarray) else value.as_py()
        return None if isinstance(value, float) and np.isnan(value) else value


def failing(rule: Rule, batch: Batch) -> npt.NDArray[np.intp]:
    """Return the positions of the rows that fail a rule; of a demand on the whole, all or none."""
    mask = _violations(rule, batch)
    if mask is not None and rule.where is not None:
        given: Any = batch.columns[rule.where.column]
        mask &= _mask(pc.equal(given, pa.scalar(rule.where.value, given.type)))
    return np.empty(0, dtype=np.intp) if mask is None else np.flatnonzero(mask)


def numbers(column: Column) -> Floats:
    """Return a column as float64 with NaN where there is no value."""
    if isinstance(column, np.ndarray):
        return column.astype(np.float64, copy=False)
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    elif pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", tz=array.type.tz)).cast(pa.int64())
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def _violations(rule: Rule, batch: Batch) -> Mask | None:
    match rule.demand:
        case Present(column):
            return batch.missing(column)
        case Between():
            return _outside(rule.demand, batch)
        case NotBelow(larger, smaller):
            return batch.numbers(larger) < batch.numbers(smaller)
        case OneOf() | Matches():
            return _unwanted_text(rule.demand, batch)
        case Unique(columns):
            return _repeated([batch.columns[name] for name in columns])
        case Columns() | SumWithin():
            return None if _holds(rule.demand, batch) else np.ones(batch.rows, dtype=bool)


def _outside(demand: Between, batch: Batch) -> Mask:
    values = batch.numbers(demand.column)
    wrong = np.zeros(batch.rows, dtype=bool)
    if demand.at_least is not None:
        wrong |= values <= demand.at_least if demand.above else values < demand.at_least
    if demand.at_most is not None:
        wrong |= values > demand.at_most
    return wrong


def _unwanted_text(demand: OneOf | Matches, batch: Batch) -> Mask | None:
    """Look at each distinct text once."""
    codes, texts = encoded(batch.columns[demand.column])
    if isinstance(demand, OneOf):
        wrong = [text is not None and text not in demand.values for text in texts]
    else:
        wrong = [text is not None and re.search(demand.pattern, text) is None for text in texts]
    return np.array(wrong, dtype=bool)[codes] if any(wrong) else None


def _holds(demand: Columns | SumWithin, batch: Batch) -> bool:
    if isinstance(demand, Columns):
        return set(demand.names) <= set(batch.columns)
    return 0 < float(np.nansum(batch.numbers(demand.column))) <= demand.at_most


def _repeated(columns: list[Column]) -> Mask | None:
    """Mark rows that share the values of all columns with another row."""
    codes = [_codes(column) for column in columns]
    codes = [code for code in codes if code.size and (code != code[0]).any()]
    if not codes:
        return None if len(columns[0]) < 2 else np.ones(len(columns[0]), dtype=bool)
    order = _order(codes)
    same = np.ones(len(codes[0]) - 1, dtype=bool)
    for code in codes:
        ordered = code if order is None else code[order]
        same &= ordered[1:] == ordered[:-1]
    if not same.any():
        return None
    marked = np.zeros(len(codes[0]), dtype=bool)
    marked[1:] |= same
    marked[:-1] |= same
    if order is None:
        return marked
    unordered = np.empty_like(marked)
    unordered[order] = marked
    return unordered


def _order(codes: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.intp] | None:
    """Return the order by the codes, or nothing if they are in order already."""
    ascending = np.zeros(len(codes[0]) - 1, dtype=bool)
    tied = ~ascending
    for code in codes:
        ascending |= tied & (code[1:] > code[:-1])
        tied &= code[1:] == code[:-1]
    return None if (ascending | tied).all() else np.lexsort(codes[::-1])


def encoded(column: Any) -> tuple[npt.NDArray[np.int64], list[str | None]]:
    """Return a text column as positions in a list of its texts; the last one stands for none."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # no rows, or dictionaries that could not be joined
        array = array.unify_dictionaries().combine_chunks()
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    texts: list[str | None] = [*array.dictionary.to_pylist(), None]
    indices = array.indices
    if indices.null_count:
        indices = indices.fill_null(len(texts) - 1)
    return np.asarray(indices, dtype=np.int64), texts


def _codes(column: Column) -> npt.NDArray[np.int64]:
    if isinstance(column, np.ndarray):
        return column.astype(np.int64)
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        return encoded(column)[0]
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    return np.asarray(array.cast(pa.int64()).fill_null(np.iinfo(np.int64).min))


def _is_missing_only_as_null(column: Any) -> bool:
    return not isinstance(column, np.ndarray) and not pa.types.is_floating(column.type)


def _mask(values: pa.Array | pa.ChunkedArray) -> Mask:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return np.asarray(array.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)
