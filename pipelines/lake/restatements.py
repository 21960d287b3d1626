"""What sources said differently later: derived from the versions that the lake keeps."""

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import PRICES
from pipelines.lake.catalogue import landed_files
from pipelines.lake.files import read_rows
from pipelines.lake.rows import canonical, changes, codes
from pipelines.lake.summary import VERSION, subject_column
from pipelines.lake.versions import NOT_COMPARED, entity_of
from pipelines.settings import Settings

SCHEMA = pa.schema(
    [
        ("subject", pa.string()),
        ("day", pa.date32()),
        ("column", pa.string()),
        ("old_value", pa.string()),
        ("new_value", pa.string()),
        ("old_known_at", pa.timestamp("us", tz="UTC")),
        ("new_known_at", pa.timestamp("us", tz="UTC")),
        ("ingest_session", pa.date32()),
    ]
)
"""``subject`` is the symbol (or series); ``day`` the date that the row speaks of, null without
one; values are null where there was none; ``ingest_session`` is that of the newer version."""


def restatements(
    settings: Settings, table: Table = PRICES, symbols: Collection[str] | None = None
) -> pa.Table:
    """Return every value of a raw dataset that a later version changed, as ``SCHEMA``.

    Only files that took a restatement are searched for them, then only the symbols concerned are
    read. Ordered by entity, newer version and column.
    """
    files = landed_files(settings, "raw", table)
    subject = subject_column(table)
    restating = [file for file in files if file.summary.restated_rows]
    if not restating:
        return SCHEMA.empty_table()
    touched = read_rows(settings, table, restating, [subject], symbols)
    names = pc.unique(touched[subject]).to_pylist()
    rows = canonical(read_rows(settings, table, files, subjects=names), table)
    if rows.num_rows == 0:
        return SCHEMA.empty_table()
    starts = changes([codes(rows[name]) for name in entity_of(table)])
    newer = np.flatnonzero(~starts & changes([codes(rows[VERSION])]))
    parts = [
        _changes_of(rows, table, name, newer)
        for name in table.column_names
        if name not in (*entity_of(table), *NOT_COMPARED)
    ]
    found = pa.concat_tables(parts)
    order = [(name, "ascending") for name in ("subject", "day", "new_known_at", "column")]
    return found.take(pc.sort_indices(found, order))


def _changes_of(
    rows: pa.Table, table: Table, column: str, newer: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> pa.Table:
    values = codes(rows[column])
    changed = newer[values[newer] != values[newer - 1]]
    new, old = rows.take(pa.array(changed)), rows.take(pa.array(changed - 1))
    day = next(
        (
            name
            for name in ("session_date", "observation_date", "member_from")
            if name in table.column_names
        ),
        None,
    )
    return pa.Table.from_arrays(
        [
            new[subject_column(table)].cast(pa.string()),
            pa.nulls(len(changed), pa.date32()) if day is None else new[day],
            pa.array([column] * len(changed), pa.string()),
            old[column].cast(pa.string()),
            new[column].cast(pa.string()),
            old[VERSION],
            new[VERSION],
            new["ingest_session"],
        ],
        schema=SCHEMA,
    )
