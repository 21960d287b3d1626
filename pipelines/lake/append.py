"""Append deliveries to raw datasets: only what is new, or says something else than before."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import PRICES
from models.vocabulary import Arrival, KnownAtBasis
from pipelines.lake.catalogue import LakeFile, dataset_folder, landed_files
from pipelines.lake.files import read_rows
from pipelines.lake.lateness import is_late
from pipelines.lake.lock import sole_writer
from pipelines.lake.parquet import FileRecord
from pipelines.lake.rows import canonical, codes
from pipelines.lake.summary import SESSION, VERSION, day_number, microseconds, subject_column
from pipelines.lake.versions import Mask, changed_rows, new_vintages, newest_versions
from pipelines.lake.writing import add_canonical
from pipelines.settings import Settings


@dataclass(frozen=True)
class AppendResult:
    """What one append did.

    ``rows`` are the appended ones as they were stored, in canonical order, with text columns
    encoded as dictionaries. ``files`` hold them; there are several where they span years.
    """

    files: tuple[FileRecord, ...]
    rows: pa.Table
    new_rows: int
    restated_rows: int


def append_versions(
    settings: Settings,
    table: Table,
    session: dt.date,
    rows: pa.Table,
    *,
    arrival: Arrival,
    observed_at: dt.datetime,
    origin: str = "",
) -> AppendResult:
    """Add to a raw dataset what is new in the rows or says something else than before.

    A changed value is a new version, known from the moment of the delivery, since it could not be
    known before. So is a new row whose symbol (or series) was stored already: in a bulk arrival
    if it lies before that symbol's newest stored session, in a polled one always. All other rows
    keep the ``known_at`` that they come with, but what was polled is never known later than it
    was polled. Rows that their source dates itself (``vintage``) keep it in any case.

    Only files that may hold delivered symbols and sessions are read.

    Parameters
    ----------
    session : session of the ingest; rows remember it.
    rows : stamped rows, in any order; text may be dictionary-encoded. A delivery's actions come
        before its prices: an action counts as late when its symbol's stored prices go beyond it.
    arrival : how the source's data comes.
    observed_at : moment of the delivery (UTC); a version never becomes known before, or at the
        same moment as, the version that it replaces.
    origin : where the rows come from, as text that the files carry.

    Raises
    ------
    LakeError
        The rows are not as declared, the lake cannot be written, or a file in it is broken.
    HomeError
        Another process writes the source, and goes on doing so.
    """
    delivered = canonical(rows, table)
    if delivered.num_rows == 0:
        return AppendResult((), delivered, 0, 0)
    with sole_writer(settings):
        return _append(settings, table, session, delivered, arrival, observed_at, origin)


def _append(
    settings: Settings,
    table: Table,
    session: dt.date,
    delivered: pa.Table,
    arrival: Arrival,
    observed_at: dt.datetime,
    origin: str,
) -> AppendResult:
    files = landed_files(settings, "raw", table)
    stored = _stored_versions(settings, table, files, delivered)
    is_vintage = _is(delivered["known_at_basis"], KnownAtBasis.VINTAGE)
    changed, known = changed_rows(delivered, newest_versions(stored, table), table)
    if is_vintage.any():
        changed = np.where(is_vintage, new_vintages(delivered, stored, table), changed)
    if not changed.any():
        return AppendResult((), delivered.slice(0, 0), 0, 0)
    restated = known[changed]
    additions = delivered if changed.all() else delivered.filter(pa.array(changed))
    observed = (restated | is_late(settings, table, files, additions, arrival)) & ~is_vintage[
        changed
    ]
    additions = _stamped(additions, stored, observed, observed_at, session)
    if arrival is Arrival.POLLED:
        additions = _not_known_after(additions, observed_at)
    replaced = _counts_by_year(table, additions, restated)
    if arrival is Arrival.POLLED or observed.any():
        additions = canonical(additions, table)
    return AppendResult(
        files=_write(settings, table, additions, replaced, origin),
        rows=additions,
        new_rows=int((~restated).sum()),
        restated_rows=int(restated.sum()),
    )


def _write(
    settings: Settings, table: Table, rows: pa.Table, replaced: dict[int, int], origin: str
) -> tuple[FileRecord, ...]:
    """Write rows into the files that their years ask for, the oldest first.

    Should it be cut short nevertheless, the rows that are left are those after the stored ones,
    and of bulk history these are not late.

    Parameters
    ----------
    rows : canonical and encoded.
    replaced : how many rows of each year replace an earlier version.
    """
    folder = dataset_folder(settings, "raw", table)
    if table is PRICES:
        parts = [
            (f"{folder}/year={year}", part, replaced.get(year, 0)) for year, part in _by_year(rows)
        ]
    else:
        parts = [(folder, rows, sum(replaced.values()))]
    return add_canonical(settings, table, parts, origin)


def _by_year(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Split canonical rows by the year of their session; each part stays in canonical order."""
    years = _years(rows)
    order = np.argsort(years, kind="stable")
    if np.any(np.diff(order) != 1):
        rows = rows.take(pa.array(order))
    years = years[order]
    for first, end in pairwise([0, *(np.flatnonzero(np.diff(years)) + 1), len(years)]):
        yield int(years[first]), rows.slice(first, end - first)


def _counts_by_year(table: Table, rows: pa.Table, counted: Mask) -> dict[int, int]:
    if not counted.any():
        return {}
    if SESSION not in table.column_names:
        return {0: int(counted.sum())}
    years, counts = np.unique(_years(rows)[counted], return_counts=True)
    return dict(zip(years.tolist(), counts.tolist(), strict=True))


def _years(rows: pa.Table) -> npt.NDArray[np.int64]:
    return np.asarray(pc.year(rows[SESSION]).combine_chunks(), dtype=np.int64)


def _stored_versions(
    settings: Settings, table: Table, files: list[LakeFile], delivered: pa.Table
) -> pa.Table:
    """Return every stored version of what is delivered, and of little else."""
    subjects = _distinct(delivered[subject_column(table)])
    if SESSION not in table.column_names:
        return read_rows(settings, table, files, subjects=subjects)
    days = delivered[SESSION].cast(pa.int32())
    first, last = pc.min(days).as_py(), pc.max(days).as_py()
    near = [
        file for file in files if file.summary.first_day <= last and first <= file.summary.last_day
    ]
    rows = read_rows(settings, table, near, subjects=subjects)
    stored_days = codes(rows[SESSION])
    inside = (first <= stored_days) & (stored_days <= last)
    return rows if inside.all() else rows.filter(pa.array(inside))


def _stamped(
    rows: pa.Table, stored: pa.Table, observed: Mask, observed_at: dt.datetime, session: dt.date
) -> pa.Table:
    """Give rows their ingest's session, and observed ones the moment of the delivery."""
    count = rows.num_rows
    rows = _replaced(
        rows, "ingest_session", pa.array(np.full(count, day_number(session), np.int32), pa.date32())
    )
    if not observed.any():
        return rows
    moment = microseconds(observed_at)
    if stored.num_rows:
        moment = max(moment, int(codes(stored[VERSION]).max()) + 1)
    known_at = np.where(observed, moment, codes(rows[VERSION]))
    rows = _replaced(rows, VERSION, pa.array(known_at).cast(pa.timestamp("us", tz="UTC")))
    basis = pc.if_else(
        pa.array(observed), KnownAtBasis.OBSERVED.value, rows["known_at_basis"].cast(pa.string())
    )
    return _replaced(rows, "known_at_basis", basis)


def _not_known_after(rows: pa.Table, moment: dt.datetime) -> pa.Table:
    """Let no assumption say that what a poll brought was known after it came."""
    is_assumed = _is(rows["known_at_basis"], KnownAtBasis.ASSUMED)
    known_at = codes(rows[VERSION])
    early = np.where(is_assumed, np.minimum(known_at, microseconds(moment)), known_at)
    return _replaced(rows, VERSION, pa.array(early).cast(pa.timestamp("us", tz="UTC")))


def _replaced(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    position = rows.schema.get_field_index(name)
    field = rows.schema.field(position)
    if pa.types.is_dictionary(field.type):
        values = values.dictionary_encode()
    return rows.set_column(position, field, values)


def _is(column: pa.ChunkedArray, value: KnownAtBasis) -> Mask:
    encoded = column.combine_chunks()
    wanted = np.array([text == value.value for text in encoded.dictionary.to_pylist()], dtype=bool)
    return wanted[np.asarray(encoded.indices)]


def _distinct(column: pa.ChunkedArray | pa.Array) -> list[str]:
    return list(pc.unique(column).to_pylist())
