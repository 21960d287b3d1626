"""The last hand on a new warehouse file: what reads the inputs goes, what stays is counted."""

from pathlib import Path

import duckdb

from models.panel import PANEL
from pipelines.errors import WarehouseError
from pipelines.warehouse.anchoring import anchor, views
from pipelines.warehouse.describing import describe
from pipelines.warehouse.duckdb import open_writable
from pipelines.warehouse.record import WAREHOUSE_FILE

_INPUTS = "'inputs/"


def settle(workspace: Path, manifest: Path, panel_rows: int) -> dict[str, int]:
    """Describe what stays in a workspace's database; return the rows of each mart.

    Views over the inputs go, as the inputs do.

    Views with the panel's key have one row for each of its rows: counting them would take longer
    than to build a session.

    Parameters
    ----------
    manifest : dbt's own, with the descriptions.

    Raises
    ------
    WarehouseError
        A mart reads what goes.
    """
    with open_writable(workspace / WAREHOUSE_FILE) as warehouse:
        warehouse.execute("set file_search_path = ?", [str(workspace)])
        for schema, name, sql in views(warehouse):
            if _INPUTS in sql:
                warehouse.execute(f'drop view "{schema}"."{name}"')
        describe(warehouse, manifest)
        return _count_rows(warehouse, panel_rows)


def anchor_in(build: Path) -> None:
    """Let the views of a build that has its name look for the panel there."""
    with open_writable(build / WAREHOUSE_FILE) as warehouse:
        anchor(warehouse, build)


def _count_rows(warehouse: duckdb.DuckDBPyConnection, panel_rows: int) -> dict[str, int]:
    marts = warehouse.sql(
        "select table_name, table_type = 'VIEW' from information_schema.tables "
        "where table_schema = 'marts' order by table_name"
    ).fetchall()
    counted = {}
    for name, is_view in marts:
        try:
            mart = warehouse.table(f"marts.{name}")
            if is_view and {*PANEL.key} <= {*mart.columns}:
                counted[name] = panel_rows
            else:
                [(counted[name],)] = mart.count("*").fetchall()
        except duckdb.Error as error:
            raise WarehouseError(
                "mart",
                name,
                f"it cannot be read once the build is done ({str(error).splitlines()[0]})",
                "A mart may read tables and the panel, but no view over the inputs.",
            ) from None
    return counted
