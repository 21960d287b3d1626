"""The first line of a delimited text file: what its columns are."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipelines.ingest.files.columns import meanings

_DELIMITERS = (",", ";", "\t", "|")


class UnreadableError(ValueError):
    """A file is no table of prices as a whole."""


@dataclass(frozen=True)
class Header:
    """A file's first line: its delimiter, its columns, and what those mean that are understood."""

    delimiter: str
    columns: tuple[str, ...]
    meanings: Mapping[str, str]
    length: int
    """Bytes of the line, its end included."""


def read_header(content: bytes) -> Header:
    """Return the header of a delimited file.

    Raises
    ------
    UnreadableError
        The bytes are no text, or there is no line.
    UnknownColumnsError
        The columns are not those of prices.
    """
    end = content.find(b"\n")
    line = content[: end + 1] if end >= 0 else content
    if b"\x00" in line or len(line) > 100_000:
        raise UnreadableError("it is no text")
    if not line.strip():
        raise UnreadableError("it is empty" if not content.strip() else "its first line is empty")
    return _header(line)


@lru_cache(maxsize=256)
def _header(line: bytes) -> Header:
    try:
        text = line.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise UnreadableError("its header is not UTF-8") from None
    delimiter = max(_DELIMITERS, key=text.count)
    columns = tuple(name.strip() for name in next(csv.reader([text], delimiter=delimiter)))
    return Header(delimiter, columns, meanings(columns), len(line))
