"""The lake in a few numbers, from what its files say of themselves."""

import datetime as dt

from models.declaration import Table
from pipelines.lake.catalogue import landed_files
from pipelines.lake.summary import SESSION, date_of, moment_of
from pipelines.sessions import calendar
from pipelines.settings import Settings


def dataset_lines(settings: Settings, table: Table) -> tuple[object, ...]:
    """Return a dataset's name, landed files, files to read, rows, restated rows, sessions, moment.

    Rows count every version; the moment is that of the newest. Empty if it has no file.
    """
    files = landed_files(settings, "raw", table)
    if not files:
        return ()
    summaries = [file.summary for file in files]
    sessions = None
    if SESSION in table.column_names:
        first = date_of(min(summary.first_day for summary in summaries))
        sessions = f"{first} to {date_of(max(summary.last_day for summary in summaries))}"
    return (
        table.name,
        len(files),
        len({file.held_by for file in files}),
        sum(summary.rows for summary in summaries),
        sum(summary.restated_rows for summary in summaries),
        sessions,
        moment_of(max(summary.last_known_at for summary in summaries)),
    )


def newest_session(settings: Settings, table: Table) -> dt.date | None:
    """Return the newest session that a dataset has rows of; None if it is empty."""
    days = [file.summary.last_day for file in landed_files(settings, "raw", table)]
    if not days:
        return None
    stamp = calendar().date_to_session(str(date_of(max(days))), direction="previous")
    session: dt.date = stamp.date()
    return session
