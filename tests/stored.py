"""What tests read back from the store."""

import pyarrow as pa

from models.declaration import Table
from pipelines.settings import Settings
from pipelines.store import connect, read_current_from


def read_current(settings: Settings, table: Table) -> pa.Table:
    """The current version of an input table, as ``read_current_from`` has it."""
    with connect(settings) as connection:
        return read_current_from(connection, table)
