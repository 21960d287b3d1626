"""Quarantine: what was rejected and why, in the lake, and as a copy in the store for apps.

The lake is the truth that builds read; nothing is moved or deleted, a rejection only names the key
of a row that stays where it is. A marker per raw file remembers under which rules it was checked.
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from models.lake import PRICES, QUARANTINED_PRICES
from models.store_outputs import QUARANTINE
from pipelines.lake import (
    FileRecord,
    add_file,
    arrow_schema,
    conform,
    dataset_files,
    quarantine_dataset_files,
    read_parquet,
)
from pipelines.lake.parquet import write_text
from pipelines.lake.raw import partition
from pipelines.lineage import REPOSITORY, canonical_json, tree_digest
from pipelines.settings import Settings

_RULE_DIGITS = 16


def list_quarantine(settings: Settings) -> pa.Table:
    """Return every rejection of the settings' source, by symbol, session, version and rule."""
    parts = [
        read_parquet(path, QUARANTINED_PRICES)
        for path in quarantine_dataset_files(settings, QUARANTINED_PRICES)
    ]
    if not parts:
        return arrow_schema(QUARANTINED_PRICES).empty_table()
    rows = conform(pa.concat_tables(parts), QUARANTINED_PRICES)
    first_of_key = rows.append_column("position", pa.array(range(rows.num_rows)))
    kept = first_of_key.group_by(list(QUARANTINED_PRICES.key)).aggregate([("position", "min")])
    return rows.take(kept["position_min"].combine_chunks().sort())


def add_rejections(settings: Settings, session: dt.date, rows: pa.Table) -> FileRecord | None:
    """Write the rejections that are not in quarantine yet; return the file, if one was needed."""
    known = _keys(list_quarantine(settings))
    fresh = rows.filter(pa.array([key not in known for key in _ordered_keys(rows)], pa.bool_()))
    if fresh.num_rows == 0:
        return None
    folder = partition(settings, "quarantine", QUARANTINED_PRICES, session)
    return add_file(conform(fresh, QUARANTINED_PRICES), folder)


def unchecked_files(settings: Settings) -> list[Path]:
    """Return the raw price files that were not checked under today's rules."""
    markers = _markers(settings)
    return [
        path
        for path in dataset_files(settings, PRICES)
        if not (markers / f"{path.stem}.json").exists()
    ]


def mark_checked(settings: Settings, session: dt.date, paths: Iterable[Path]) -> None:
    """Remember that raw files were checked; call it when their rejections are written."""
    for path in paths:
        content = {"file": path.relative_to(settings.lake), "session_date": session}
        write_text(canonical_json(content), _markers(settings) / f"{path.stem}.json")


def mirror_to_store(settings: Settings) -> int:
    """Copy to the store's ``quarantine`` table what it lacks; return how many rows that were.

    Raises
    ------
    StoreError
        The store is unreachable, locked, read-only or of another schema version.
    """
    from pipelines.store import insert, read, tables, transaction, utc_now

    rejected = list_quarantine(settings)
    if rejected.num_rows == 0:
        return 0
    with transaction(settings) as connection:
        of_source = tables[QUARANTINE.name].c.source == settings.source.value
        known = _keys(read(connection, QUARANTINE, of_source))
        since = utc_now()
        lacking = [
            {**row, "since": since}
            for row, key in zip(rejected.to_pylist(), _ordered_keys(rejected), strict=True)
            if key not in known
        ]
        return insert(connection, QUARANTINE, lacking)


def _markers(settings: Settings) -> Path:
    rules = tree_digest(REPOSITORY, ("expectations", "pipelines/quality"), {".py"})
    folder = settings.lake / "checks" / PRICES.name / f"source={settings.source.value}"
    return folder / rules[:_RULE_DIGITS]


def _ordered_keys(rows: pa.Table) -> list[tuple[object, ...]]:
    columns = [rows[name].to_pylist() for name in QUARANTINED_PRICES.key]
    return list(zip(*columns, strict=True))


def _keys(rows: pa.Table) -> set[tuple[object, ...]]:
    return set(_ordered_keys(rows))
