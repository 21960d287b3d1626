"""Quarantine for people: grouped by symbol and rule, one symbol's bars, or everything as CSV."""

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.compute as pc

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class RejectionGroup:
    """All rejections of one symbol under one rule; the words are those of the last."""

    symbol: str
    rule: str
    rows: int
    first_session: dt.date
    last_session: dt.date
    reason: str
    remedy: str

    @property
    def cells(self) -> tuple[object, ...]:
        """The group as few columns, so that it fits on a narrow terminal."""
        sessions = f"{self.first_session}\n{self.last_session}"
        return self.symbol, self.rule, self.rows, sessions, f"{self.reason}\n{self.remedy}"


def grouped(rejections: pa.Table) -> list[RejectionGroup]:
    """Group rejections of any dataset by symbol and rule, in that order."""
    groups = defaultdict(list)
    for row in rejections.to_pylist():
        groups[row["symbol"], row["rule"]].append(row)
    return [_group(rows) for _, rows in sorted(groups.items())]


def of_symbol(rejections: pa.Table, symbol: str) -> pa.Table:
    """Return the rejections of one symbol."""
    return rejections.filter(pc.field("symbol") == symbol)


def write_csv(rejections: pa.Table, stream: TextIO) -> None:
    """Write all columns of all rows, a header first; dates and times in ISO 8601.

    Texts that a spreadsheet would take for a formula begin with an apostrophe: what a source sent,
    and was rejected for, must not run on the desk of whoever looks at it.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(rejections.column_names)
    for row in rejections.to_pylist():
        writer.writerow(_cells(row.values()))


def _group(rows: list[dict[str, Any]]) -> RejectionGroup:
    ordered = sorted(rows, key=_when)
    first, last = ordered[0], ordered[-1]
    return RejectionGroup(
        symbol=last["symbol"],
        rule=last["rule"],
        rows=len(rows),
        first_session=first["session_date"],
        last_session=last["session_date"],
        reason=last["reason"],
        remedy=last["remedy"],
    )


def _when(row: dict[str, Any]) -> tuple[dt.date, dt.datetime]:
    return row["session_date"], row["known_at"]


def _cells(values: Iterable[object]) -> list[object]:
    return [_cell(value) for value in values]


def _cell(value: object) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_BEGINS_A_FORMULA) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
