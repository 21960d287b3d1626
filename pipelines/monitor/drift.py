"""How far features have drifted from those that the served model was fitted on."""

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.panel.feature_columns import columns_of, feature_values
from ml.panel.features import SESSION_FEATURES, SYMBOL_FEATURES, Feature
from ml.rolling import Floats
from pipelines.monitor.check import Drift
from pipelines.warehouse import WarehouseBuild, connect

WINDOW_SESSIONS = 63
LEAST_DRIFT = 0.25
"""The population stability index that is commonly taken for a change that matters."""

USUAL_SHARE = 0.975
"""A feature has drifted only if it moved further than in this share of its own past windows."""

LEAST_WINDOWS = 20
"""With fewer past windows, five years, what is usual cannot be told."""

_MOST_SYMBOLS = 50
"""Symbols of one session are much alike: more of them cost time and tell little."""

_BINS = 10
_LEAST_SHARE = 1e-4
"""Stands in for an empty bin, whose logarithm would be infinite."""

_CALENDAR = {
    *("sessions_to_month_end", "sessions_to_quarter_end", "days_to_next_session"),
    *("is_turn_of_month", "is_option_expiry", "year_sine", "year_cosine"),
}
"""Known for all time, and of course not the same in one quarter as in all of them."""


def feature_drift(build: WarehouseBuild, fitted_through: dt.date) -> Drift:
    """Compare the features of the last 63 sessions with those that were fitted on.

    Parameters
    ----------
    fitted_through : last session that the served model may have been fitted on.
    """
    indices = dict(_indices(build, fitted_through))
    if not indices:
        return Drift(0, 0, None, None)
    drifted = sum(index > usual for index, usual in indices.values())
    most = max(indices, key=lambda name: indices[name][0])
    return Drift(len(indices), drifted, most, indices[most][0])


def population_stability_index(expected: Floats, found: Floats) -> Floats:
    """Return sum((found - expected) ln(found / expected)) over bins, the last axis.

    Both are shares that add up to 1; ``found`` may have axes before. 0 where they are equal; by
    custom, below 0.1 nothing has changed and above 0.25 much has.

    Source: Siddiqi (2006), "Credit Risk Scorecards", chapter 11; it is the symmetrised divergence
    of Kullback and Leibler (1951).
    """
    ours, theirs = np.maximum(found, _LEAST_SHARE), np.maximum(expected, _LEAST_SHARE)
    index: Floats = np.sum((ours - theirs) * np.log(ours / theirs), axis=-1)
    return index


def drift_of(values: Floats, windows: NDArray[np.int64], fitted: int) -> tuple[float, float] | None:
    """Return how far the last window is from those fitted on, and how far is far for this feature.

    Parameters
    ----------
    values : of all rows, NaN where missing, which is a bin of its own.
    windows : of each row, counted in sessions from the first; the last one is looked at.
    fitted : how many windows were fitted on; those between are left out.

    Returns
    -------
    None where too few windows were fitted on to tell what is usual.
    """
    reference = windows < fitted
    if len(np.unique(windows[reference])) < LEAST_WINDOWS:
        return None
    known = values[reference]
    known = known[np.isfinite(known)]
    edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)) if len(known) else known
    bins = np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), _BINS)
    last = int(windows.max())
    counts = np.zeros((last + 1, _BINS + 1))
    np.add.at(counts, (windows, bins), 1)
    expected = counts[:fitted].sum(axis=0)
    expected /= expected.sum()
    seen = counts.sum(axis=1) > 0
    shares = np.divide(counts, counts.sum(axis=1, keepdims=True), where=seen[:, None], out=counts)
    past = population_stability_index(expected, shares[:fitted][seen[:fitted]])
    usual = float(np.quantile(past, USUAL_SHARE))
    found = population_stability_index(expected, shares[last])
    return float(found), max(usual, LEAST_DRIFT)


def _indices(
    build: WarehouseBuild, fitted_through: dt.date
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield for each feature that there is its index, and the one from which on it has drifted."""
    with connect(build.path) as warehouse:
        sessions = warehouse.sql(
            "select session_date from session_features where session_date <= ? order by all",
            params=[build.session_date],
        ).to_arrow_table()["session_date"]
        days = sessions.to_numpy().astype("datetime64[D]")
        # Windows end with the last session, so that the last one is whole.
        first = len(days) % WINDOW_SESSIONS
        ends = days[first + WINDOW_SESSIONS - 1 :: WINDOW_SESSIONS]
        fitted = int((ends <= np.datetime64(fitted_through)).sum())
        if fitted == 0 or fitted >= len(ends):
            return
        symbols = _symbols(warehouse.sql(_PRESENT, params=[build.session_date]).to_arrow_table())
        for features, query, given in (
            (SYMBOL_FEATURES, _OF_SYMBOLS, [symbols]),
            (SESSION_FEATURES, _OF_SESSIONS, []),
        ):
            named = ", ".join(columns_of(features))
            rows = warehouse.sql(
                query.format(columns=named), params=[days[first].item(), build.session_date, *given]
            ).to_arrow_table()
            place = np.searchsorted(days, rows["session_date"].to_numpy().astype("datetime64[D]"))
            windows = (place - first) // WINDOW_SESSIONS
            yield from _of_table(features, rows, windows.astype(np.int64), fitted)


def _of_table(
    features: tuple[Feature, ...], rows: pa.Table, windows: NDArray[np.int64], fitted: int
) -> Iterator[tuple[str, tuple[float, float]]]:
    for feature in features:
        if feature.name in _CALENDAR:
            continue
        values = feature_values((feature,), rows, _ignore)[:, 0].astype(np.float64)
        if not np.isfinite(values).any():
            continue
        found = drift_of(values, windows, fitted)
        if found is not None:
            yield feature.name, found


def _symbols(present: pa.Table) -> list[str]:
    names = present["symbol"].to_pylist()
    chosen = np.unique(np.linspace(0, len(names) - 1, min(len(names), _MOST_SYMBOLS)).round())
    return [names[int(place)] for place in chosen]


def _ignore(_column: str, _count: int) -> None:
    """Infinite values count as missing here too; training has said so of them."""


_PRESENT = "select symbol from intermediate.int_panel where session_date = ? order by all"
_OF_SYMBOLS = """
    select session_date, {columns}
    from intermediate.int_panel
    where session_date between ? and ? and symbol in (select unnest(?))
    order by session_date, symbol
"""
_OF_SESSIONS = """
    select session_date, {columns}
    from session_features
    where session_date between ? and ?
    order by session_date
"""
