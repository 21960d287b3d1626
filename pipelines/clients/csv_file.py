"""Reading a CSV file: bytes to cells by column name, with the line each row begins on."""

import csv
import hashlib
import io
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.clients.columns import BY_NAME
from pipelines.clients.issues import RowIssue
from pipelines.errors import ClientInputError

if TYPE_CHECKING:
    from _csv import Reader

_LARGEST_BYTES = 1 << 30
"""Some five million rows: no file of a person's making is larger."""


@dataclass(frozen=True)
class CsvFormat:
    """What a file is called in errors, its columns, where it is described, what a row is of."""

    thing: str
    columns: Collection[str]
    guide: str
    row_of: str

    @property
    def hint(self) -> str:
        """The remedy where a file is not of this format."""
        return f"The format is described in {self.guide}."


CLIENT_FORMAT = CsvFormat("client file", tuple(BY_NAME), "docs/clients.md", "account")


@dataclass(frozen=True)
class RawRow:
    """One row's cells by column name, trimmed; ``line`` counts from 1, the header's line."""

    line: int
    cells: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class ClientFile:
    """The rows of one file, those that do not fit its header as issues, and its SHA-256."""

    digest: str
    rows: tuple[RawRow, ...]
    issues: tuple[RowIssue, ...]


def read_client_file(path: Path) -> ClientFile:
    """Read a file of clients; see :func:`read_csv_file`."""
    return read_csv_file(path, CLIENT_FORMAT)


def read_csv_file(path: Path, of: CsvFormat) -> ClientFile:
    """Read a UTF-8 CSV file whose header names exactly the columns of its format, in any order.

    Raises
    ------
    ClientInputError
        There is no such file, it is empty, is not UTF-8, is not CSV, or its header is wrong.
    """
    try:
        _require_readable_size(path, of)
        content = path.read_bytes()
    except OSError as error:
        raise ClientInputError(
            of.thing, path, f"it cannot be read ({error.strerror})", "Check the path."
        ) from None
    text = _decoded(path, content, of)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, of)
        rows, issues = _split_rows(reader, header)
    except csv.Error as error:
        raise ClientInputError(
            of.thing,
            path,
            f"line {reader.line_num} is not CSV ({error})",
            "Nothing was loaded, since a stray quote hides where rows end. Mend that line.",
        ) from None
    if not rows and not issues:
        raise ClientInputError(
            of.thing, path, "it has a header but no rows", f"Add one row per {of.row_of}."
        )
    return ClientFile(hashlib.sha256(content).hexdigest(), tuple(rows), tuple(issues))


def _require_readable_size(path: Path, of: CsvFormat) -> None:
    size = path.stat().st_size
    if size > _LARGEST_BYTES:
        raise ClientInputError(
            of.thing,
            path,
            f"it has {size:,} bytes, more than {_LARGEST_BYTES:,}",
            "Import it in parts: it is read into memory as a whole.",
        )


def _decoded(path: Path, content: bytes, of: CsvFormat) -> str:
    if not content.strip():
        raise ClientInputError(of.thing, path, "it is empty", of.hint)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ClientInputError(
            of.thing,
            path,
            f"line {line} is not UTF-8 text (byte {error.start})",
            "Save the file with the encoding UTF-8.",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ClientInputError(
            of.thing,
            path,
            f"line {line} holds a NUL character, so it is no text file",
            "Save the file as CSV with the encoding UTF-8.",
        )
    # The same name must compare equal however its accents were typed.
    return unicodedata.normalize("NFC", text)


def _check_header(path: Path, header: list[str], of: CsvFormat) -> None:
    if not set(header) & set(of.columns):
        # Not quoted: a file without a header has a person in its first line.
        raise ClientInputError(of.thing, path, "its first line is no header", of.hint)
    missing = [name for name in of.columns if name not in header]
    extra = sorted({name for name in header if name not in of.columns})
    repeated = sorted({name for name in header if header.count(name) > 1})
    complaints = [
        f"{what} {', '.join(map(repr, names))}"
        for what, names in (
            ("lacks the columns", missing),
            ("has unknown columns", extra),
            ("repeats the columns", repeated),
        )
        if names
    ]
    if complaints:
        raise ClientInputError(of.thing, path, f"its header {' and '.join(complaints)}", of.hint)


def _split_rows(reader: "Reader", header: list[str]) -> tuple[list[RawRow], list[RowIssue]]:
    rows: list[RawRow] = []
    issues: list[RowIssue] = []
    ended_on = reader.line_num
    for cells in reader:
        line, ended_on = ended_on + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            issues.append(
                RowIssue(
                    line,
                    "row",
                    f"it has {len(cells)} cells where the header has {len(header)}",
                    "Quote cells that hold a comma.",
                )
            )
            continue
        trimmed = (cell.strip() for cell in cells)
        rows.append(RawRow(line, dict(zip(header, trimmed, strict=True))))
    return rows, issues
