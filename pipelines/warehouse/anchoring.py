"""Where the views of a warehouse file look for the panel, whose files lie beside it.

dbt makes them with a path relative to the workspace. A published file gives the whole path of its
own folder, so that ``duckdb warehouse.duckdb`` opens it from anywhere.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.warehouse.describing import quoted
from pipelines.warehouse.record import PANEL_FOLDER

_PANEL_FILES = re.compile(rf"'((?:[^']|'')*/)?{PANEL_FOLDER}/([^'/]*\.parquet)'")
"""A text in a view's SQL that names files of a panel: the folder before it, and the files."""


def anchor_of(warehouse: duckdb.DuckDBPyConnection) -> Path | None:
    """Return the folder in which a database's views look for the panel; None if beside them."""
    for _, _, sql in views(warehouse):
        if found := _PANEL_FILES.search(sql):
            folder = found[1]
            return Path(folder.replace("''", "'")) if folder else None
    return None


def anchor(warehouse: duckdb.DuckDBPyConnection, build: Path) -> None:
    """Let a database's views look for the panel in the folder of a build."""
    folder = str(build).replace("'", "''")
    for schema, name, sql in views(warehouse):
        anchored = _PANEL_FILES.sub(lambda found: f"'{folder}/{PANEL_FOLDER}/{found[2]}'", sql)
        if anchored != sql:
            comments = list(_comments(warehouse, schema, name))
            warehouse.execute(anchored.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
            for comment in comments:
                warehouse.execute(comment)


def views(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return schema, name and SQL of each view, in order."""
    return warehouse.execute(
        "select schema_name, view_name, sql from duckdb_views() where not internal "
        "order by schema_name, view_name"
    ).fetchall()


def _comments(warehouse: duckdb.DuckDBPyConnection, schema: str, name: str) -> Iterator[str]:
    """Yield the statements that give a view its comments again; replacing it loses them."""
    [(comment,)] = warehouse.execute(
        "select comment from duckdb_views() where schema_name = ? and view_name = ?", [schema, name]
    ).fetchall()
    if comment is not None:
        yield f'comment on view "{schema}"."{name}" is {quoted(comment)}'
    columns = warehouse.execute(
        "select column_name, comment from duckdb_columns() "
        "where schema_name = ? and table_name = ? and comment is not null",
        [schema, name],
    ).fetchall()
    for column, comment in columns:
        yield f'comment on column "{schema}"."{name}"."{column}" is {quoted(comment)}'
