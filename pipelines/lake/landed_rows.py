"""Which rows landed with a file: after a compaction the file to read holds others beside them.

A compaction keeps no row's file. Sessions, moments, symbols and the ingest that brought it tell a
row from those of other files, but for two deliveries of one ingest that overlap in all of these.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from pipelines.lake.catalogue import LakeFile
from pipelines.lake.rows import codes
from pipelines.lake.summary import SESSION, VERSION, subject_column
from pipelines.lake.versions import Mask


def may_have_landed_with(files: Iterable[LakeFile], rows: pa.Table, table: Table) -> Mask:
    """Mark the rows that may have landed with any of some files.

    Parameters
    ----------
    rows : the dataset's key columns among them, and ``ingest_session``; text encoded.
    """
    names = rows[subject_column(table)].combine_chunks()
    subjects, code = names.dictionary, np.asarray(names.indices)
    days = codes(rows[SESSION]) if SESSION in rows.column_names else np.zeros(len(code), np.int64)
    known_at, ingests = codes(rows[VERSION]), codes(rows["ingest_session"])
    found = np.zeros(len(code), bool)
    for summary in (file.summary for file in files):
        of_subject = pc.and_(
            pc.greater_equal(subjects, summary.first_subject),
            pc.less_equal(subjects, summary.last_subject),
        )
        mask = np.asarray(of_subject, dtype=bool)[code]
        mask &= (summary.first_day <= days) & (days <= summary.last_day)
        mask &= known_at <= summary.last_known_at
        if summary.ingest_session is not None:
            mask &= ingests == summary.ingest_session
        found |= mask
    return found
