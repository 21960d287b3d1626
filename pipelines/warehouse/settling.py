"""The last hand on a new warehouse file: what stays in it works for anybody, from any folder."""

from pathlib import Path

import duckdb

from pipelines.errors import WarehouseError
from pipelines.warehouse.anchoring import anchor, views
from pipelines.warehouse.duckdb import open_writable
from pipelines.warehouse.record import WAREHOUSE_FILE

_INPUTS = "'inputs/"


def settle(workspace: Path, build: Path) -> dict[str, int]:
    """Finish the database of a workspace that becomes a build; return the rows of each mart.

    Views over the inputs go, as the inputs do. Those over the panel look for it where it will be.

    Parameters
    ----------
    build : the folder that the workspace will be.

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
        rows = _count_rows(warehouse)
        anchor(warehouse, build)
    return rows


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
