"""Turn rows of ``PRICES`` into arrays, with the splits and dividends of each bar beside it."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import ActionKind, PriceBasis
from pipelines.quality.judging.compiled import encoded, numbers
from pipelines.quality.judging.exchange import session_numbers
from pipelines.quality.judging.history import Bars

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_KEY_STRIDE = 1 << 32
"""Above any number of a session, so that symbol and session fit into one number."""


class Symbols:
    """The symbols of some tables, numbered in alphabetical order."""

    def __init__(self, *tables: pa.Table | None) -> None:
        found = {name for table in tables if table is not None for name in _names(table)}
        self.names: list[str] = sorted(found)
        self._number = {name: number for number, name in enumerate(self.names)}

    def number(self, name: str | None) -> int:
        """Return a symbol's number, -1 if it is none of them."""
        return -1 if name is None else self._number.get(name, -1)

    def codes(self, table: pa.Table) -> Ints:
        """Return the number of each row's symbol; -1 for a missing one."""
        codes, texts = encoded(table["symbol"])
        return np.array([self.number(text) for text in texts], dtype=np.int64)[codes]


def _names(table: pa.Table) -> set[str]:
    return {name for name in pc.unique(table["symbol"]).to_pylist() if name is not None}


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
    codes, texts = encoded(rows["price_basis"])
    return np.array([text == PriceBasis.AS_TRADED for text in texts], dtype=bool)[codes]


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
    codes = symbols.codes(newest)
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
    """Return the newest version of each action, with the kind as plain text."""
    entity = ["symbol", "session_date", "kind"]
    columns = [*entity, "amount", *(["known_at"] if "known_at" in actions.column_names else [])]
    plain = actions.select(columns).cast(
        pa.schema(
            [
                (field.name, pa.string() if field.name in ("symbol", "kind") else field.type)
                for field in actions.select(columns).schema
            ]
        )
    )
    ordered = plain.sort_by([(name, "ascending") for name in columns if name != "amount"])
    rows = list(zip(*(ordered[name].to_pylist() for name in entity), strict=True))
    last = [row != following for row, following in zip(rows, [*rows[1:], None], strict=True)]
    return ordered.filter(pa.array(last, pa.bool_()))
