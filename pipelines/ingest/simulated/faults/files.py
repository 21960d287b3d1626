# ruff: noqa: ARG005 - a fault need not use all that its signature offers
"""Faults of files: one symbol's CSV among good ones cannot be read, or only in part.

The first line of a file is its header; its rows begin with the date.
"""

from collections.abc import Callable

from pipelines.ingest.simulated.faults.fault import Boundary, FileFault, FileSpoil

_PAGE = b"<!DOCTYPE html><html><body><h1>429 Too Many Requests</h1></body></html>\n"


def _half_a_file(content: bytes, severity: float) -> bytes:
    """Cut inside a row, so that its last number may still look like one."""
    end = int(len(content) * severity)
    return content[: end - 4 if content[end - 1 : end] == b"\n" else end]


def _replaced(by: bytes) -> FileSpoil:
    return lambda content, severity: by


def _lines(spoil: Callable[[list[bytes]], list[bytes]]) -> FileSpoil:
    return lambda content, severity: b"\n".join(spoil(content.splitlines())) + b"\n"


def _text_in_number(lines: list[bytes]) -> list[bytes]:
    row = lines[len(lines) // 2].split(b",")
    row[4] = b"n/a?"
    lines[len(lines) // 2] = b",".join(row)
    return lines


def _cells_missing(lines: list[bytes]) -> list[bytes]:
    lines[len(lines) // 2] = b",".join(lines[len(lines) // 2].split(b",")[:3])
    return lines


def _day_first(lines: list[bytes]) -> list[bytes]:
    """Write dates as 31/12/2020, which reads as another date where the day is below 13."""
    rows = [line.split(b",", 1) for line in lines[1:]]
    days = [b"/".join(reversed(day.split(b"-"))) for day, _ in rows]
    return [lines[0], *(b",".join([day, rest]) for day, (_, rest) in zip(days, rows, strict=True))]


def _decimal_comma(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b",", b";").replace(b".", b",") for line in lines]


def _date_impossible(lines: list[bytes]) -> list[bytes]:
    middle = len(lines) // 2
    lines[middle] = b"2020-02-31" + lines[middle][10:]
    return lines


_F = Boundary.FILES
FILE_FAULTS = (
    FileFault(
        "half_a_file",
        _F,
        "a file cut off inside a row",
        _half_a_file,
        (0.1, 0.5, 0.95, 0.999),
        "share of the file that came",
        0.1,
    ),
    FileFault("empty_file", _F, "a file of no bytes", _replaced(b"")),
    FileFault("not_a_table", _F, "an error page instead of a table", _replaced(_PAGE)),
    FileFault("binary_file", _F, "bytes that are no text", _replaced(bytes(range(256)) * 16)),
    FileFault("header_lost", _F, "a table without a header", _lines(lambda lines: lines[1:])),
    FileFault("text_in_number", _F, "a word where a price should be", _lines(_text_in_number)),
    FileFault("cells_missing", _F, "a row with too few cells", _lines(_cells_missing)),
    FileFault("date_impossible", _F, "the 31st of February", _lines(_date_impossible)),
    FileFault("dates_day_first", _F, "dates written day first", _lines(_day_first)),
    FileFault("decimal_comma", _F, "decimal commas between semicolons", _lines(_decimal_comma)),
)
