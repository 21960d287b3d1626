"""Price rows of a delimited text file: quick where the file is plain, patient where it is not.

A plain file has ISO dates and plain numbers and is parsed in one pass. Any other is read as text
and understood column by column; a row that has a value which is neither a number nor missing, or
another number of fields than the header, is set aside as the text that was received.
"""

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from pipelines.ingest.files.columns import NUMBERS, TEXT_COLUMNS
from pipelines.ingest.files.dates import AmbiguousDatesError, as_dates
from pipelines.ingest.files.few import few_plain_rows
from pipelines.ingest.files.header import Header, UnreadableError

MISSING = ["", "null", "NULL", "NaN", "nan", "N/A", "n/a", "NA", "#N/A", "None", "-"]
"""Texts that stand for a value which is not there."""

_KEYS = ("symbol", "session_date")

_BLOCK_BYTES = 1 << 20
_GROUPED = r"^\$?-?\d{1,3}(,\d{3})+(\.\d*)?$"
_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?[iI]nf(inity)?$"


@dataclass(frozen=True)
class Parsed:
    """Understood rows, each column under the name of its meaning, and lines that were not."""

    rows: pa.Table
    bad_lines: tuple[str, ...] = ()
    bad_reason: str = ""


def read_rows(
    header: Header, body: bytes | memoryview, symbols: Collection[str] | None = None
) -> Parsed:
    """Return the rows below a header, all or those of some symbols.

    Raises
    ------
    UnreadableError
        The text cannot be split into lines and fields, or its dates can be read in two ways.
    """
    if (few := few_plain_rows(header, body)) is not None:
        return Parsed(few)
    bad = _Bad()
    try:
        rows = _parse(header, body, _plain_types(header), bad, symbols)
        if any(rows[name].null_count for name in _KEYS if name in rows.column_names):
            return _read_patiently(header, body, symbols)
    except pa.ArrowInvalid:
        return _read_patiently(header, body, symbols)
    return Parsed(rows, tuple(bad.lines), bad.reason)


def _read_patiently(
    header: Header, body: bytes | memoryview, symbols: Collection[str] | None
) -> Parsed:
    bad = _Bad()
    as_text = dict.fromkeys(header.meanings.values(), pa.string())
    try:
        text = _parse(header, _decodable(body), as_text, bad, symbols)
    except pa.ArrowInvalid as error:
        raise UnreadableError(f"it cannot be split into rows ({error})") from None
    columns: dict[str, pa.ChunkedArray] = {}
    misread = pa.chunked_array([pa.repeat(pa.scalar(value=False), text.num_rows)])
    wrong: dict[str, pa.ChunkedArray] = {}
    for name in text.column_names:
        given = pc.utf8_trim_whitespace(text[name])
        values = given
        if name in NUMBERS:
            values = _as_numbers(given)
        elif name == "session_date":
            try:
                values = as_dates(given)
            except AmbiguousDatesError as error:
                raise UnreadableError(str(error)) from None
        columns[name] = values
        wrong[name] = pc.is_null(values)
        if name not in _KEYS:  # which a row cannot do without
            wrong[name] = pc.and_(wrong[name], pc.is_valid(given))
        misread = pc.or_(misread, wrong[name])
    rows = pa.table(columns)
    if pc.any(misread).as_py():
        names = [name for name, mask in wrong.items() if pc.any(mask).as_py()]
        reason = f"not understood: {', '.join(names)}"
        lost = text.filter(misread)
        for line in _lines(lost, header.delimiter):
            bad.add(line, reason)
        rows = rows.filter(pc.invert(misread))
    return Parsed(rows, tuple(bad.lines), bad.reason)


class _Bad:
    """Lines that were set aside, and why."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._reasons: dict[str, None] = {}

    def add(self, line: str, reason: str) -> None:
        self.lines.append(line)
        self._reasons[reason] = None

    def set_aside(self, row: pacsv.InvalidRow) -> str:
        """Take a row that the parser could not split into the columns."""
        self.add(row.text, f"{row.actual_columns} fields instead of {row.expected_columns}")
        return "skip"

    @property
    def reason(self) -> str:
        return "; ".join(self._reasons)


def _parse(
    header: Header,
    body: bytes | memoryview,
    types: Mapping[str, pa.DataType],
    bad: _Bad,
    symbols: Collection[str] | None,
) -> pa.Table:
    if not len(body):
        return pa.schema(list(types.items())).empty_table()
    names = [header.meanings.get(name, f"other {i}") for i, name in enumerate(header.columns)]
    options = {
        "read_options": pacsv.ReadOptions(
            use_threads=False, block_size=_BLOCK_BYTES, column_names=names
        ),
        "parse_options": pacsv.ParseOptions(
            delimiter=header.delimiter, invalid_row_handler=bad.set_aside
        ),
        "convert_options": pacsv.ConvertOptions(
            column_types=dict(types),
            include_columns=list(types),
            null_values=MISSING,
            strings_can_be_null=True,
        ),
    }
    if symbols is None or "symbol" not in types:
        return pacsv.read_csv(pa.BufferReader(body), **options)
    wanted = pa.array(sorted(symbols), pa.string())
    with pacsv.open_csv(pa.BufferReader(body), **options) as reader:
        blocks = [block.filter(pc.is_in(block["symbol"], wanted)) for block in reader]
    return pa.Table.from_batches(blocks, pa.schema(list(types.items())))


def _plain_types(header: Header) -> dict[str, pa.DataType]:
    types: dict[str, pa.DataType] = {"session_date": pa.date32()}
    types |= dict.fromkeys(TEXT_COLUMNS, pa.string())
    types |= dict.fromkeys(NUMBERS, pa.float64())
    return {name: types[name] for name in header.meanings.values()}


def _as_numbers(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read numbers, with a dollar sign or commas between thousands too; others become null."""
    grouped = pc.fill_null(pc.match_substring_regex(text, _GROUPED), fill_value=False)
    bare = pc.replace_substring(text, "$", "")
    bare = pc.if_else(grouped, pc.replace_substring(bare, ",", ""), bare)
    is_number = pc.fill_null(pc.match_substring_regex(bare, _PLAIN), fill_value=False)
    return pc.if_else(is_number, bare, pa.scalar(None, pa.string())).cast(pa.float64())


def _decodable(body: bytes | memoryview) -> bytes:
    """Return the text with a mark for each byte that is not UTF-8."""
    return bytes(body).decode("utf-8", errors="backslashreplace").encode()


def _lines(rows: pa.Table, delimiter: str) -> list[str]:
    lines = []
    for row in rows.to_pylist():
        stream = io.StringIO()
        csv.writer(stream, delimiter=delimiter, lineterminator="").writerow(row.values())
        lines.append(stream.getvalue())
    return lines
