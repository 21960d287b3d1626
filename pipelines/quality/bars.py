"""Turn rows of ``PRICES`` into arrays, with the splits and dividends of each bar beside it."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import ActionKind, PriceBasis
from pipelines.quality.compiled import Column, numbers
from pipelines.quality.exchange import session_numbers
from pipelines.quality.history import Bars

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_KEY_STRIDE = 1 << 32
"""Above any number of a session, so that symbol and session fit into one number."""


class Symbols:
    """The symbols of some tables, numbered in alphabetical order."""

    def __init__(self, *tables: pa.Table | None) -> None:
        distinct = [pc.unique(table["symbol"]).to_pylist() for table in tables if table is not None]
        self.names: list[str] = sorted({name for names in distinct for name in names if name})

    def codes(self, table: pa.Table) -> Ints:
        """Return the number of each row's symbol; that of the last for a missing one."""
        encoded = table["symbol"].combine_chunks().dictionary_encode(null_encoding="encode")
        place = {name: number for number, name in enumerate(self.names)}
        numbers_ = [place.get(name, len(place) - 1) for name in encoded.dictionary.to_pylist()]
        return np.array(numbers_, dtype=np.int64)[np.asarray(encoded.indices)]


def bars_of(
    rows: pa.Table, symbols: Symbols, basket: npt.NDArray[np.bool_], actions: pa.Table | None
) -> Bars:
    """Return the rows as arrays; ``basket`` says of each symbol whether it is one."""
    symbol = symbols.codes(rows)
    session = session_numbers(numbers(rows["session_date"]).astype(np.int64)).astype(np.int64)
    count = rows.num_rows
    missing = np.full(count, np.nan)
    named = {
        name: numbers(rows[name]) if name in rows.column_names else missing
        for name in ("open", "high", "low", "close", "volume", "adjusted_return_1d")
    }
    as_traded = _is_as_traded(rows)
    split_log, dividend = _actions_at(symbol, session, symbols, actions, as_traded)
    return Bars(
        symbol=symbol,
        session=session,
        open=named["open"],
        high=named["high"],
        low=named["low"],
        close=named["close"],
        volume=named["volume"],
        adjusted_return=named["adjusted_return_1d"],
        split_log=split_log,
        dividend=dividend,
        strict=as_traded,
        basket=basket[symbol],
    )


def _is_as_traded(rows: pa.Table) -> npt.NDArray[np.bool_]:
    if "price_basis" not in rows.column_names:
        return np.ones(rows.num_rows, dtype=bool)
    encoded = rows["price_basis"].combine_chunks().dictionary_encode(null_encoding="encode")
    words = [word == PriceBasis.AS_TRADED for word in encoded.dictionary.to_pylist()]
    return np.array(words, dtype=bool)[np.asarray(encoded.indices)]


def _actions_at(
    symbol: Ints,
    session: Ints,
    symbols: Symbols,
    actions: pa.Table | None,
    as_traded: npt.NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """Return each bar's accumulated log of splits, and the cash that left the share on its day."""
    zero = np.zeros(len(symbol))
    if actions is None or actions.num_rows == 0 or not as_traded.any():
        return zero, zero
    newest = _newest(actions)
    place = {name: number for number, name in enumerate(symbols.names)}
    codes = np.array([place.get(name, -1) for name in newest["symbol"].to_pylist()])
    days = numbers(newest["session_date"]).astype(np.int64)
    key = codes * _KEY_STRIDE + session_numbers(days)
    amount = numbers(newest["amount"])
    kind = np.array(newest["kind"].to_pylist(), dtype=object)
    usable = (codes >= 0) & (amount > 0)
    bar_key = symbol * _KEY_STRIDE + session
    split = usable & (kind == ActionKind.SPLIT)
    split_log = _accumulated(key[split], np.log(amount[split]), bar_key)
    cash = usable & (kind != ActionKind.SPLIT)
    order = np.argsort(key[cash], kind="stable")
    paid_on, first = np.unique(key[cash][order], return_index=True)
    dividend = zero.copy()
    if paid_on.size:
        paid = np.add.reduceat(amount[cash][order], first)
        found = np.minimum(np.searchsorted(paid_on, bar_key), len(paid_on) - 1)
        dividend = np.where(paid_on[found] == bar_key, paid[found], 0.0)
    return np.where(as_traded, split_log, 0.0), np.where(as_traded, dividend, 0.0)


def _accumulated(key: Ints, values: Floats, at: Ints) -> Floats:
    """Return, for each place, the sum of the values up to it, in order of their keys."""
    order = np.argsort(key, kind="stable")
    total = np.append(0.0, np.cumsum(values[order]))
    return total[np.searchsorted(key[order], at, side="right")]


def _newest(actions: pa.Table) -> pa.Table:
    """Return the newest version of each action."""
    if "known_at" not in actions.column_names:
        return actions
    entity = ["symbol", "session_date", "kind"]
    ordered = actions.select([*entity, "amount", "known_at"]).sort_by(
        [(name, "ascending") for name in (*entity, "known_at")]
    )
    keys = [ordered[name].to_pylist() for name in entity]
    rows = list(zip(*keys, strict=True))
    last = [row != following for row, following in zip(rows, [*rows[1:], None], strict=True)]
    return ordered.filter(pa.array(last, pa.bool_()))
