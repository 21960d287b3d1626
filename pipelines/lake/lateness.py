"""Which delivered rows came later than they might have: nobody knew them before we saw them."""

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import ACTIONS, PRICES
from models.vocabulary import Arrival
from pipelines.lake.catalogue import LakeFile, landed_files
from pipelines.lake.files import read_rows
from pipelines.lake.rows import codes
from pipelines.lake.summary import SESSION, subject_column
from pipelines.lake.versions import Mask
from pipelines.settings import Settings

_NEVER = np.iinfo(np.int32).min


def is_late(
    settings: Settings, table: Table, files: list[LakeFile], rows: pa.Table, arrival: Arrival
) -> Mask:
    """Say which rows were not there when their symbol (or series) was last looked at."""
    if SESSION in table.column_names:
        day = SESSION
        reference = PRICES if table is ACTIONS else table
    elif "observation_date" in table.column_names:
        day, reference = "observation_date", table
    else:
        return np.zeros(rows.num_rows, dtype=bool)
    subjects = rows[subject_column(table)].combine_chunks()
    days = codes(rows[day])
    if reference is not table:
        files = landed_files(settings, "raw", reference)
    if arrival is Arrival.BULK and day == SESSION:
        # A day after all that a file speaks of is not late, whatever the file holds.
        files = [file for file in files if file.summary.last_day >= days.min()]
    by_code = _newest_days(settings, reference, files, day, subjects)
    newest = by_code[np.asarray(subjects.indices)]
    if arrival is Arrival.POLLED:
        return newest > _NEVER
    # An action on the last stored session came after that session's prices were stored.
    return days <= newest if reference is not table else days < newest


def _newest_days(
    settings: Settings,
    table: Table,
    files: list[LakeFile],
    day: str,
    subjects: pa.DictionaryArray,
) -> npt.NDArray[np.int64]:
    """Return, for each code of the dictionary, its newest day in the files.

    Years are read backwards, until every symbol is found.
    """
    newest = np.full(len(subjects.dictionary), _NEVER)
    names = subjects.dictionary.to_pylist()
    missing = set(pc.unique(subjects).to_pylist())
    position = {name: code for code, name in enumerate(names)}
    for group in _by_last_year(files):
        if not missing:
            break
        rows = read_rows(settings, table, group, [subject_column(table), day], missing)
        if rows.num_rows == 0:
            continue
        found = rows[subject_column(table)].combine_chunks()
        found_days = codes(rows[day])
        latest = np.full(len(found.dictionary), _NEVER)
        np.maximum.at(latest, np.asarray(found.indices), found_days)
        for name, last in zip(found.dictionary.to_pylist(), latest, strict=True):
            if last > _NEVER and name in missing:
                newest[position[name]] = last
                missing.discard(name)
    return newest


def _by_last_year(files: list[LakeFile]) -> Iterator[list[LakeFile]]:
    """Group files by the folder of their year, the newest year first."""
    ordered = sorted(files, key=lambda file: file.path.rpartition("/")[0], reverse=True)
    for _, group in groupby(ordered, key=lambda file: file.path.rpartition("/")[0]):
        yield list(group)
