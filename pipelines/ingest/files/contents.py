"""Which symbols and days a price file holds, told from as little of it as possible."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import pyarrow.compute as pc

from pipelines.ingest.files.arrivals import Arrivals
from pipelines.ingest.files.columns import UnknownColumnsError
from pipelines.ingest.files.folder import DataFile
from pipelines.ingest.files.header import Header, UnreadableError, read_header
from pipelines.ingest.files.reading import read_price_file
from pipelines.lineage import canonical_json

_PROBES = (0.25, 0.5, 0.75)
_PROBE_BYTES = 2048
_KEYS = ("symbol", "session_date")


@dataclass(frozen=True)
class Contents:
    """The symbols of a file and its first and last day; the days are None where it has none."""

    symbols: tuple[str, ...]
    first_day: dt.date | None
    last_day: dt.date | None


def contents_of(files: Iterable[DataFile], arrivals: Arrivals) -> dict[DataFile, Contents]:
    """Look into price files that have changed since the last look.

    A file of one symbol whose days are in order is told from a few of its lines. Any other is read
    whole. A file that cannot be read counts as one of its name's symbol, without days: what is
    wrong with it comes out when it is delivered.
    """
    found, fresh = {}, {}
    for file in files:
        try:
            if (known := arrivals.seen(file.path)) is not None:
                found[file] = _of_text(known)
                continue
            found[file] = _look(file)
            fresh[file.path] = _text(found[file])
        except (UnreadableError, UnknownColumnsError, OSError):
            found[file] = Contents((file.name,), None, None)
    if fresh:
        arrivals.remember_seen(fresh)
    return found


def _look(file: DataFile) -> Contents:
    if file.suffix in (".csv", ".tsv") and (told := _glance(file)) is not None:
        return told
    return _scan(file)


def _glance(file: DataFile) -> Contents | None:
    """Return what a few lines say; nothing where they do not suffice."""
    size = file.path.stat().st_size
    with file.path.open("rb") as stream:
        head = stream.read(_PROBE_BYTES)
        header = read_header(head)
        if "symbol" in header.meanings.values() or size <= _PROBE_BYTES:
            return None
        lines = head[header.length :].split(b"\n")[:2]
        for share in _PROBES:
            stream.seek(int(size * share))
            # The first piece is the end of a line.
            lines += stream.read(_PROBE_BYTES // 4).split(b"\n")[1:2]
        stream.seek(size - _PROBE_BYTES // 2)
        lines += stream.read().rstrip(b"\r\n").split(b"\n")[-2:]
    days = _days(header, lines)
    if days is None or not (_is_ascending(days) or _is_ascending(days[::-1])):
        return None
    return Contents((file.name,), min(days), max(days))


def _days(header: Header, lines: Iterable[bytes]) -> list[dt.date] | None:
    field = [header.meanings.get(name) for name in header.columns].index("session_date")
    days = []
    for line in lines:
        fields = line.decode("utf-8", "replace").split(header.delimiter)
        try:
            days.append(dt.date.fromisoformat(fields[field].strip(' "\r')[:10]))
        except (ValueError, IndexError):
            return None
    return days


def _is_ascending(days: Sequence[dt.date]) -> bool:
    return all(before <= after for before, after in pairwise(days))


def _text(contents: Contents) -> str:
    return canonical_json(asdict(contents))


def _of_text(text: str) -> Contents:
    values = json.loads(text)
    first, last = (
        dt.date.fromisoformat(values[name]) if values[name] else None
        for name in ("first_day", "last_day")
    )
    return Contents(tuple(values["symbols"]), first, last)


def _scan(file: DataFile) -> Contents:
    rows = read_price_file(file, file.read(), only=_KEYS).rows
    days = pc.min_max(rows["session_date"]).as_py()
    symbols = (file.name,)
    if "symbol" in rows.column_names:
        symbols = tuple(sorted(pc.unique(rows["symbol"]).to_pylist()))
    return Contents(symbols, days["min"], days["max"])
