"""From the rows of some files to bars and actions in the form that every provider delivers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import ActionKind, PriceBasis
from pipelines.ingest.provider import ACTION_SCHEMA, PRICE_SCHEMA

_ENCODED = pa.dictionary(pa.int32(), pa.string())
ENCODED_PRICES = pa.schema(
    [
        field.with_type(_ENCODED) if pa.types.is_string(field.type) else field
        for field in PRICE_SCHEMA
    ]
)
"""Delivered bars with each text stored once: millions of rows name a few hundred symbols."""

_RETURN_DIGITS = 6
_NO_ACTION = {"dividend": (0.0,), "capital_gain": (0.0,), "split": (0.0, 1.0)}
"""What a column of actions says on a day without one."""


def bars(rows: pa.Table) -> pa.Table:
    """Return bars in order of symbol and session.

    Parameters
    ----------
    rows : understood columns under the names of their meanings, with ``symbol`` filled in; a
        symbol's rows in any order. ``return_base`` may name the adjusted close before a row.

    Returns
    -------
    Rows of ``PRICE_SCHEMA`` with text encoded; a bar that came twice comes twice.
    ``adjusted_return_1d`` compares
    the adjusted close with that of the symbol's bar before it in these rows.
    """
    rows = in_order(rows)
    columns = {
        name: rows[name] if name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for name, field in zip(ENCODED_PRICES.names, ENCODED_PRICES, strict=True)
    }
    columns["adjusted_return_1d"] = _adjusted_returns(rows)
    columns["price_basis"] = _price_basis(rows)
    return pa.table(columns).cast(ENCODED_PRICES)


def actions(rows: pa.Table) -> pa.Table:
    """Return the dividends, capital gains and splits that price files carry in columns."""
    parts = []
    for kind in ActionKind:
        if kind.value not in rows.column_names:
            continue
        nothing = pa.array(_NO_ACTION[kind.value])
        amount = pc.field(kind.value)
        found = rows.filter(amount.is_valid() & ~amount.isin(nothing))
        parts.append(
            pa.table(
                {
                    "symbol": found["symbol"],
                    "session_date": found["session_date"],
                    "kind": pa.repeat(pa.scalar(kind.value), found.num_rows),
                    "amount": found[kind.value],
                }
            ).cast(ACTION_SCHEMA)
        )
    return pa.concat_tables(parts) if parts else ACTION_SCHEMA.empty_table()


def in_order(rows: pa.Table) -> pa.Table:
    """Return rows by symbol and session; rows of the same bar keep their order."""
    day, symbol = _days(rows), _symbol_ranks(rows)
    key = symbol.astype(np.int64) << 32 | (day.astype(np.int64) + (1 << 31))
    if np.all(key[1:] >= key[:-1]):
        return rows.combine_chunks()
    return rows.take(pa.array(np.argsort(key, kind="stable")))


def _adjusted_returns(rows: pa.Table) -> pa.Array:
    if "adjusted_close" not in rows.column_names:
        return pa.nulls(rows.num_rows, pa.float64())
    adjusted = _floats(rows["adjusted_close"])
    before = np.empty_like(adjusted)
    before[1:] = adjusted[:-1]
    rank = _symbol_ranks(rows)
    before[:1] = np.nan
    before[1:][rank[1:] != rank[:-1]] = np.nan
    if "return_base" in rows.column_names:
        base = _floats(rows["return_base"])
        before = np.where(np.isnan(base), before, base)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.round(adjusted / before - 1, _RETURN_DIGITS)
    known = (before > 0) & (adjusted > 0) & np.isfinite(change)
    return pa.array(change, mask=~known)


def _price_basis(rows: pa.Table) -> pa.Array | pa.ChunkedArray:
    usual = PriceBasis.SPLIT_ADJUSTED.value
    if "price_basis" not in rows.column_names:
        return repeated(usual, rows.num_rows)
    return pc.fill_null(rows["price_basis"], usual).dictionary_encode()


def repeated(text: str, count: int) -> pa.DictionaryArray:
    """Return a column that says the same in every row."""
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), [text])


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _days(rows: pa.Table) -> npt.NDArray[np.int32]:
    return np.asarray(rows["session_date"].combine_chunks().cast(pa.int32()))


def _symbol_ranks(rows: pa.Table) -> npt.NDArray[np.int32]:
    """Return each row's symbol as its rank among the symbols in alphabetical order."""
    encoded = rows["symbol"].combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    names: Sequence[str] = encoded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    codes = np.asarray(encoded.indices)
    if order == list(range(len(names))):
        return codes
    rank = np.empty(len(names), dtype=np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    return rank[codes]
