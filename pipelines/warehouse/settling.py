"""The last hand on a new warehouse file: what reads the inputs goes, what stays is counted."""

from pathlib import Path

import duckdb

from pipelines.errors import WarehouseError
from pipelines.warehouse.anchoring import anchor, views
from pipelines.warehouse.duckdb import open_writable
from pipelines.warehouse.record import WAREHOUSE_FILE

_INPUTS = "'inputs/"


def settle(workspace: Path) -> dict[str, int]:
    """Remove the views over a workspace's inputs, as the inputs go; return the rows of each mart.

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
        return _count_rows(warehouse)


def anchor_in(build: Path) -> None:
    """Let the views of a build that has its name look for the panel there."""
    with open_writable(build / WAREHOUSE_FILE) as warehouse:
        anchor(warehouse, build)


def _count_rows(warehouse: duckdb.DuckDBPyConnection) -> dict[str, int]:
    marts = warehouse.sql(
        "select table_name from information_schema.tables "
        "where table_schema = 'marts' order by table_name"
    ).fetchall()
    counted = {}
    for (name,) in marts:
        try:
            [(counted[name],)] = warehouse.sql(f'select count(*) from marts."{name}"').fetchall()
        except duckdb.Error as error:
            raise WarehouseError(
                "mart",
                name,
                f"it cannot be read once the build is done ({str(error).splitlines()[0]})",
                "A mart may read tables and the panel, but no view over the inputs.",
            ) from None
    return counted
