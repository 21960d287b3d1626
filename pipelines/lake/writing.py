"""Add files to datasets of the lake: named by their own digest, and several of them or none."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from models.declaration import Table
from pipelines.lake.catalogue import SUMMARY, remember
from pipelines.lake.files import ORIGIN, digest_of
from pipelines.lake.parquet import FileRecord, content_name, to_bytes
from pipelines.lake.rows import canonical
from pipelines.lake.storage import Storage, storage
from pipelines.lake.summary import VERSION, Summary, summarise
from pipelines.settings import Settings

Part = tuple[str, pa.Table, int]
"""What becomes one file: folder inside the lake, canonical rows, how many replace a version."""

_ENCODERS = 2
"""Files encoded at once, while another is written."""


def add_file(
    settings: Settings,
    table: Table,
    rows: pa.Table,
    folder: str,
    *,
    origin: str = "",
    restated_rows: int = 0,
) -> FileRecord:
    """Write rows of a declared dataset into a folder of the lake, named by their own digest.

    Rows that are there already stay as they are.

    Parameters
    ----------
    folder : path inside the lake.
    origin : where the rows come from, as text that the file carries.
    restated_rows : how many of the rows replace an earlier version.

    Raises
    ------
    LakeError
        The lake cannot be written, or the rows are not as declared.
    """
    (record,) = add_canonical(
        settings, table, [(folder, canonical(rows, table), restated_rows)], origin
    )
    return record


def add_canonical(
    settings: Settings, table: Table, parts: Sequence[Part], origin: str = ""
) -> tuple[FileRecord, ...]:
    """Write rows that are in canonical order and encoded already, one file per part.

    Files appear in the order of their parts, and none if one fails.
    """
    place = storage(settings)
    done: list[tuple[FileRecord, Summary | None]] = []

    def new_files() -> Iterator[tuple[str, pa.Buffer]]:
        with ThreadPoolExecutor(_ENCODERS) as pool:
            for record, content, summary in pool.map(
                lambda part: _encoded(table, part, origin), parts
            ):
                done.append((record, summary))
                if not _is_there(place, record):
                    yield record.path, content

    place.write_all(new_files())
    for (folder, _, _), (record, summary) in zip(parts, done, strict=True):
        if summary is not None:
            remember(settings, folder, record.path, summary)
    return tuple(record for record, _ in done)


def _encoded(table: Table, part: Part, origin: str) -> tuple[FileRecord, pa.Buffer, Summary | None]:
    folder, rows, restated_rows = part
    metadata = {ORIGIN: origin} if origin else {}
    summary = None
    if rows.num_rows and VERSION in table.column_names:
        summary = summarise(rows, table, restated_rows)
        metadata[SUMMARY] = summary.to_json()
    content = to_bytes(rows, metadata)
    name, digest = content_name(content)
    return FileRecord(f"{folder}/{name}", digest, rows.num_rows), content, summary


def _is_there(place: Storage, file: FileRecord) -> bool:
    try:
        return place.exists(file.path) and digest_of(place, file.path) == file.digest
    except FileNotFoundError:
        return False
