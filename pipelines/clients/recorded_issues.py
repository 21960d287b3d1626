"""What is wrong with the rows of files, kept in ``client_issue``."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from models.store_issues import CLIENT_ISSUE
from pipelines.clients.issues import RowIssue
from pipelines.clients.versions import select_by
from pipelines.lineage import json_digest
from pipelines.store import insert, tables, utc_now


def record_issues(
    connection: sa.Connection,
    file_digest: str,
    issues: Iterable[RowIssue],
    client_of: Mapping[int, str],
) -> None:
    """Keep what is wrong, once; never the value, since a shifted column puts a name anywhere.

    Parameters
    ----------
    client_of : client of each line, where known.
    """
    rows = {
        json_digest([file_digest, issue.line, issue.field]): {
            "client_id": client_of.get(issue.line),
            "file_digest": file_digest,
            "line": issue.line,
            "field": issue.field,
            "cause": issue.problem,
            "remedy": issue.remedy,
            "since": utc_now(),
        }
        for issue in issues
    }
    column = tables[CLIENT_ISSUE.name].c.issue_id
    present = {row["issue_id"] for row in select_by(connection, column, rows)}
    insert(
        connection,
        CLIENT_ISSUE,
        ({"issue_id": key, **row} for key, row in rows.items() if key not in present),
    )
