"""The ``files`` source: a user's own folder of CSV or Parquet files."""

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import Arrival, Source
from pipelines.errors import SourceError
from pipelines.ingest.files import reference
from pipelines.ingest.files.arrivals import Arrivals
from pipelines.ingest.files.bars import actions, bars
from pipelines.ingest.files.contents import Contents, contents_of
from pipelines.ingest.files.folder import DataFile, Folder
from pipelines.ingest.files.taking import Taken, Taker
from pipelines.ingest.provider import PRICE_SCHEMA, Delivery, Problem, Span
from pipelines.lineage import canonical_json
from pipelines.sessions import FIRST_DATE, available_at, sessions_between
from pipelines.settings import Settings

BATCH_BYTES = 48 << 20
"""About how much text is read for one batch. Columns of larger ones fall out of the processor's
caches, smaller ones leave more files in the lake: docs/decisions/ingest.md."""

_HASHING, _OPENING_BYTES = 0.05, 2048
"""What a known byte costs beside a new one, and what a file costs in bytes: a session that adds a
line to each file is a few batches, and a few files of the lake."""

_REACHED_BY = 1 / 20
"""The newest session is one that at least this share of the symbols reaches."""


class FilesProvider:
    """Reads price files of one symbol each, named by it, or long tables with a symbol column."""

    source = Source.FILES
    arrival = Arrival.BULK

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = Folder(settings.files_folder)

    def first_session(self) -> dt.date:
        """Return the oldest day that any file has."""
        return min(day for day in self._first_days.values() if day is not None)

    def newest_session(self) -> dt.date:
        """Return the newest closed session that more than a few symbols reach.

        One file with a bar of the future must not move everybody's session.
        """
        now = dt.datetime.now(dt.UTC)
        reached = Counter(
            one.last_day for one in self._contents.values() if one.last_day is not None
        )
        if not reached:
            raise self._nothing_readable()
        wanted = max(1, math.ceil(_REACHED_BY * reached.total()))
        sessions = set(sessions_between(max(min(reached), FIRST_DATE), max(reached)))
        count = 0
        for day in sorted(reached, reverse=True):
            count += reached[day]
            if count >= wanted and day in sessions and available_at(day) <= now:
                return day
        raise self._nothing_readable()

    def instruments(self) -> pa.Table:
        """Return ``instruments.csv``, and unclassified symbols that nobody may trade."""
        return reference.instruments(self._folder, self._first_days)

    def universe(self) -> pa.Table:
        """Return ``universe.csv``, or a universe of hindsight."""
        return reference.universe(self._folder, self._first_days)

    def batches(self, session: dt.date) -> list[tuple[str, ...]]:
        """Return the symbols in alphabetical groups of about as much work each.

        There is an even number of groups, where there are several, to share among two processes.
        """
        weight: dict[str, float] = defaultdict(float)
        for file, contents in self._contents.items():
            for symbol in contents.symbols:
                weight[symbol] += self._bytes_of_work(file) / len(contents.symbols)
        symbols = sorted(weight)
        total = sum(weight.values())
        count = math.ceil(total / BATCH_BYTES)
        count = min(count + count % 2 if count > 1 else 1, len(symbols))
        so_far = np.cumsum([weight[symbol] for symbol in symbols])
        # Empty files at the front weigh nothing, and must not fall out before the first group.
        group = np.clip((so_far - 1e-9) * count // max(total, 1), 0, count - 1).astype(int)
        parts = [
            tuple(symbol for symbol, its in zip(symbols, group, strict=True) if its == number)
            for number in range(count)
        ]
        return [part for part in parts if part]

    def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
        """Return the bars and actions of some symbols that are not stored yet, up to a day.

        A file that has not changed since it was stored is not parsed. Of one that only grew, what
        was added is.
        """
        taker, asked = Taker(self._arrivals, end), frozenset(symbols)
        taken = [
            taker.take(file, self._contents[file].symbols, asked)
            for file in self._files_of(symbols)
        ]
        fresh = [one for one in taken if one.rows is not None]
        rows = _joined(fresh, start, end)
        listed = self._actions.filter(pc.field("symbol").isin(list(symbols)) & _between(start, end))
        return Delivery(
            prices=bars(rows) if rows.num_rows else PRICE_SCHEMA.empty_table(),
            actions=pa.concat_tables([actions(rows), listed]),
            problems=tuple(problem for one in taken for problem in one.problems),
            origin=_origin(fresh),
            spans=_merged(span for one in taken for span in one.spans),
            stored=partial(_remember, self._arrivals, taken),
        )

    def macro(self, start: dt.date, end: dt.date) -> tuple[pa.Table, tuple[Problem, ...]]:
        """Return ``macro.csv``."""
        day = pc.field("observation_date")
        rows = reference.macro(self._folder)
        wanted = (day >= pa.scalar(start, pa.date32())) & (day <= pa.scalar(end, pa.date32()))
        return rows.filter(wanted), ()

    def _bytes_of_work(self, file: DataFile) -> float:
        """Return how many bytes there are to parse; hashing known ones costs little beside it."""
        size = file.path.stat().st_size
        before = self._arrivals.of(file.path.name, "")
        if before is None or before.size > size or not before.is_complete:
            return size
        return size - before.size + _HASHING * before.size + _OPENING_BYTES

    def _files_of(self, symbols: Collection[str]) -> list[DataFile]:
        wanted = set(symbols)
        return [file for file, contents in self._contents.items() if wanted & set(contents.symbols)]

    @cached_property
    def _contents(self) -> dict[DataFile, Contents]:
        return contents_of(self._folder.price_files, self._arrivals)

    @cached_property
    def _first_days(self) -> dict[str, dt.date | None]:
        days: dict[str, dt.date | None] = {}
        for contents in self._contents.values():
            for symbol in contents.symbols:
                known = [day for day in (days.get(symbol), contents.first_day) if day is not None]
                days[symbol] = min(known, default=None)
        if not any(days.values()):
            raise self._nothing_readable()
        return days

    @cached_property
    def _actions(self) -> pa.Table:
        return reference.actions(self._folder)

    @cached_property
    def _arrivals(self) -> Arrivals:
        return Arrivals(self._settings, self._folder.path)

    def _nothing_readable(self) -> SourceError:
        return SourceError(
            "setting SMARTINVEST_FILES_FOLDER",
            self._folder.path,
            "no file in it can be read as prices",
            "Their columns and days are described in docs/files.md.",
        )


def _joined(taken: Iterable[Taken], start: dt.date, end: dt.date) -> pa.Table:
    tables = [one.rows for one in taken if one.rows is not None]
    if not tables:
        return PRICE_SCHEMA.empty_table()
    rows = pa.concat_tables(tables, promote_options="default").unify_dictionaries()
    days = pc.min_max(rows["session_date"]).as_py()
    if start <= days["min"] and days["max"] <= end:
        return rows
    return rows.filter(_between(start, end))


def _between(start: dt.date, end: dt.date) -> pc.Expression:
    day = pc.field("session_date")
    return (day >= pa.scalar(start, pa.date32())) & (day <= pa.scalar(end, pa.date32()))


def _origin(taken: Iterable[Taken]) -> str:
    digests = {one.arrival.file: one.arrival.digest for one in taken if one.arrival is not None}
    return canonical_json(digests)


def _remember(arrivals: Arrivals, taken: Iterable[Taken], landed: Collection[str]) -> None:
    arrivals.remember([one.arrival for one in taken if one.arrival is not None], landed)


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return one span for each symbol, which may lie in several files."""
    merged: dict[str, Span] = {}
    for span in spans:
        known = merged.get(span.symbol, span)
        merged[span.symbol] = Span(
            span.symbol,
            span.rows if known is span else known.rows + span.rows,
            min(known.first_day, span.first_day),
            max(known.last_day, span.last_day),
        )
    return tuple(merged[symbol] for symbol in sorted(merged))
