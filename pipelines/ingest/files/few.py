"""A few plain lines of a price file, such as a new session adds at its end.

A parser made for megabytes wakes threads for a single line, and five thousand files have one each.
"""

import datetime as dt
import re

import pyarrow as pa

from pipelines.ingest.files.columns import NUMBERS
from pipelines.ingest.files.header import Header

_MOST_BYTES = 2048
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def few_plain_rows(header: Header, body: bytes | memoryview) -> pa.Table | None:
    """Return the rows of a few lines of ISO dates and plain numbers, exactly as Arrow reads them.

    None where there are more lines, or anything in them is not plain.
    """
    if not 0 < len(body) <= _MOST_BYTES:
        return None
    lines = str(body, "latin-1").removesuffix("\n").split("\n")
    fields = [line.removesuffix("\r").split(header.delimiter) for line in lines]
    is_plain = all(len(one) == len(header.columns) for one in fields)
    if not is_plain or any(odd in text for one in fields for text in one for odd in '"\r'):
        return None
    columns = {}
    for name, texts in zip(header.columns, zip(*fields, strict=True), strict=True):
        if (meaning := header.meanings.get(name)) is None:
            continue
        if (values := _values(meaning, texts)) is None:
            return None
        columns[meaning] = values
    return pa.table({meaning: columns[meaning] for meaning in header.meanings.values()})


def _values(meaning: str, texts: tuple[str, ...]) -> pa.Array | None:
    if meaning in NUMBERS and all(map(_NUMBER.fullmatch, texts)):
        return pa.array([float(text) for text in texts], pa.float64())
    if meaning == "session_date" and all(map(_DATE.fullmatch, texts)):
        try:
            return pa.array([dt.date.fromisoformat(text) for text in texts], pa.date32())
        except ValueError:  # a day that does not exist
            return None
    return None
