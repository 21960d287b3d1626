"""Columns of rows that arrays describe, as Arrow, without a Python object per row."""

import hashlib
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from pipelines.lake import arrow_schema
from pipelines.rebalance.arrays import Floats, Integers, Mask

T = TypeVar("T", bound=np.generic)

_ACCOUNT_DIGITS = 22
_SYMBOL_DIGITS = 10


def table_of(declared: Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """Return a table with the columns and types that are declared.

    Raises
    ------
    KeyError
        A declared column is missing.
    pyarrow.ArrowInvalid
        A column is not of its declared type, or as long as the others.
    """
    schema = arrow_schema(declared)
    arrays = [columns[name].cast(schema.field(name).type) for name in declared.column_names]
    return pa.Table.from_arrays(arrays, schema=schema)


def same(value: str | None, rows: int) -> pa.Array:
    """Return a column of one text."""
    return pa.nulls(rows, pa.string()) if value is None else pa.repeat(pa.scalar(value), rows)


def words(numbers: Integers, vocabulary: type[Enum]) -> pa.Array:
    """Return the words that numbers stand for; null where one is negative."""
    names = pa.array([word.value for word in vocabulary], pa.string())
    return names.take(_places(numbers))


def names_at(names: tuple[str, ...], numbers: Integers) -> pa.Array:
    """Return the names that numbers stand for; null where one is negative."""
    return pa.array(names, pa.string()).take(_places(numbers))


def integers(values: Integers, known: Mask | None = None) -> pa.Array:
    """Return whole numbers; null where they are not known."""
    return pa.array(values, pa.int64(), mask=None if known is None else ~known)


def floats(values: Floats) -> pa.Array:
    """Return numbers; null where one is NaN. A negative zero becomes zero: databases differ."""
    return pa.array(values + 0.0, pa.float64(), from_pandas=True)


def of_goal(values: npt.NDArray[T], goal: Integers, missing: float) -> npt.NDArray[T]:
    """Return each account's goal's value; ``missing`` where it has no goal.

    Parameters
    ----------
    values : (goals, ...).
    goal : (accounts,) row of each account's goal; -1: none.
    """
    if not len(values):
        return np.full((len(goal), *values.shape[1:]), missing, dtype=values.dtype)
    found = values[goal]
    found[goal < 0] = missing
    return found


def joined_words(bits: Integers, vocabulary: type[Enum]) -> pa.Array:
    """Return the words whose bits are set, comma-separated; null where none is."""
    distinct, places = np.unique(bits, return_inverse=True)
    texts = [
        ",".join(word.value for number, word in enumerate(vocabulary) if int(value) >> number & 1)
        for value in distinct
    ]
    return pa.array([text or None for text in texts], pa.string()).take(pa.array(places))


def trade_ids(
    run_id: str, account_ids: pa.Array, accounts: Integers, symbols: tuple[str, ...], at: Integers
) -> pa.Array:
    """Return the keys of trades: an account trades a symbol at most once in a run.

    The account is hashed once for all its trades, so that they also stand together in the index.

    Parameters
    ----------
    accounts, at : (trades,) places of each trade's account and symbol.
    """
    trading, places = np.unique(accounts, return_inverse=True)
    of_run = hashlib.sha256(f"{run_id}\n".encode())
    of_account = pa.array(
        [
            _digest(of_run, account_id, _ACCOUNT_DIGITS)
            for account_id in account_ids.take(pa.array(trading)).to_pylist()
        ],
        pa.string(),
    )
    nothing = hashlib.sha256()
    of_symbol = pa.array([_digest(nothing, name, _SYMBOL_DIGITS) for name in symbols], pa.string())
    return pc.binary_join_element_wise(
        of_account.take(pa.array(places)), of_symbol.take(pa.array(at)), ""
    )


def _digest(begun: "hashlib._Hash", text: str, digits: int) -> str:
    digest = begun.copy()
    digest.update(text.encode())
    return digest.hexdigest()[:digits]


def _places(numbers: Integers) -> pa.Array:
    return pa.array(numbers, pa.int64(), mask=np.asarray(numbers) < 0)
