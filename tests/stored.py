"""What tests read back from the store."""

from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from models.declaration import Table
from pipelines.settings import Settings
from pipelines.store import connect, read_current_from, tables


def read_current(settings: Settings, table: Table) -> pa.Table:
    """The current version of an input table, as ``read_current_from`` has it."""
    with connect(settings) as connection:
        return read_current_from(connection, table)


def rows(settings: Settings, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    with connect(settings) as connection:
        found = connection.execute(sa.select(tables[table])).mappings().all()
    return [dict(row) for row in found]
