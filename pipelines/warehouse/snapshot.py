"""Copy the current client inputs from the SQL store into the lake."""

import logging

import pyarrow as pa
import pyarrow.compute as pc

from models.store_inputs import SNAPSHOT
from pipelines.lake import FileRecord, Manifest, add_file, read_file
from pipelines.quality.clients import accepted_clients
from pipelines.settings import Settings
from pipelines.store import connect, read_current_from

logger = logging.getLogger(__name__)


def snapshot_clients(settings: Settings) -> list[FileRecord]:
    """Write each client input table, as one moment sees them all, and return their files.

    Unchanged inputs give the files that are already there. Identities are never copied, nor
    clients whose inputs break a rule: those stand in ``client_issue``.

    Raises
    ------
    StoreError, LakeError
        The store cannot be read or written, or the lake cannot be written.
    """
    with connect(settings) as connection:
        current = {table.name: read_current_from(connection, table) for table in SNAPSHOT}
    accepted = accepted_clients(settings, current)
    return [
        add_file(settings, table, accepted[table.name], f"clients/{table.name}")
        for table in SNAPSHOT
    ]


def warn_of_later_inputs(settings: Settings, manifest: Manifest) -> None:
    """Say in the log when client inputs were recorded after what the session may know.

    Market data is cut at that moment; client inputs are always those of today.
    """
    cut = pa.scalar(manifest.known_at_cut, pa.timestamp("us", tz="UTC"))
    recorded = [
        read_file(settings, table, path, ["recorded_at"])["recorded_at"]
        for table in SNAPSHOT
        for path in manifest.paths("clients", table)
    ]
    later = sum(pc.sum(pc.greater(moments, cut)).as_py() or 0 for moments in recorded)
    if later:
        logger.warning(
            "%d of %d client inputs were recorded after %s, when session %s was known: it advises "
            "the clients of today, not those of the time",
            later,
            sum(len(moments) for moments in recorded),
            f"{manifest.known_at_cut:%Y-%m-%d %H:%M} UTC",
            manifest.session_date,
        )
