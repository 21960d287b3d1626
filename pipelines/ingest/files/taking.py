"""Take what is new of one price file: nothing, what was added at its end, or all of it."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.ingest.files.arrivals import Arrival, Arrivals
from pipelines.ingest.files.bars import repeated
from pipelines.ingest.files.columns import UnknownColumnsError
from pipelines.ingest.files.delimited import Parsed
from pipelines.ingest.files.folder import DataFile
from pipelines.ingest.files.header import UnreadableError
from pipelines.ingest.files.reading import read_price_file
from pipelines.ingest.provider import Problem, Span
from pipelines.lineage import json_digest

_KEPT_BYTES = 1 << 20
"""How much of a file that cannot be read at all is kept as the text that was received."""

_LINE_REMEDY = "Mend these lines in the file and ingest again; the others are taken."
_FILE_REMEDY = "Mend or remove the file and ingest again; the others are taken."


@dataclass(frozen=True)
class Taken:
    """What came of one file.

    ``rows`` are those to deliver, None where there are none; ``arrival`` is what to remember once
    they are stored.
    """

    rows: pa.Table | None = None
    arrival: Arrival | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def spans(self) -> tuple[Span, ...]:
        """What the file has of its symbols, stored before or delivered now."""
        return self.arrival.spans if self.arrival else ()


class Taker:
    """Takes files for one delivery up to a session."""

    def __init__(self, arrivals: Arrivals, end: dt.date) -> None:
        self._arrivals = arrivals
        self._end = end

    def take(self, file: DataFile, symbols: Sequence[str], asked: frozenset[str]) -> Taken:
        """Return what is new of a file.

        Parameters
        ----------
        symbols : all that the file holds.
        asked : those wanted, and others that it does not hold.
        """
        wanted = sorted(asked & set(symbols))
        key = "" if len(wanted) == len(symbols) else json_digest(wanted)
        before = self._arrivals.of(file.path.name, key)
        try:
            content = file.read()
        except OSError as error:
            return Taken(problems=(_unreadable(file, f"it cannot be read ({error.strerror})"),))
        digest, is_grown = _compare(content, before, file)
        if before is not None and digest == before.digest and self._is_stored(before):
            return Taken(arrival=replace(before, through=max(before.through, self._end)))
        try:
            if before is not None and is_grown and before.is_complete:
                return self._added(file, content, digest, before)
            parsed = read_price_file(file, content, symbols=wanted)
        except (UnreadableError, UnknownColumnsError) as error:
            return Taken(problems=(_unreadable(file, str(error), content),))
        # Each batch of a long table reads it, and one of them is enough to report its bad lines.
        problems = _bad_lines(file, parsed) if wanted[0] == min(symbols) else ()
        rows = parsed.rows
        if rows.num_rows == 0:
            return Taken(problems=(*problems, _unreadable(file, "it has no bars")))
        if "symbol" in rows.column_names:
            encoded = rows["symbol"].dictionary_encode().combine_chunks()
            rows = rows.set_column(rows.schema.get_field_index("symbol"), "symbol", encoded)
        else:
            rows = rows.append_column("symbol", repeated(file.name, rows.num_rows))
        days = _days(rows)
        is_ascending = len(symbols) == 1 and bool(np.all(days[1:] >= days[:-1]))
        arrival = Arrival(
            file=file.path.name,
            asked=key,
            size=len(content),
            digest=digest,
            through=self._end,
            last_day=_date(days.max()),
            spans=self._spans(rows, days),
            is_ascending=is_ascending,
            last_adjusted=_last_adjusted(rows) if is_ascending else None,
        )
        return Taken(rows, arrival, problems)

    def _is_stored(self, before: Arrival) -> bool:
        return before.is_complete or self._end <= before.through

    def _added(self, file: DataFile, content: bytes, digest: str, before: Arrival) -> Taken:
        """Return the rows behind those that are known, with the adjusted close before them."""
        parsed = read_price_file(file, content, after=before.size)
        rows, problems = parsed.rows, _bad_lines(file, parsed)
        if rows.num_rows == 0:
            arrival = replace(before, size=len(content), digest=digest)
            return Taken(arrival=arrival, problems=problems)
        rows = rows.append_column("symbol", repeated(file.name, rows.num_rows))
        days = _days(rows)
        last = before.last_day
        is_ascending = bool(np.all(days[1:] >= days[:-1])) and _date(days[0]) > last
        if is_ascending and before.last_adjusted is not None:
            base = np.full(rows.num_rows, np.nan)
            base[0] = before.last_adjusted
            rows = rows.append_column("return_base", pa.array(base))
        (new,) = self._spans(rows, days) or (None,)
        (old,) = before.spans or (None,)
        spans = [span for span in (old, new) if span is not None]
        merged = replace(
            spans[0],
            rows=sum(span.rows for span in spans),
            first_day=min(span.first_day for span in spans),
            last_day=max(span.last_day for span in spans),
        )
        arrival = replace(
            before,
            size=len(content),
            digest=digest,
            through=max(before.through, self._end),
            last_day=max(last, _date(days.max())),
            spans=(merged,),
            is_ascending=is_ascending,
            last_adjusted=_last_adjusted(rows) if is_ascending else None,
        )
        return Taken(rows, arrival, problems)

    def _spans(self, rows: pa.Table, days: npt.NDArray[np.int32]) -> tuple[Span, ...]:
        """Return how many bars each symbol has up to the session, and over which days."""
        encoded = rows["symbol"].combine_chunks()
        codes = np.asarray(encoded.indices)
        until = days <= (self._end - dt.date(1970, 1, 1)).days
        names = encoded.dictionary.to_pylist()
        count = np.bincount(codes[until], minlength=len(names))
        first, last = np.full(len(names), days.max()), np.full(len(names), days.min())
        np.minimum.at(first, codes[until], days[until])
        np.maximum.at(last, codes[until], days[until])
        return tuple(
            Span(symbol, int(rows), _date(begin), _date(end))
            for symbol, rows, begin, end in zip(names, count, first, last, strict=True)
            if rows
        )


def _compare(content: bytes, before: Arrival | None, file: DataFile) -> tuple[str, bool]:
    """Return the digest of the bytes, and whether they begin with those of before, as lines."""
    digest = hashlib.sha256()
    is_grown = False
    if (
        before is not None
        and file.suffix in (".csv", ".tsv")
        and before.is_ascending
        and 0 < before.size < len(content)
        and content[before.size - 1 : before.size] == b"\n"
    ):
        digest.update(memoryview(content)[: before.size])
        is_grown = digest.hexdigest() == before.digest
        digest.update(memoryview(content)[before.size :])
    else:
        digest.update(content)
    return digest.hexdigest(), is_grown


def _bad_lines(file: DataFile, parsed: Parsed) -> tuple[Problem, ...]:
    if not parsed.bad_lines:
        return ()
    return (Problem(file.path.name, parsed.bad_reason, _LINE_REMEDY, parsed.bad_lines),)


def _unreadable(file: DataFile, reason: str, content: bytes = b"") -> Problem:
    if len(content) > _KEPT_BYTES:
        reason += f"; of its {len(content)} bytes the first {_KEPT_BYTES} are kept here"
    text = content[:_KEPT_BYTES].decode("utf-8", errors="backslashreplace")
    return Problem(file.path.name, reason, _FILE_REMEDY, tuple(text.splitlines()))


def _days(rows: pa.Table) -> npt.NDArray[np.int32]:
    return np.asarray(rows["session_date"].combine_chunks().cast(pa.int32()))


def _date(number: np.integer) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(number))


def _last_adjusted(rows: pa.Table) -> float | None:
    if "adjusted_close" not in rows.column_names:
        return None
    last: float | None = rows["adjusted_close"][-1].as_py()
    return last
