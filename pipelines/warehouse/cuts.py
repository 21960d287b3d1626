"""What a build is cut at, as rows that dbt reads: its cuts, and the exchange's sessions."""

import pyarrow as pa

from models.vocabulary import STALE_AFTER_SESSIONS
from pipelines.lake import Manifest
from pipelines.sessions import (
    FIRST_DATE,
    PUBLICATION_DELAY,
    calendar,
    session_after,
    sessions_between,
)

_MOMENT = pa.timestamp("us", tz="UTC")

CUT = pa.schema(
    [
        ("source", pa.string()),
        ("session_date", pa.date32()),
        ("known_at_cut", _MOMENT),
        ("oldest_fresh_session_date", pa.date32()),
        ("data_snapshot", pa.string()),
    ]
)
"""Columns of the one-row dbt source ``run.cut``."""

SESSION = pa.schema([("session_date", pa.date32()), ("available_at", _MOMENT)])
"""Columns of the dbt source ``run.session``."""


def cut_row(manifest: Manifest) -> pa.Table:
    """Return the cuts of a manifest's build, in one row."""
    row = {
        "source": manifest.source,
        "session_date": manifest.session_date,
        "known_at_cut": manifest.known_at_cut,
        "oldest_fresh_session_date": session_after(manifest.session_date, -STALE_AFTER_SESSIONS),
        "data_snapshot": manifest.data_snapshot,
    }
    return pa.Table.from_pylist([row], CUT)


def session_rows(manifest: Manifest) -> pa.Table:
    """Return every session up to the build's, with the moment from which its bars are known."""
    sessions = sessions_between(FIRST_DATE, manifest.session_date)
    closes = calendar().closes.iloc[: len(sessions)].dt.tz_convert("UTC").dt.as_unit("us")
    return pa.table([pa.array(sessions), pa.array(closes + PUBLICATION_DELAY)], schema=SESSION)
