"""Where the panel ends per symbol."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from models.panel import ANCHORED, LAST_BAR
from pipelines.lake import arrow_schema
from pipelines.warehouse.panel.bars import Anchors
from pipelines.warehouse.panel.layout import date_of
from pipelines.warehouse.panel.rows import Rows, Words

_ANCHORS = tuple(column.name for column in ANCHORED[1:])


@dataclass
class LastBars:
    """Rows of ``models.panel.LAST_BAR`` by symbol."""

    words: Words
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, symbol: str, rows: Rows) -> None:
        """Take all rows of a symbol."""
        self.go_on(symbol, date_of(int(rows["session_date"][0])), rows, len(rows) - 1)

    def go_on(self, symbol: str, first: dt.date, rows: Rows, last: int) -> None:
        """Take a row that is now the last of a symbol whose first session is known."""
        self.rows[symbol] = {
            "symbol": symbol,
            "first_session_date": first,
            "session_count": int(rows["session_number"][last]),
            "session_date": date_of(int(rows["session_date"][last])),
            "close_micros": int(rows["close_micros"][last]),
            "price_basis": str(self.words.lists["price_basis"][rows["price_basis"][last]]),
            **{name: float(rows[name][last]) for name in _ANCHORS},
        }

    def remove(self, symbol: str) -> None:
        """Forget a symbol that may have no bar any more."""
        self.rows.pop(symbol, None)

    def basis(self, symbol: str) -> int:
        """Return the code of the price basis of a symbol's bars."""
        return self.words.lists["price_basis"].tolist().index(self.rows[symbol]["price_basis"])

    def anchors(self, symbol: str) -> Anchors:
        """Return what is counted up to a symbol's last bar."""
        row = self.rows[symbol]
        return Anchors(row["session_count"], *(row[name] for name in _ANCHORS))

    def to_arrow(self) -> pa.Table:
        """Return the rows, by symbol."""
        schema = arrow_schema(LAST_BAR).remove_metadata()
        rows = [self.rows[symbol] for symbol in sorted(self.rows)]
        return pa.table(
            [
                pa.array([row[name] for row in rows], schema.field(name).type, from_pandas=True)
                for name in schema.names
            ],
            schema=schema,
        )


def read(rows: pa.Table, words: Words) -> LastBars:
    """Return the rows of a base's ``last_bars.parquet``."""
    nan = float("nan")
    found: Sequence[dict[str, Any]] = rows.to_pylist()
    return LastBars(
        words,
        {row["symbol"]: row | {"obv": nan if row["obv"] is None else row["obv"]} for row in found},
    )
