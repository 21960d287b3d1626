"""Versioned rows: what an owner's current rows are, and a next version only where they differ."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from models.declaration import Table
from pipelines.store import insert, tables

Row = dict[str, Any]
_BOOKKEEPING = {"version", "recorded_at", "recorded_by"}
_VALUES_PER_QUERY = 1000


@dataclass(frozen=True)
class Recording:
    """Who or what records a change, and when."""

    at: dt.datetime
    by: str

    @property
    def columns(self) -> Row:
        """The columns by which each input row says so."""
        return {"recorded_at": self.at, "recorded_by": self.by}


def record_changes(
    connection: sa.Connection, table: Table, rows: Iterable[Row], recording: Recording
) -> set[str]:
    """Give each owner whose rows differ from its current ones a next version with these rows.

    The owner is the first column of the table's key; owners without rows here are left alone.
    Returns the owners that changed.
    """
    owner_column = table.key[0]
    wanted: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        wanted[row[owner_column]].append(row)
    current = _current(connection, table, wanted)
    changed: dict[str, int] = {}
    for owner, owned in wanted.items():
        version, held = current.get(owner, (0, frozenset()))
        if _contents(table, owned) != held:
            changed[owner] = version + 1
    insert(
        connection,
        table,
        (
            {**row, "version": version, **recording.columns}
            for owner, version in changed.items()
            for row in wanted[owner]
        ),
    )
    return set(changed)


def select_by(
    connection: sa.Connection,
    column: sa.Column[Any],
    wanted: Collection[str],
    *conditions: sa.ColumnElement[bool],
) -> Iterator[Row]:
    """Yield the rows of the column's table in which it has one of the values wanted."""
    ordered = sorted(wanted)
    for start in range(0, len(ordered), _VALUES_PER_QUERY):
        part = ordered[start : start + _VALUES_PER_QUERY]
        found = connection.execute(sa.select(column.table).where(column.in_(part), *conditions))
        names = tuple(found.keys())
        for row in found:
            yield dict(zip(names, row, strict=True))


def _current(
    connection: sa.Connection, table: Table, owners: Collection[str]
) -> dict[str, tuple[int, frozenset[tuple[Any, ...]]]]:
    """Return each known owner's highest version and the contents of its rows."""
    rows = current_rows(connection, table, owners)
    return {key: (owned[0]["version"], _contents(table, owned)) for key, owned in rows.items()}


def current_rows(
    connection: sa.Connection, table: Table, owners: Collection[str]
) -> dict[str, list[Row]]:
    """Return the rows of each known owner's highest version, by owner."""
    stored = tables[table.name]
    other = stored.alias()
    owner = table.key[0]
    newest = (
        sa.select(sa.func.max(other.c.version))
        .where(other.c[owner] == stored.c[owner])
        .scalar_subquery()
    )
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in select_by(connection, stored.c[owner], owners, stored.c.version == newest):
        rows[row[owner]].append(row)
    return dict(rows)


def _contents(table: Table, rows: Sequence[Row]) -> frozenset[tuple[Any, ...]]:
    names = [name for name in table.column_names if name not in _BOOKKEEPING]
    return frozenset(tuple(row[name] for name in names) for row in rows)
