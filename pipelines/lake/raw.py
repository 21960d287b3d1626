"""Bitemporal datasets of the lake: where their files are, what a reader sees, how versions grow.

A row's *version* is its ``known_at``; its *entity* is the declared key without it. A reader of
session *s* with cut *k* sees, of each entity with ``session_date <= s``, the newest version with
``known_at <= k``.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.declaration import Table
from models.vocabulary import KnownAtBasis
from pipelines.lake.parquet import FileRecord, add_file, arrow_schema, conform, opened
from pipelines.settings import Settings

VERSION = "known_at"
_VERSION_COLUMNS = (VERSION, "known_at_basis")
_NOT_COMPARED = (*_VERSION_COLUMNS, "ingest_session", "adjusted_return_1d")
"""A row that differs in nothing but these says nothing new."""
_ONE_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class AppendResult:
    """What one append did: the file, if one was needed, and the rows in it."""

    file: FileRecord | None
    new_rows: int
    restated_rows: int


def dataset_files(settings: Settings, table: Table) -> list[Path]:
    """Return all finished files of a raw dataset of the settings' source, in path order."""
    return _files(settings, "raw", table)


def quarantine_dataset_files(settings: Settings, table: Table) -> list[Path]:
    """Return all finished quarantine files of a dataset of the settings' source, in path order."""
    return _files(settings, "quarantine", table)


def partition(settings: Settings, area: str, table: Table, session: dt.date) -> Path:
    """Return the folder into which a run of a session writes files of a dataset."""
    return _dataset(settings, area, table) / f"session_date={session.isoformat()}"


def visible_files(
    paths: Iterable[Path], table: Table, session: dt.date, known_at: dt.datetime
) -> list[Path]:
    """Return the files that hold at least one row with session and known_at within the cuts.

    A file that only later sessions or later knowledge added to is left out, so the answer for a
    past session stays the same when the lake grows.
    """
    return [path for path in paths if _holds_visible_row(path, table, session, known_at)]


def read_as_of(
    paths: Iterable[Path], table: Table, session: dt.date, known_at: dt.datetime
) -> pa.Table:
    """Return the newest visible version of each entity, in canonical order.

    Two rows of one entity with the same ``known_at`` are both returned; quality rejects such.
    """
    rows = [
        rows
        for path in paths
        if (rows := _read(path, table).filter(_within(table, session, known_at))).num_rows
    ]
    return newest_versions(_concatenated(rows, table), table)


def current_versions(settings: Settings, table: Table) -> pa.Table:
    """Return the newest version of every entity, whatever session it speaks of."""
    rows = [_read(path, table) for path in dataset_files(settings, table)]
    return newest_versions(_concatenated(rows, table), table)


def newest_versions(rows: pa.Table, table: Table) -> pa.Table:
    """Keep, of each entity, the rows with the largest ``known_at``; canonical order.

    Rows that are alike in every column are one row.
    """
    ordered = conform(rows, table)
    if ordered.num_rows == 0:
        return ordered
    distinct = _changes([_codes(ordered[name]) for name in table.column_names])
    ordered = ordered.filter(pa.array(distinct))
    starts = _changes([_codes(ordered[name]) for name in _entity(table)])
    known_at = _codes(ordered[VERSION])
    last_of_group = np.append(np.flatnonzero(starts)[1:], len(starts)) - 1
    newest = known_at[last_of_group][np.cumsum(starts) - 1]
    return ordered.filter(pa.array(known_at == newest))


def append_versions(
    settings: Settings,
    table: Table,
    session: dt.date,
    rows: pa.Table,
    observed_at: dt.datetime,
) -> AppendResult:
    """Add to a raw dataset what is new in the rows or says something else than before.

    Parameters
    ----------
    session : session of the ingest; names the partition.
    rows : delivered rows with the ``known_at`` that bulk history has by assumption.
    observed_at : moment of the delivery (UTC). It becomes the ``known_at`` of restated rows and
        of rows that fill a hole before a symbol's newest stored session, because those could
        not be known before; it never goes below the version that it replaces.
    """
    delivered = conform(rows, table)
    stored = current_versions(settings, table)
    changed, known = _compare(delivered, stored, table)
    additions = delivered.filter(pa.array(changed))
    if additions.num_rows == 0:
        return AppendResult(None, 0, 0)
    restated = known[changed]
    late = restated | _fills_hole(additions, stored)
    additions = _observed(additions, stored, late, observed_at)
    folder = partition(settings, "raw", table, session)
    record = add_file(conform(additions, table), folder)
    return AppendResult(record, int((~restated).sum()), int(restated.sum()))


def _compare(
    delivered: pa.Table, stored: pa.Table, table: Table
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say of each delivered row whether its entity changed, and whether it was stored before.

    An entity is unchanged when its delivered and its stored rows are the same set of values. A
    row that is delivered twice, alike in every value, counts once.
    """
    entity = _entity(table)
    values = [name for name in table.column_names if name not in (*entity, *_NOT_COMPARED)]
    both = pa.concat_tables([delivered, stored])
    codes = {name: _codes(both[name]) for name in (*entity, *values)}
    is_delivered = np.arange(both.num_rows) < delivered.num_rows
    order = np.lexsort([~is_delivered, *(codes[name] for name in reversed((*entity, *values)))])
    entity_starts = _changes([codes[name][order] for name in entity])
    row_starts = entity_starts | _changes([codes[name][order] for name in values])
    entity_id, row_id = np.cumsum(entity_starts) - 1, np.cumsum(row_starts) - 1

    from_delivery = is_delivered[order]
    row_delivered = np.bincount(row_id, weights=from_delivery) > 0
    row_stored = np.bincount(row_id, weights=~from_delivery) > 0
    differs = np.bincount(entity_id[row_starts], weights=row_delivered != row_stored) > 0
    was_stored = np.bincount(entity_id, weights=~from_delivery) > 0

    # Sorted delivered-first, so a run's first row is delivered if any row of the run is.
    changed = np.empty(both.num_rows, dtype=bool)
    changed[order] = differs[entity_id] & row_starts
    known = np.empty(both.num_rows, dtype=bool)
    known[order] = was_stored[entity_id]
    return changed[: delivered.num_rows], known[: delivered.num_rows]


def _fills_hole(rows: pa.Table, stored: pa.Table) -> npt.NDArray[np.bool_]:
    if "session_date" not in rows.column_names or stored.num_rows == 0:
        return np.zeros(rows.num_rows, dtype=bool)
    newest = stored.group_by("symbol").aggregate([("session_date", "max")])
    days = newest["session_date_max"].cast(pa.int32()).to_pylist()
    by_symbol = dict(zip(newest["symbol"].to_pylist(), days, strict=True))
    newest_stored = np.array(
        [by_symbol.get(symbol, np.iinfo(np.int32).min) for symbol in rows["symbol"].to_pylist()]
    )
    return _codes(rows["session_date"]) < newest_stored


def _observed(
    rows: pa.Table, stored: pa.Table, late: npt.NDArray[np.bool_], observed_at: dt.datetime
) -> pa.Table:
    if not late.any():
        return rows
    moment = observed_at
    if stored.num_rows:
        moment = max(moment, pc.max(stored[VERSION]).as_py() + _ONE_MICROSECOND)
    mask = pa.array(late)
    known_at = pc.if_else(mask, pa.scalar(moment, rows.schema.field(VERSION).type), rows[VERSION])
    basis = pc.if_else(mask, KnownAtBasis.OBSERVED.value, rows["known_at_basis"])
    for name, values in zip(_VERSION_COLUMNS, (known_at, basis), strict=True):
        position = rows.schema.get_field_index(name)
        rows = rows.set_column(position, rows.schema.field(position), values)
    return rows


def _files(settings: Settings, area: str, table: Table) -> list[Path]:
    return sorted(_dataset(settings, area, table).glob("session_date=*/[0-9a-f]*.parquet"))


def _dataset(settings: Settings, area: str, table: Table) -> Path:
    return settings.lake / area / table.name / f"source={settings.source.value}"


def _entity(table: Table) -> tuple[str, ...]:
    """Return the key without the version and, in quarantine, without the rule."""
    return table.key[: table.key.index(VERSION)]


def _read(path: Path, table: Table) -> pa.Table:
    with opened(path, table) as file:
        return file.read()


def _within(table: Table, session: dt.date, known_at: dt.datetime) -> pc.Expression:
    visible = pc.field(VERSION) <= pa.scalar(known_at, pa.timestamp("us", tz="UTC"))
    if "session_date" in table.column_names:
        visible &= pc.field("session_date") <= pa.scalar(session, pa.date32())
    return visible


def _holds_visible_row(path: Path, table: Table, session: dt.date, known_at: dt.datetime) -> bool:
    cuts: dict[str, Any] = {VERSION: known_at}
    if "session_date" in table.column_names:
        cuts["session_date"] = session
    with opened(path, table) as file:
        if file.metadata.num_rows == 0:
            return False
        bounds = {name: _bounds(file, name) for name in cuts}
        if any(bounds[name][0] > cut for name, cut in cuts.items()):
            return False
        # Where all rows pass all cuts but one, the row with that one's minimum passes too.
        if sum(bounds[name][1] > cut for name, cut in cuts.items()) <= 1:
            return True
        rows = file.read(columns=list(cuts))
    return bool(rows.filter(_within(table, session, known_at)).num_rows)


def _bounds(file: pq.ParquetFile, name: str) -> tuple[Any, Any]:
    """Return a column's least and greatest value, from the statistics that we always write."""
    position = file.schema_arrow.get_field_index(name)
    groups = [
        file.metadata.row_group(index).column(position).statistics
        for index in range(file.metadata.num_row_groups)
    ]
    return min(group.min for group in groups), max(group.max for group in groups)


def _concatenated(parts: Sequence[pa.Table], table: Table) -> pa.Table:
    return pa.concat_tables(parts) if parts else arrow_schema(table).empty_table()


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return whole numbers that are equal, and ordered alike, where the values are equal.

    Strings become numbers by first appearance, which suits grouping; a missing number is one
    value, whether it came as null or as NaN.
    """
    array = column.combine_chunks()
    if pa.types.is_string(array.type):
        encoded = pc.dictionary_encode(array, null_encoding="encode")
        return np.asarray(encoded.indices, dtype=np.int64)
    if pa.types.is_floating(array.type):
        numbers = np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
        numbers = np.where(np.isnan(numbers), np.nan, numbers)
        return numbers.view(np.int64)
    if pa.types.is_date(array.type):
        return np.asarray(array.cast(pa.int32()).cast(pa.int64()))
    return np.asarray(array.cast(pa.int64()))


def _changes(columns: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.bool_]:
    """Mark each row that differs from the one before it in any column; the first row does."""
    starts = np.zeros(len(columns[0]), dtype=bool)
    starts[:1] = True
    for column in columns:
        starts[1:] |= column[1:] != column[:-1]
    return starts
