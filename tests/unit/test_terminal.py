"""Reports on a terminal are read without knowing Python."""

import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from pipelines.clients import GenerateReport
from pipelines.terminal import report_view


class Kind(StrEnum):
    SMALL = "small"


@dataclass(frozen=True)
class Report:
    session_date: dt.date
    path: Path
    kind: Kind
    new_rows: int
    written: bool
    symbols: tuple[str, ...]
    left_out: Mapping[str, str]
    rows: Mapping[str, int]
    remark: str | None


REPORT = Report(
    session_date=dt.date(2022, 12, 28),
    path=Path("/some/[bold]/" + "long" * 40),
    kind=Kind.SMALL,
    new_rows=185_893,
    written=False,
    symbols=("AA", "BB"),
    left_out={},
    rows={"features": 1234, "bars": 5},
    remark=None,
)


def printed(report: object, width: int = 250) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(report_view(report))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_report_is_a_table_of_fields_and_values() -> None:
    lines = [line.split("│") for line in printed(REPORT).splitlines()]
    cells = {line[1].strip(): line[2].strip() for line in lines if len(line) == 4}
    assert cells == {
        "session date": "2022-12-28",
        "path": str(REPORT.path),
        "kind": "small",
        "new rows": "185,893",
        "written": "no",
        "symbols": "AA, BB",
        "left out": "none",
        "rows": "features: 1,234",
        "": "bars: 5",
        "remark": "-",
    }


def test_nothing_of_a_long_value_is_cut_on_a_narrow_terminal() -> None:
    kept = "".join(
        line.strip("│ ").rpartition("│")[2].strip() for line in printed(REPORT, 40).split("\n")
    )
    assert str(REPORT.path) in kept


def test_a_report_with_a_form_of_its_own_keeps_it() -> None:
    report = GenerateReport(5, 7, "2022-12-28", added=0, present=5)
    assert printed(report).strip() == str(report)
