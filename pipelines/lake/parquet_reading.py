"""Read Parquet files of the lake: only the row groups and columns wanted, text encoded."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.declaration import Table
from pipelines.errors import LakeError
from pipelines.lake.rows import encoded_schema
from pipelines.lake.storage import Storage
from pipelines.lake.summary import subject_column

REMEDY = "Restore it from a backup, or move it away and run `smartinvest ingest` again."


def read_parquet(
    place: Storage,
    table: Table,
    path: str,
    columns: Sequence[str] | None = None,
    subjects: Collection[str] | None = None,
) -> pa.Table:
    """Return rows of one file of a declared table, text columns encoded as dictionaries.

    Parameters
    ----------
    columns : columns wanted; all if None.
    subjects : symbols (or series) wanted, all if None. Row groups whose statistics exclude all of
        them are not read.

    Raises
    ------
    LakeError
        The file is missing, truncated, no Parquet, or of another table.
    """
    schema = encoded_schema(table)
    encoded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    file = _opened(place, path, encoded)
    if not file.schema_arrow.remove_metadata().equals(schema):
        raise LakeError("lake file", path, f"its columns are not those of {table.name}", REMEDY)
    subject = subject_column(table)
    names = list(schema.names if columns is None else columns)
    read = names if subjects is None or subject in names else [*names, subject]
    wanted = None if subjects is None else sorted(subjects)
    groups = _groups(place, path, schema.get_field_index(subject), wanted)
    try:
        rows = file.read_row_groups(groups, columns=read, use_threads=False)
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    if wanted is not None and rows.num_rows:
        rows = _of_subjects(rows, subject, wanted)
    return rows.select(names).cast(pa.schema([schema.field(name) for name in names]))


def metadata_of(place: Storage, path: str) -> Mapping[str, str]:
    """Return the text that a file carries beside its rows.

    Raises
    ------
    LakeError
        The file is missing, truncated or no Parquet.
    """
    metadata = _opened(place, path, []).metadata.metadata or {}
    return {name.decode(): text.decode() for name, text in metadata.items()}


def _groups(place: Storage, path: str, column: int, wanted: Sequence[str] | None) -> Sequence[int]:
    """Return the row groups that may hold some symbols, given in order; all if None."""
    if wanted is None:
        return range(_footer(place, path).num_row_groups)
    kept = []
    for number, (least, greatest) in enumerate(_bounds(place, path, column)):
        position = bisect_left(wanted, least)
        if position < len(wanted) and wanted[position] <= greatest:
            kept.append(number)
    return kept


@lru_cache(maxsize=1024)
def _bounds(place: Storage, path: str, column: int) -> tuple[tuple[str, str], ...]:
    """Return the least and the greatest text of a column in each row group."""
    footer = _footer(place, path)
    statistics = (
        footer.row_group(number).column(column).statistics
        for number in range(footer.num_row_groups)
    )
    return tuple((bounds.min, bounds.max) for bounds in statistics)


def _of_subjects(rows: pa.Table, subject: str, wanted: Sequence[str]) -> pa.Table:
    """Return the rows of some symbols; looks at each symbol once, not at each row's text."""
    column = rows[subject].unify_dictionaries().combine_chunks()
    is_wanted = np.asarray(pc.is_in(column.dictionary, pa.array(wanted, pa.string())))
    kept = is_wanted[np.asarray(column.indices)]
    positions = np.flatnonzero(kept)
    if len(positions) == 0:
        return rows.slice(0, 0)
    first, end = int(positions[0]), int(positions[-1]) + 1
    if end - first == len(positions):
        return rows.slice(first, end - first)  # those of one symbol lie together
    return rows.filter(pa.array(kept))


def _opened(place: Storage, path: str, encoded: list[str]) -> pq.ParquetFile:
    """Open a file; every way in which it can be broken is a ``LakeError``."""
    try:
        footer = _footer(place, path)
        present = set(footer.schema.names)
        return pq.ParquetFile(
            place.open(path),
            metadata=footer,
            read_dictionary=[name for name in encoded if name in present],
            page_checksum_verification=True,
            pre_buffer=place.local_root is None,  # costs more than it saves on a memory map
        )
    except FileNotFoundError:
        raise LakeError("lake file", path, "it does not exist", REMEDY) from None
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


@lru_cache(maxsize=1024)
def _footer(place: Storage, path: str) -> pq.FileMetaData:
    """Parse a footer once: that of a year of 5,000 symbols takes as long as reading one of them."""
    return pq.read_metadata(place.open(path))


def _unreadable(path: str, error: Exception) -> LakeError:
    cause = str(error).splitlines()[0].rstrip(".")
    return LakeError("lake file", path, f"it cannot be read ({cause})", REMEDY)
