"""Adjust prices for splits and distributions, from as-traded closes and actions, as of a cut.

What one share held over a step between two bars of a symbol becomes, from the bar before (u) to the
bar itself (v), by the actions with an ex-date after u and not after v, in order of their ex-dates:

    n_v = product of the split ratios
    c_v = sum of cash per share as paid, times the product of the ratios up to its own ex-date
    1 + r_v = (n_v close_v + c_v) / close_u

This is CRSP's holding period total return (Data Descriptions Guide, US Stock and US Index
Databases): cash is reinvested at the bar's close. (Yahoo's adjusted closes reinvest on the eve,
1 + r = close_v / (close_u - c) for n = 1; the two differ by about r times the yield.)
On a day with a split and a dividend, the dividend is per new share: the one that trades on it.
Actions up to the symbol's first bar, or after its last, change nothing.

Adjusted values are in the terms of the symbol's last row. With f_v = n_v + c_v / close_v,

    split-adjusted  p_u / product of n_v over v > u,  volume times the same product
    total-return    p_u / product of f_v over v > u,  volume as split-adjusted

What the delivered prices contain already is not applied again: ``split_adjusted`` bars take
distributions only, which their source must give per adjusted share, as it gives the closes;
``total_return`` bars take nothing.

Rows and actions are those that a reader may see, so what is adjusted is as of the reader's cut: a
later action changes the scale of the past and none of its returns.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import ActionKind, PriceBasis

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_PRICE_COLUMNS = ("open", "high", "low", "close")
_DAY_BITS = 32


class Adjustment(StrEnum):
    """What prices are adjusted for."""

    NONE = "none"
    SPLIT = "split"
    TOTAL_RETURN = "total-return"


def adjusted(prices: pa.Table, actions: pa.Table, adjustment: Adjustment) -> pa.Table:
    """Return prices in the terms of each symbol's last row.

    Parameters
    ----------
    prices : rows of ``PRICES``, one per symbol and session, sorted by symbol and session, each
        with a close above zero; those of a symbol of one basis (see :func:`comparable`).
    actions : rows of ``ACTIONS`` of the same source, one per symbol, ex-date and kind, in any
        order. An amount that is null was withdrawn.

    Returns
    -------
    The same rows and columns; open, high, low, close and volume are adjusted.

    Raises
    ------
    ValueError
        The prices are not sorted, or two rows speak of one symbol and session.
    """
    if adjustment is Adjustment.NONE or prices.num_rows == 0:
        return prices
    steps = share_steps(prices, actions)
    close = _floats(prices["close"])
    shares = _product_of_later(prices, steps.shares)
    factor = shares
    if adjustment is Adjustment.TOTAL_RETURN:
        factor = _product_of_later(prices, steps.shares + steps.cash / close)
    for name in _PRICE_COLUMNS:
        prices = _replaced(prices, name, _floats(prices[name]) / factor)
    return _replaced(prices, "volume", _floats(prices["volume"]) * shares)


def comparable(prices: pa.Table) -> pa.Table:
    """Return the bars with the price basis of their symbol's first, which has a return to them.

    Takes prices as :func:`adjusted` does; the warehouse leaves out the others too.
    """
    if prices.num_rows == 0:
        return prices
    starts = np.flatnonzero(_starts(prices))
    first = np.repeat(starts, np.diff(np.r_[starts, prices.num_rows]))
    basis = np.asarray(prices["price_basis"].combine_chunks().dictionary_encode().indices)
    is_comparable = basis == basis[first]
    return prices if is_comparable.all() else prices.filter(pa.array(is_comparable))


@dataclass(frozen=True)
class ShareSteps:
    """What one share held since a symbol's row before became by each row.

    Attributes
    ----------
    shares : (rows,), the shares that it is now; 1 where nothing happened.
    cash : (rows,), USD that it paid on the way; 0 where nothing happened.
    """

    shares: Floats
    cash: Floats


def share_steps(prices: pa.Table, actions: pa.Table) -> ShareSteps:
    """Apply actions to the row that first shows them; takes what :func:`adjusted` takes."""
    rows = _keys(prices["symbol"], prices["session_date"], prices["symbol"])
    if (np.diff(rows) <= 0).any():
        raise ValueError("prices must be sorted by symbol and session, with one row for each")
    shares, cash = np.ones(prices.num_rows), np.zeros(prices.num_rows)
    actions = _known(actions, prices["symbol"])
    at = _keys(actions["symbol"], actions["session_date"], prices["symbol"])
    is_split = _equals(actions["kind"], ActionKind.SPLIT)
    order = np.lexsort([~is_split, at])
    row = np.searchsorted(rows, at[order], side="left")
    ratio = np.where(is_split, _floats(actions["amount"]), 1.0)[order]
    paid = np.where(is_split, 0.0, _floats(actions["amount"]))[order]

    # A row of the same symbol that has one before it, and does not contain the action already.
    usable = row < len(rows)
    usable[usable] &= (rows[row[usable]] ^ at[order][usable]) >> _DAY_BITS == 0
    usable[usable] &= ~_starts(prices)[row[usable]]
    basis = prices["price_basis"]
    has_all = _equals(basis, PriceBasis.TOTAL_RETURN)
    has_splits = has_all | _equals(basis, PriceBasis.SPLIT_ADJUSTED)
    usable[usable] &= ~has_all[row[usable]]
    row, ratio, paid = row[usable], ratio[usable], paid[usable]
    ratio = np.where(has_splits[row], 1.0, ratio)

    # The n-th action of each row, for all rows at once: nearly always there is one.
    first = np.flatnonzero(np.r_[True, np.diff(row) > 0]) if len(row) else row
    nth = np.arange(len(row)) - np.repeat(first, np.diff(np.r_[first, len(row)]))
    for number in range(nth.max(initial=-1) + 1):
        now = nth == number
        shares[row[now]] *= ratio[now]
        cash[row[now]] += paid[now] * shares[row[now]]
    return ShareSteps(shares, cash)


def _known(actions: pa.Table, symbols: pa.ChunkedArray) -> pa.Table:
    wanted = pc.field("symbol").isin(pc.unique(symbols)) & pc.field("amount").is_valid()
    return actions.filter(wanted)


def _keys(symbols: pa.ChunkedArray, days: pa.ChunkedArray, known: pa.ChunkedArray) -> Integers:
    """Return numbers that are ordered as (symbol, day), with the symbol in the upper bits."""
    vocabulary = pc.unique(known).sort()
    codes = np.asarray(pc.index_in(symbols, vocabulary), dtype=np.int64)
    return (codes << _DAY_BITS) + np.asarray(days.cast(pa.int32()), dtype=np.int64)


def _starts(prices: pa.Table) -> npt.NDArray[np.bool_]:
    symbols = np.asarray(prices["symbol"].combine_chunks().dictionary_encode().indices)
    return np.r_[True, symbols[1:] != symbols[:-1]]


def _product_of_later(prices: pa.Table, factors: Floats) -> Floats:
    """Multiply, for each row, the factors of the symbol's rows after it, newest first."""
    starts = np.flatnonzero(_starts(prices))
    products = np.ones(len(factors))
    for start, end in zip(starts, np.r_[starts[1:], len(factors)], strict=True):
        products[start : end - 1] = np.cumprod(factors[start + 1 : end][::-1])[::-1]
    return products


def _equals(column: pa.ChunkedArray, value: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.equal(column, value), dtype=np.bool_)


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.cast(pa.float64()), dtype=np.float64)


def _replaced(table: pa.Table, name: str, values: Floats) -> pa.Table:
    position = table.schema.get_field_index(name)
    column = pa.array(values, pa.float64(), mask=np.asarray(pc.is_null(table[name])))
    return table.set_column(position, table.schema.field(position), column)
