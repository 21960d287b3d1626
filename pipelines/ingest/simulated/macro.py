"""Simulated macro series under FRED's names, with release dates and revised vintages.

Monthly values come out weeks after their month and payrolls and production are revised with the
next two releases; daily ones come out on the next session. Values share the market's yields and
turbulence, so that unemployment rises after crises.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from scipy.signal import lfilter

from pipelines.ingest.provider import MACRO_SCHEMA
from pipelines.ingest.simulated.market import market
from pipelines.ingest.simulated.timeline import Floats, generator, timeline

_RELEASE_TIME_UTC = np.timedelta64(13 * 60 + 30, "m")
"""8:30 in New York in winter; half past nine in summer, which is no earlier than the truth."""


@dataclass(frozen=True)
class _Monthly:
    """``lag_days`` from the end of the month; one revision size per later vintage."""

    series_id: str
    lag_days: int
    revisions: tuple[float, ...]
    decimals: int


_MONTHLY = (
    _Monthly("CPIAUCSL", 13, (), 3),
    _Monthly("UNRATE", 6, (), 1),
    _Monthly("PAYEMS", 6, (0.0004, 0.0002), 0),
    _Monthly("INDPRO", 16, (0.003, 0.0015), 4),
    _Monthly("FEDFUNDS", 1, (), 2),
)


def macro_rows(start: dt.date, end: dt.date) -> pa.Table:
    """Return the vintages that were released by the end of ``end`` about periods since ``start``.

    Rows are ordered by series, observation date and release.
    """
    rows = _all_rows()
    first = np.datetime64(start, "D")
    until = np.datetime64(end, "D") + np.timedelta64(1, "D")
    wanted = (rows["observation_date"] >= first) & (rows["released_at"] < until)
    columns = {name: pa.array(values[wanted]) for name, values in rows.items()}
    columns["released_at"] = columns["released_at"].cast(MACRO_SCHEMA.field("released_at").type)
    return pa.table(columns).select(MACRO_SCHEMA.names).cast(MACRO_SCHEMA)


@cache
def _all_rows() -> dict[str, np.ndarray]:
    parts = [
        _monthly_rows(series, values) for series, values in zip(_MONTHLY, _levels(), strict=True)
    ]
    parts += [
        _daily_rows("DGS10", np.round(100 * market().yield_10y, 2)),
        _daily_rows("DGS2", np.round(100 * market().yield_2y, 2)),
        _daily_rows("VIXCLS", np.round(market().volatility_index, 2)),
    ]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort([rows["released_at"], rows["observation_date"], rows["series_id"]])
    return {name: values[order] for name, values in rows.items()}


def _months() -> np.ndarray:
    return np.unique(timeline().sessions.astype("datetime64[M]"))


def _levels() -> list[Floats]:
    """Return the final values of the monthly series, in the order of their declarations."""
    of_session = timeline().sessions.astype("datetime64[M]")
    starts = np.flatnonzero(np.diff(of_session.astype(np.int64), prepend=0))
    count = np.diff(np.append(starts, len(of_session)))
    stress = np.add.reduceat(market().turbulence - 1, starts) / count
    short_yield = np.add.reduceat(market().yield_2y, starts) / count
    noise = generator(4).standard_normal((len(starts), 4))[::-1].T
    pressure = lfilter([0.08], [1, -0.94], np.maximum(stress, -0.2))
    unemployment = np.clip(4.3 + 4.0 * pressure + 0.1 * noise[0], 2.5, 15.0)
    inflation = 0.0028 + 0.0018 * noise[1]
    growth = 0.0013 - 0.002 * np.diff(unemployment, prepend=unemployment[0]) + 0.0004 * noise[2]
    production = 0.0018 - 0.003 * stress + 0.004 * noise[3]
    return [
        _index(320.0, inflation),
        unemployment,
        _index(159_000.0, growth),
        _index(103.0, production),
        np.maximum(100 * short_yield - 0.3, 0.05),
    ]


def _index(last: float, log_growth: Floats) -> Floats:
    """Return a level that grows to ``last``."""
    after = np.cumsum(log_growth[::-1])[::-1] - log_growth
    return np.asarray(last * np.exp(-after))


def _monthly_rows(series: _Monthly, final: Floats) -> dict[str, np.ndarray]:
    months = _months()
    stream = 40 + [one.series_id for one in _MONTHLY].index(series.series_id)
    noise = generator(stream).standard_normal((len(months), max(len(series.revisions), 1)))[::-1]
    parts = []
    for vintage in range(len(series.revisions) + 1):
        still_to_come = sum(
            (
                size * noise[:, step]
                for step, size in enumerate(series.revisions)
                if step >= vintage
            ),
            start=np.zeros(len(months)),
        )
        released = (months + 1 + vintage).astype("datetime64[D]") + series.lag_days - 1
        parts.append(
            {
                "series_id": np.full(len(months), series.series_id),
                "observation_date": months.astype("datetime64[D]"),
                "value": np.round(final * np.exp(-still_to_come), series.decimals),
                "released_at": released.astype("datetime64[us]") + _RELEASE_TIME_UTC,
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _daily_rows(series_id: str, values: Floats) -> dict[str, np.ndarray]:
    """Return values that come out on the session after theirs."""
    sessions = timeline().sessions
    return {
        "series_id": np.full(len(sessions) - 1, series_id),
        "observation_date": sessions[:-1],
        "value": values[:-1],
        "released_at": sessions[1:].astype("datetime64[us]") + _RELEASE_TIME_UTC,
    }
