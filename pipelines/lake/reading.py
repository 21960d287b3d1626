"""What a reader sees of a raw dataset: as of a session and a moment, or as it is now."""

import datetime as dt
from collections.abc import Collection, Sequence

import pyarrow as pa

from models.declaration import Table
from pipelines.lake.catalogue import landed_files
from pipelines.lake.cut import known_at_cut
from pipelines.lake.files import read_rows, visible
from pipelines.lake.quarantine import without_rejected
from pipelines.lake.rows import codes, declared
from pipelines.lake.summary import SESSION, day_number, subject_column
from pipelines.lake.versions import newest_versions, within
from pipelines.sessions import session_after
from pipelines.settings import Settings

_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)


def read_as_of(
    settings: Settings,
    table: Table,
    session: dt.date,
    known_at: dt.datetime | None = None,
    *,
    symbols: Collection[str] | None = None,
    accepted: bool = False,
) -> pa.Table:
    """Return the newest visible version of each entity, in canonical order, text plain.

    Parameters
    ----------
    session : rows of later sessions are left out.
    known_at : versions known later are left out; the session's cut if None.
    symbols : symbols (or series) wanted; all if None.
    accepted : leave out rejected versions, so that the version before stands in.

    Notes
    -----
    Two rows of one entity with the same ``known_at`` are both returned; quality rejects such.
    """
    known_at = known_at_cut(settings, session) if known_at is None else known_at
    files = visible(landed_files(settings, "raw", table), session, known_at)
    rows = within(read_rows(settings, table, files, subjects=symbols), table, session, known_at)
    if accepted:
        rows = without_rejected(settings, table, rows)
    return declared(newest_versions(rows, table), table)


def current_versions(
    settings: Settings, table: Table, symbols: Collection[str] | None = None
) -> pa.Table:
    """Return the newest version of every entity, whatever session it speaks of; text plain."""
    rows = read_rows(settings, table, landed_files(settings, "raw", table), subjects=symbols)
    return declared(newest_versions(rows, table), table)


def past_of(
    settings: Settings,
    table: Table,
    symbols: Collection[str],
    before: dt.date,
    *,
    sessions: int,
    known_at: dt.datetime | None = None,
    rules: str | None = None,
) -> pa.Table:
    """Return the accepted rows of some symbols in the sessions before a day.

    Parameters
    ----------
    before : the first session that is not returned.
    sessions : how many exchange sessions to look back.
    known_at : versions known later are left out; none if None.
    rules : digest of the rules whose verdicts count; those in force if None.

    Returns
    -------
    The newest accepted version of each row, in canonical order, with text columns encoded as
    dictionaries. Only the years that the window touches are read.
    """
    first = session_after(before, -sessions)
    cut = _LATEST if known_at is None else known_at
    files = [
        file
        for file in visible(landed_files(settings, "raw", table), before, cut)
        if file.summary.last_day >= day_number(first)
    ]
    rows = read_rows(settings, table, files, subjects=symbols)
    days = codes(rows[SESSION])
    window = (day_number(first) <= days) & (days < day_number(before))
    rows = within(rows.filter(pa.array(window)), table, None, known_at)
    return newest_versions(without_rejected(settings, table, rows, rules), table)


def symbol_spans(
    settings: Settings, table: Table, symbols: Collection[str] | None = None
) -> pa.Table:
    """Return ``symbol``, ``first_session``, ``last_session`` and ``rows`` of what is stored.

    ``rows`` counts every version. Ordered by symbol.
    """
    subject = subject_column(table)
    rows = read_rows(
        settings, table, landed_files(settings, "raw", table), [subject, SESSION], symbols
    )
    spans = rows.group_by(subject).aggregate(
        [(SESSION, "min"), (SESSION, "max"), (SESSION, "count")]
    )
    spans = spans.rename_columns([subject, "first_session", "last_session", "rows"])
    plain = spans.set_column(0, subject, spans[subject].cast(pa.string()))
    return plain.sort_by(subject)


def read_files(
    settings: Settings, table: Table, paths: Sequence[str], columns: Sequence[str] | None = None
) -> pa.Table:
    """Return the rows of landed raw files, encoded; after a compaction maybe others beside.

    Raises
    ------
    LakeError
        A file is missing or damaged.
    """
    wanted = set(paths)
    files = [file for file in landed_files(settings, "raw", table) if file.path in wanted]
    return read_rows(settings, table, files, columns)
