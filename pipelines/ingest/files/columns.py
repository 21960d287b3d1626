"""How users spell the columns of price files, and what each spelling means."""

import re
from collections.abc import Mapping, Sequence

_SPELLINGS = {
    "symbol": ("symbol", "ticker", "sym", "code", "instrument", "act_symbol"),
    "session_date": (
        "session_date",
        "date",
        "day",
        "datetime",
        "timestamp",
        "time",
        "trade_date",
        "price_date",
    ),
    "open": ("open", "o", "open_price", "price_open", "px_open"),
    "high": ("high", "h", "high_price", "price_high", "px_high"),
    "low": ("low", "l", "low_price", "price_low", "px_low"),
    "close": ("close", "c", "close_price", "price_close", "close_last", "px_last", "last", "price"),
    "adjusted_close": (
        "adjusted_close",
        "adj_close",
        "adjclose",
        "close_adjusted",
        "close_adj",
        "adj_close_price",
    ),
    "volume": ("volume", "v", "vol", "volume_traded", "px_volume"),
    "dividend": ("dividends", "dividend", "div_cash", "divcash", "dividend_amount", "ex_dividend"),
    "split": (
        "stock_splits",
        "splits",
        "split",
        "split_factor",
        "splitfactor",
        "split_ratio",
        "split_coefficient",
    ),
    "capital_gain": ("capital_gains", "capital_gain"),
    "price_basis": ("price_basis",),
}
_MEANINGS = {spelling: name for name, all_ in _SPELLINGS.items() for spelling in all_}

TEXT_COLUMNS = ("symbol", "price_basis")
NUMBERS = tuple(name for name in _SPELLINGS if name not in (*TEXT_COLUMNS, "session_date"))
"""Columns whose values are numbers."""

REQUIRED = ("session_date", "close")


class UnknownColumnsError(ValueError):
    """A header lacks a column that prices need, or spells one column twice."""


def meanings(header: Sequence[str]) -> Mapping[str, str]:
    """Return, for each column of a price file that is understood, what it is.

    Case, spaces and punctuation do not count; other columns are ignored.

    Raises
    ------
    UnknownColumnsError
        There is no date or no close, or two columns mean the same.
    """
    found: dict[str, str] = {}
    for spelled in header:
        meaning = _MEANINGS.get(plain_spelling(spelled))
        if meaning is None:
            continue
        if meaning in found.values():
            twice = [name for name, known in found.items() if known == meaning]
            raise UnknownColumnsError(f"{twice[0]!r} and {spelled!r} both mean {meaning}")
        found[spelled] = meaning
    missing = [name for name in REQUIRED if name not in found.values()]
    if missing:
        raise UnknownColumnsError(
            f"no column for {' and '.join(missing)} among {', '.join(header)[:200] or 'nothing'}"
        )
    return found


def plain_spelling(name: str) -> str:
    """Return a column's name in lower case with one underscore for all that is no letter."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lstrip("\ufeff").lower()).strip("_")
