"""What a build is cut at, as rows that dbt reads: its cuts, and the exchange's sessions."""

import numpy as np
import pyarrow as pa

from models.vocabulary import STALE_AFTER_SESSIONS
from pipelines.lake import Manifest, known_at_cuts
from pipelines.sessions import (
    FIRST_DATE,
    PUBLICATION_DELAY,
    calendar,
    session_after,
    sessions_between,
)
from pipelines.settings import Settings

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

SESSION = pa.schema(
    [("session_date", pa.date32()), ("available_at", _MOMENT), ("known_at_cut", _MOMENT)]
)
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


def session_rows(settings: Settings, manifest: Manifest) -> pa.Table:
    """Return every session up to the build's: from when its bars are known, what its run knew.

    Raises
    ------
    LakeError
        A file is missing or damaged.
    """
    sessions = pa.array(sessions_between(FIRST_DATE, manifest.session_date), pa.date32())
    closes = calendar().closes.iloc[: len(sessions)].dt.tz_convert("UTC").dt.as_unit("us")
    available = pa.array(closes + PUBLICATION_DELAY)
    days = np.asarray(sessions.cast(pa.int32()), dtype=np.int64)
    cuts = known_at_cuts(settings, manifest, days, np.asarray(available.cast(pa.int64())))
    return pa.table([sessions, available, pa.array(cuts).cast(_MOMENT)], schema=SESSION)
