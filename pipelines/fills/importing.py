"""Loading a broker's file of fills: what was executed is booked, what cannot be is reported."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.clients.issues import RowIssue
from pipelines.clients.recorded_issues import record_issues
from pipelines.clients.terminal import terminal_text
from pipelines.fills.file import read_fill_file
from pipelines.fills.orders import expire_trades
from pipelines.fills.recording import book_fills
from pipelines.settings import Settings
from pipelines.store import transaction, utc_now

if TYPE_CHECKING:
    from rich.text import Text

logger = logging.getLogger(__name__)

_ISSUES_SHOWN = 50


@dataclass(frozen=True)
class FillReport:
    """What an import did: ``rows`` are those booked, those known before and those rejected.

    Attributes
    ----------
    issues : why rows were rejected.
    notices : what is odd about rows that were booked all the same.
    expired : trades that were ended because no session is left for them.
    """

    file_digest: str
    rows: int
    booked: int
    repeated: int
    rejected: int
    expired: int
    issues: tuple[RowIssue, ...]
    notices: tuple[RowIssue, ...]

    def __str__(self) -> str:
        lines = [
            f"{self.rows} rows: {self.booked} booked, {self.repeated} known before, "
            f"{self.rejected} rejected; {self.expired} trades expired"
        ]
        said = (*self.issues, *self.notices)
        lines += map(str, said[:_ISSUES_SHOWN])
        if len(said) > _ISSUES_SHOWN:
            lines.append(f"... and {len(said) - _ISSUES_SHOWN} more, see client_issue")
        return "\n".join(lines)

    def __rich__(self) -> "Text":
        return terminal_text(self)


def import_fills(settings: Settings, path: Path) -> FillReport:
    """Book the fills of a CSV file, in one transaction.

    A fill is known by its ``external_id``: importing a file twice changes nothing. Fills that come
    late or are more than was ordered are booked and noted, since they were executed; those that
    cannot be booked (an unknown trade, another account or symbol, more sold than held) stay out.
    Both stand in ``client_issue`` with line, cause and remedy. Trades whose last session lies
    before the settings' session, or the source's newest, end.

    Parameters
    ----------
    path : a UTF-8 file in the format of docs/fills.md.

    Raises
    ------
    ClientInputError
        The file as a whole cannot be read; nothing was booked then.
    SessionError, SourceError, StoreError
        The session is none, or the store cannot be read or written.
    """
    from pipelines.ingest import resolve_session

    file = read_fill_file(path)
    session = resolve_session(settings)
    with transaction(settings) as connection:
        by = f"fills import, file {file.digest[:16]}"
        booked = book_fills(connection, file.fills, utc_now(), by)
        expired = expire_trades(connection, session)
        issues = sorted((*file.issues, *booked.rejected), key=lambda found: found.line)
        notices = sorted(booked.notices, key=lambda found: found.line)
        record_issues(connection, file.digest, (*issues, *notices), booked.client_of)
    report = FillReport(
        file_digest=file.digest,
        rows=file.rows,
        booked=len(booked.fills),
        repeated=booked.repeated,
        rejected=len({found.line for found in issues}),
        expired=expired,
        issues=tuple(issues),
        notices=tuple(notices),
    )
    logger.info(
        "fills import: %d rows, %d booked, %d known before, %d rejected",
        report.rows,
        report.booked,
        report.repeated,
        report.rejected,
    )
    return report
