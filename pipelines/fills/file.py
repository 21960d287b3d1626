"""Reading a file of fills: each row's cells to exact values, or what is wrong with it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.vocabulary import Side
from pipelines.clients import values
from pipelines.clients.csv_file import CsvFormat, RawRow, read_csv_file
from pipelines.clients.issues import RowIssue
from pipelines.fills.fill import Fill

_KEY = values.plain_text(128)


def _optional(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: read(text) if text else None


COLUMNS: dict[str, Callable[[str], Any]] = {
    "external_id": _KEY,
    "trade_id": _optional(_KEY),
    "account_id": _optional(_KEY),
    "symbol": _optional(_KEY),
    "side": values.word(Side),
    "quantity": values.quantity_to_micros,
    "price": values.price_to_micros,
    "fee": values.dollars_to_cents,
    "executed_at": values.moment,
    "settlement_date": _optional(values.iso_date),
}
"""The columns of the file, and how each cell is read."""

FORMAT = CsvFormat("fill file", tuple(COLUMNS), "docs/fills.md", "fill")


@dataclass(frozen=True)
class FillFile:
    """The fills of a file, what is wrong with other rows, its SHA-256 and how many rows it has."""

    digest: str
    fills: tuple[Fill, ...]
    issues: tuple[RowIssue, ...]
    rows: int


def read_fill_file(path: Path) -> FillFile:
    """Read a file in the format of docs/fills.md.

    Raises
    ------
    ClientInputError
        The file as a whole cannot be read.
    """
    file = read_csv_file(path, FORMAT)
    fills: list[Fill] = []
    issues = list(file.issues)
    for row in file.rows:
        found, wrong = _read(row)
        if found is None:
            issues += wrong
        else:
            fills.append(found)
    return FillFile(file.digest, tuple(fills), tuple(issues), len(file.rows) + len(file.issues))


def issue(line: int, field: str, problem: str, remedy: str, value: str | None = None) -> RowIssue:
    """Describe what is wrong; a broker's key is not shown: an account's number may stand in it."""
    return RowIssue(line, field, problem, remedy, None if field == "external_id" else value)


def _read(row: RawRow) -> tuple[Fill | None, list[RowIssue]]:
    cells: dict[str, Any] = {}
    issues: list[RowIssue] = []
    for name, read in COLUMNS.items():
        text = row.cells[name]
        try:
            cells[name] = read(text)
        except values.ValueProblem as error:
            shown = text if error.part is None else error.part
            issues.append(issue(row.line, name, error.problem, error.remedy, shown))
    if not issues:
        issues = _contradictions(row.line, cells)
    if issues:
        return None, issues
    quantity, price, fee = (cells.pop(name) for name in ("quantity", "price", "fee"))
    fill = Fill(
        line=row.line,
        quantity_micros=quantity,
        price_micros=price,
        fee_cents=fee,
        **cells,
    )
    if fill.settlement_date is not None and fill.settlement_date < fill.trade_date:
        return None, [
            issue(
                row.line,
                "settlement_date",
                "it lies before the execution",
                "Write the day on which cash and shares change hands, or leave it empty.",
            )
        ]
    if fill.notional_cents > values.MAX_DOLLARS * values.CENTS:
        return None, [
            issue(
                row.line,
                "quantity",
                f"at the price that is given it is worth more than {values.MAX_DOLLARS:,} dollars",
                "Check quantity and price: a fill cannot be taken back once it is booked.",
            )
        ]
    return fill, []


def _contradictions(line: int, cells: dict[str, Any]) -> list[RowIssue]:
    if cells["quantity"] == 0:
        return [
            issue(
                line,
                "quantity",
                "nothing was executed",
                "Leave out orders that were not filled.",
                "0",
            )
        ]
    if cells["trade_id"] is None and None in (cells["account_id"], cells["symbol"]):
        return [
            issue(
                line,
                "trade_id",
                "it says neither which trade was filled nor which account and symbol",
                "Fill in trade_id, or account_id and symbol.",
            )
        ]
    if cells["executed_at"] > dt.datetime.now(dt.UTC):
        return [issue(line, "executed_at", "it lies in the future", "Check the date and offset.")]
    return []
