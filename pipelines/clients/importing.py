"""Loading clients from a file: good rows load, bad rows are reported."""

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from models.store_inputs import CLIENT_IDENTITY
from pipelines.clients.assemble import Assembled, assemble
from pipelines.clients.csv_file import ClientFile, read_client_file
from pipelines.clients.issues import RowIssue
from pipelines.clients.market import market_of
from pipelines.clients.recorded_issues import record_issues
from pipelines.clients.records import Client
from pipelines.clients.saving import Saved, save_clients
from pipelines.clients.terminal import terminal_text
from pipelines.clients.versions import Recording, select_by
from pipelines.settings import Settings
from pipelines.store import tables, transaction, utc_now

if TYPE_CHECKING:
    from rich.text import Text

logger = logging.getLogger(__name__)

_ISSUES_SHOWN = 50


@dataclass(frozen=True)
class ImportReport:
    """What an import did: rows by fate, clients by what happened to them, and what is wrong."""

    file_digest: str
    rows: int
    rejected_rows: int
    clients: Saved
    issues: tuple[RowIssue, ...]

    def __str__(self) -> str:
        lines = [
            f"{self.rows} rows, {self.rejected_rows} rejected; clients: {self.clients.added} new, "
            f"{self.clients.changed} changed, {self.clients.unchanged} unchanged"
        ]
        lines += map(str, self.issues[:_ISSUES_SHOWN])
        if len(self.issues) > _ISSUES_SHOWN:
            lines.append(f"... and {len(self.issues) - _ISSUES_SHOWN} more, see client_issue")
        return "\n".join(lines)

    def __rich__(self) -> "Text":
        return terminal_text(self)


def import_csv(settings: Settings, path: Path) -> ImportReport:
    """Load the clients of a CSV file into the store, in one transaction.

    A client is known by its ``external_ref``; a new one gets a random surrogate key. What differs
    from the store becomes a new version, what does not is left alone. Rows with a mistake are
    left out, returned as issues, and kept in ``client_issue`` without their values. Dates are
    judged as of the settings' session, the source's newest if unset.

    Parameters
    ----------
    path : a UTF-8 file in the format of docs/clients.md.

    Raises
    ------
    ClientInputError
        The file as a whole cannot be read; nothing was loaded then.
    SessionError, SourceError, StoreError
        The market or the store cannot be read, or the store cannot be written.
    """
    file = read_client_file(path)
    assembled = assemble(file.rows, market_of(settings))
    issues = tuple(sorted((*file.issues, *assembled.issues), key=lambda found: found.line))
    with transaction(settings) as connection:
        keys = _known_keys(connection, assembled)
        saved = _save(connection, assembled.clients, keys, file)
        client_of = {line: keys[ref] for line, ref in assembled.ref_by_line.items() if ref in keys}
        record_issues(connection, file.digest, issues, client_of)
    rows = len(file.rows) + len(file.issues)
    report = ImportReport(file.digest, rows, rows - assembled.accepted_rows, saved, issues)
    logger.info(
        "clients import: %d rows, %d rejected, %d clients new, %d changed",
        report.rows,
        report.rejected_rows,
        saved.added,
        saved.changed,
    )
    return report


def _known_keys(connection: sa.Connection, assembled: Assembled) -> dict[str, str]:
    """Return the surrogate key of every external_ref in the file that the store knows."""
    wanted = set(assembled.ref_by_line.values())
    column = tables[CLIENT_IDENTITY.name].c.external_ref
    return {row["external_ref"]: row["client_id"] for row in select_by(connection, column, wanted)}


def _save(
    connection: sa.Connection, clients: Iterable[Client], keys: dict[str, str], file: ClientFile
) -> Saved:
    """Save the clients and put the keys of new ones into ``keys``."""
    by_key = {}
    for client in clients:
        key = keys.setdefault(client.identity.external_ref, str(uuid.uuid4()))
        by_key[key] = client
    recording = Recording(utc_now(), f"clients import, file {file.digest[:16]}")
    return save_clients(connection, by_key, recording)
