"""Copy the current client inputs from the SQL store into the lake."""

from models.store_inputs import SNAPSHOT
from pipelines.lake import FileRecord, add_file, conform
from pipelines.settings import Settings
from pipelines.store import connect, read_current_from


def snapshot_clients(settings: Settings) -> list[FileRecord]:
    """Write each client input table, as one moment sees them all, and return their files.

    Unchanged inputs give the files that are already there. Identities are never copied.

    Raises
    ------
    StoreError, LakeError
        The store cannot be read, or the lake cannot be written.
    """
    with connect(settings) as connection:
        current = [(table, read_current_from(connection, table)) for table in SNAPSHOT]
    return [
        add_file(conform(rows, table), settings.lake / "clients" / table.name)
        for table, rows in current
    ]
