"""What differs between the rows of a run in the store and those that its replay made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa

from models.declaration import Table
from models.store_outputs import WRITTEN_BY_SHARDS
from pipelines.lake import arrow_schema
from pipelines.store import stream, tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MOVES_ON = {"status"}
"""Columns that change after publication: what the broker made of a trade."""

_SHOWN_ROWS = 5
_ROWS_PER_PART = 1 << 18


@dataclass(frozen=True)
class Difference:
    """How a table's rows differ.

    Attributes
    ----------
    missing : rows of the store that the replay did not make.
    added : rows of the replay that the store has not.
    changed : rows with the same key and other values.
    first : some of them: key, column (empty where the whole row is there on one side only), what
        is stored and what was made.
    """

    table: str
    missing: int
    added: int
    changed: int
    first: tuple[tuple[str, str, Any, Any], ...]


class Comparison:
    """Rows of both sides in a database of its own on disk: there may be millions."""

    def __init__(self, database: "DuckDBPyConnection") -> None:
        self._database = database
        for declared in WRITTEN_BY_SHARDS:
            for side in ("stored", "replayed"):
                empty = arrow_schema(declared).empty_table()  # noqa: F841 - DuckDB finds it by name
                database.execute(f"CREATE TABLE {side}_{declared.name} AS SELECT * FROM empty")

    def add_replayed(self, name: str, rows: pa.Table) -> None:
        """Add rows that the replay made."""
        self._add(f"replayed_{name}", rows)

    def add_stored(self, store: sa.Connection, run_id: str) -> None:
        """Add all rows that the store has of a run."""
        trade = tables["trade"]
        of_run = sa.select(trade.c.trade_id).where(trade.c.run_id == run_id)
        for declared in WRITTEN_BY_SHARDS:
            table = tables[declared.name]
            condition = (
                table.c.run_id == run_id if "run_id" in table.c else table.c.trade_id.in_(of_run)
            )
            for rows in stream(store, declared, _ROWS_PER_PART, condition):
                self._add(f"stored_{declared.name}", rows)

    def differences(self) -> tuple[Difference, ...]:
        """Return the tables that differ, in the order in which they are written."""
        found = (self._difference(declared) for declared in WRITTEN_BY_SHARDS)
        return tuple(each for each in found if each.missing or each.added or each.changed)

    def _add(self, name: str, rows: pa.Table) -> None:  # noqa: ARG002 - DuckDB finds rows by name
        self._database.execute(f"INSERT INTO {name} SELECT * FROM rows")

    def _difference(self, declared: Table) -> Difference:
        key = declared.key
        others = [
            name for name in declared.column_names if name not in key and name not in _MOVES_ON
        ]
        joined = f"""
            FROM stored_{declared.name} AS stored
            FULL OUTER JOIN replayed_{declared.name} AS replayed
            ON {" AND ".join(f'stored."{name}" = replayed."{name}"' for name in key)}
        """
        missing, added = (f'{side}."{key[0]}" IS NULL' for side in ("replayed", "stored"))
        unequal = {name: f'stored."{name}" IS DISTINCT FROM replayed."{name}"' for name in others}
        changed = f"NOT ({missing}) AND NOT ({added}) AND ({' OR '.join(unequal.values())})"
        counts = self._database.execute(
            f"SELECT {', '.join(f'count(*) FILTER ({each})' for each in (missing, added, changed))}"
            f" {joined}"
        ).fetchone()
        assert counts is not None  # noqa: S101 - an aggregate has a row
        if not any(counts):
            return Difference(declared.name, 0, 0, 0, ())
        first = self._first(declared, joined, {"": f"({missing}) OR ({added})"}) + [
            row
            for name, condition in unequal.items()
            for row in self._first(
                declared, joined, {name: f"NOT ({missing}) AND NOT ({added}) AND {condition}"}
            )
        ]
        return Difference(
            declared.name, counts[0], counts[1], counts[2], tuple(first[:_SHOWN_ROWS])
        )

    def _first(
        self, declared: Table, joined: str, wanted: dict[str, str]
    ) -> list[tuple[str, str, Any, Any]]:
        [(name, condition)] = wanted.items()
        key = ", ".join(f'coalesce(stored."{part}", replayed."{part}")' for part in declared.key)
        values = (
            f'stored."{name}", replayed."{name}"'
            if name
            else ", ".join(
                f"CASE WHEN {side}.\"{declared.key[0]}\" IS NULL THEN 'no row' ELSE 'a row' END"
                for side in ("stored", "replayed")
            )
        )
        rows = self._database.execute(
            f"SELECT concat_ws(' ', {key}), {values} {joined} WHERE {condition} "
            f"ORDER BY 1 LIMIT {_SHOWN_ROWS}"
        ).fetchall()
        return [(str(found), name, stored, replayed) for found, stored, replayed in rows]


@contextmanager
def comparison(folder: Path) -> Iterator[Comparison]:
    """Yield a comparison that keeps its rows in a folder."""
    from pipelines.warehouse.duckdb import open_writable

    with open_writable(folder / "comparison.duckdb") as database:
        database.execute("SET timezone = 'UTC'")
        yield Comparison(database)
