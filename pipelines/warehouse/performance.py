"""The table of returns: each account, goal and client over each period, from its worth series."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.warehouse.returns import Floats, PeriodReturns, WorthSeries, period_returns

SINCE_INCEPTION = "since_inception"
_MICROS = 1e6
_EPOCH_DAYS = pa.int32()
_OWNER = ("owner_kind", "owner_id")

COLUMNS = pa.schema(
    [
        ("owner_kind", pa.string()),
        ("owner_id", pa.string()),
        ("client_id", pa.string()),
        ("period", pa.string()),
        ("start_session_date", pa.date32()),
        ("days", pa.int64()),
        ("start_worth", pa.float64()),
        ("end_worth", pa.float64()),
        ("net_flow", pa.float64()),
        ("time_weighted_return", pa.float64()),
        ("money_weighted_return", pa.float64()),
        ("issue", pa.string()),
    ]
)
"""Columns of the dbt model ``int_period_returns``; money is in USD, returns are fractions."""


def performance(worth: pa.Table, periods: pa.Table) -> pa.Table:
    """Return the returns of every owner over every period and since its inception.

    Parameters
    ----------
    worth : rows of ``int_worth``, sorted by owner and session.
    periods : rows of ``int_return_periods``.
    """
    if worth.num_rows == 0:
        return COLUMNS.empty_table()
    series = _series(worth)
    owners = worth.select(["owner_kind", "owner_id", "client_id"]).take(series.first)
    starts = zip(*(periods[n].to_pylist() for n in ("period", "start_session_date")), strict=True)
    days = {period: pa.scalar(start).cast(_EPOCH_DAYS).as_py() for period, start in sorted(starts)}
    parts = [
        _rows(owners, period, period_returns(series, start))
        for period, start in (*days.items(), (SINCE_INCEPTION, None))
    ]
    return pa.concat_tables(parts).combine_chunks()


def _series(worth: pa.Table) -> WorthSeries:
    kinds, ids = (worth[name].combine_chunks().dictionary_encode() for name in _OWNER)
    codes = [np.asarray(column.indices) for column in (kinds, ids)]
    begins = np.ones(worth.num_rows, dtype=bool)
    begins[1:] = (codes[0][1:] != codes[0][:-1]) | (codes[1][1:] != codes[1][:-1])
    dollars = [
        # Beyond 9 billion dollars micros are rounded: one client's fortune stops nobody's build.
        pc.divide(worth[name].cast(pa.float64(), safe=False), _MICROS).to_numpy()
        for name in ("worth_micros", "flow_micros")
    ]
    day = worth["session_date"].combine_chunks().cast(_EPOCH_DAYS).to_numpy().astype(np.int64)
    return WorthSeries(np.flatnonzero(begins), day, *dollars)


def _rows(owners: pa.Table, period: str, returns: PeriodReturns) -> pa.Table:
    columns = {
        **{name: owners[name] for name in owners.column_names},
        "period": pa.array([period] * owners.num_rows),
        "start_session_date": pa.array(returns.start_day.astype(np.int32)).cast(pa.date32()),
        "days": pa.array(returns.days),
        "start_worth": _known(returns.start_worth),
        "end_worth": _known(returns.end_worth),
        "net_flow": _known(returns.net_flow),
        "time_weighted_return": _known(returns.time_weighted),
        "money_weighted_return": _known(returns.money_weighted),
        "issue": pa.array([issue or None for issue in returns.issue], pa.string()),
    }
    return pa.table(columns).select(COLUMNS.names).cast(COLUMNS)


def _known(values: Floats) -> pa.Array:
    return pa.array(values, from_pandas=True)
