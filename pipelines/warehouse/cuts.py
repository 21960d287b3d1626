"""What a build is cut at, as rows that dbt reads: cuts, the exchange's sessions, macro series."""

from dataclasses import asdict

import numpy as np
import pyarrow as pa

from models.vocabulary import STALE_AFTER_SESSIONS
from pipelines.lake import Manifest, known_at_cuts
from pipelines.macro_series import macro_series
from pipelines.sessions import (
    FIRST_DATE,
    PUBLICATION_DELAY,
    calendar,
    session_after,
    sessions_between,
)
from pipelines.settings import Settings
from pipelines.warehouse.exchange_days import expected_after, is_half_day, next_expected

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
    [
        ("session_date", pa.date32()),
        ("available_at", _MOMENT),
        ("known_at_cut", _MOMENT),
        ("is_half_day", pa.bool_()),
        ("next_session_date", pa.date32()),
        ("sessions_to_month_end", pa.int64()),
        ("sessions_to_quarter_end", pa.int64()),
    ]
)
"""Columns of the dbt source ``run.session``."""

SERIES = pa.schema(
    [
        ("series_id", pa.string()),
        ("name", pa.string()),
        ("unit", pa.string()),
        ("revised", pa.bool_()),
        ("is_daily", pa.bool_()),
        ("stale_after_days", pa.int64()),
    ]
)
"""Columns of the dbt source ``run.series``."""


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
    """Return every session up to the build's: what its run knew, and what the calendar said then.

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
    dates = days.astype("datetime64[D]")
    return pa.table(
        {
            "session_date": sessions,
            "available_at": available,
            "known_at_cut": pa.array(cuts).cast(_MOMENT),
            "is_half_day": is_half_day(dates),
            "next_session_date": next_expected(dates),
            "sessions_to_month_end": expected_after(dates, months=1),
            "sessions_to_quarter_end": expected_after(dates, months=3),
        },
        SESSION,
    )


def series_rows() -> pa.Table:
    """Return the macro series that we know, with how often they speak and for how long."""
    return pa.Table.from_pylist([asdict(series) for series in macro_series()], SERIES)
