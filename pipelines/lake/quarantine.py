"""Verdicts on raw rows and a person's releases from them; what counts is the one minus the other.

    quarantine/<dataset>/source=<source>/rules=<digest>/<digest>.parquet   verdicts, by rules
    releases/source=<source>/<digest>.parquet                              releases, append-only

Nothing is moved or deleted: a verdict names the key of a row that stays where it is.
"""

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import RELEASES, quarantined
from pipelines.lake.catalogue import LakeFile, dataset_folder, landed_files
from pipelines.lake.checks import rules_folder, rules_in_force
from pipelines.lake.files import held_by, read_file
from pipelines.lake.parquet import FileRecord
from pipelines.lake.rows import canonical, changes, codes, declared, encoded_schema
from pipelines.lake.storage import storage
from pipelines.lake.summary import day_column, subject_column
from pipelines.lake.versions import Mask, is_among
from pipelines.lake.writing import add_file
from pipelines.settings import Settings


def add_rejections(
    settings: Settings, table: Table, rules: str, rows: pa.Table
) -> FileRecord | None:
    """Write verdicts on rows of a raw dataset; return the file, if there was anything to write.

    Parameters
    ----------
    rules : digest of the rules that the rows failed.
    rows : rows of ``models.lake.quarantined(table)``. Those that are filed already are left out.
    """
    declaration = quarantined(table)
    delivered = canonical(rows, declaration)
    known = verdicts(settings, table, rules)
    fresh = delivered.filter(pa.array(~is_among(delivered, known, declaration.key)))
    if fresh.num_rows == 0:
        return None
    folder = f"{dataset_folder(settings, 'quarantine', table)}/{rules_folder(rules)}"
    return add_file(settings, declaration, fresh, folder)


def verdict_files(settings: Settings, table: Table, rules: str | None = None) -> list[LakeFile]:
    """Return the files of all verdicts under some rules; under those in force if None."""
    rules = rules or rules_in_force(settings, table)
    if rules is None:
        return []
    return landed_files(settings, "quarantine", table, rules_folder(rules))


def verdicts(settings: Settings, table: Table, rules: str | None = None) -> pa.Table:
    """Return all verdicts under some rules (those in force if None), released ones included."""
    paths = [file.path for file in verdict_files(settings, table, rules)]
    return read_verdicts(settings, table, paths)


def read_verdicts(settings: Settings, table: Table, paths: Iterable[str]) -> pa.Table:
    """Return the verdicts in landed files, encoded: one per row of the dataset and rule.

    After a compaction there may be others, under the same rules, among them.
    """
    declaration = quarantined(table)
    files = held_by(settings, table, "quarantine", paths)
    parts = [read_file(settings, declaration, path) for path in files]
    if not parts:
        return encoded_schema(declaration).empty_table()
    ordered = canonical(pa.concat_tables(parts), declaration)
    return ordered.filter(pa.array(changes([codes(ordered[name]) for name in declaration.key])))


def rejections(settings: Settings, table: Table, rules: str | None = None) -> pa.Table:
    """Return the verdicts that count: under some rules, and not released; text plain."""
    rows = verdicts(settings, table, rules)
    return declared(unreleased(rows, releases(settings), table), quarantined(table))


def without_rejected(
    settings: Settings, table: Table, rows: pa.Table, rules: str | None = None
) -> pa.Table:
    """Return the versions that no verdict, still standing, rejects."""
    rejected = unreleased(verdicts(settings, table, rules), releases(settings), table)
    if rejected.num_rows == 0 or rows.num_rows == 0:
        return rows
    return rows.filter(pa.array(~is_among(rows, rejected, table.key)))


def add_release(
    settings: Settings,
    table: Table,
    symbol: str,
    *,
    first_session: dt.date | None,
    last_session: dt.date | None,
    rule: str | None,
    released_by: str,
    reason: str,
    released_at: dt.datetime,
) -> FileRecord:
    """File a person's decision that verdicts on a symbol's rows do not count.

    Parameters
    ----------
    first_session, last_session : sessions it speaks of, both included; None is without bound.
    rule : the rule that is overruled; every rule if None.
    released_at : moment of the decision (UTC).
    """
    row = {
        "source": settings.source.value,
        "dataset": table.name,
        "symbol": symbol,
        "first_session": first_session,
        "last_session": last_session,
        "rule": rule,
        "released_by": released_by,
        "reason": reason,
        "released_at": released_at,
    }
    rows = pa.Table.from_pylist([row])
    return add_file(settings, RELEASES, rows, _releases_folder(settings))


def release_files(settings: Settings) -> list[str]:
    """Return the files of all releases, in path order."""
    return storage(settings).files(_releases_folder(settings), ".parquet")


def releases(settings: Settings, paths: Iterable[str] | None = None) -> pa.Table:
    """Return releases, those of some files or all; text plain."""
    paths = release_files(settings) if paths is None else paths
    parts = [read_file(settings, RELEASES, path) for path in paths]
    rows = pa.concat_tables(parts) if parts else encoded_schema(RELEASES).empty_table()
    return declared(canonical(rows, RELEASES), RELEASES)


def unreleased(rejected: pa.Table, released: pa.Table, table: Table) -> pa.Table:
    """Return the verdicts on a dataset's rows that no release overrules."""
    counts = np.ones(rejected.num_rows, dtype=bool)
    for release in released.filter(pc.field("dataset") == table.name).to_pylist():
        counts &= ~_is_released(rejected, release, table)
    return rejected if counts.all() else rejected.filter(pa.array(counts))


def _is_released(rejected: pa.Table, release: dict[str, object], table: Table) -> Mask:
    mask = pc.equal(rejected[subject_column(table)].cast(pa.string()), release["symbol"])
    if release["rule"] is not None:
        mask = pc.and_(mask, pc.equal(rejected["rule"].cast(pa.string()), release["rule"]))
    if day := day_column(table):
        if release["first_session"] is not None:
            mask = pc.and_(mask, pc.greater_equal(rejected[day], release["first_session"]))
        if release["last_session"] is not None:
            mask = pc.and_(mask, pc.less_equal(rejected[day], release["last_session"]))
    return np.asarray(mask.combine_chunks(), dtype=bool)


def _releases_folder(settings: Settings) -> str:
    return f"releases/source={settings.source.value}"
