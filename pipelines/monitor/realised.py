"""What became of published forecasts, read from the marts of a session's build."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.evaluation import chance_band, compare, coverage, overlap_band
from ml.evaluation.overlap import Positions
from ml.rolling import Floats
from models.vocabulary import HORIZON_SESSIONS
from pipelines.monitor.check import WINDOW_SESSIONS, Realised
from pipelines.sessions import sessions_between
from pipelines.warehouse import WarehouseBuild, connect

_LEVEL = 0.8
BENCHMARK = "smartinvest-expanding_mean"
"""The registered name of the forecast that needs no learning and knows each symbol's own past."""


@dataclass(frozen=True)
class Record:
    """Forecasts that served beside the expanding mean's and what came; (sessions, symbols).

    ``positions`` are those of the sessions on the exchange's axis. NaN where unknown; ends of
    intervals are infinite where there is none.
    """

    positions: Positions
    outcome: Floats
    mean: Floats
    benchmark: Floats
    lower_80: Floats
    upper_80: Floats


def rolling(build: WarehouseBuild) -> Realised:
    """Return how the forecasts that served did, over the last sessions that are realised."""
    record = _served(build)
    return judge_record(record) if record else Realised(0, None, None, None, None)


def judge_record(record: Record) -> Realised:
    """Return skill and coverage of a record; None of either where too little can be said."""
    known = np.isfinite(record.outcome) & np.isfinite(record.mean)
    sessions = int(known.any(axis=1).sum())
    naive = np.square(record.outcome[known]).sum()
    ours = np.square((record.outcome - record.mean)[known]).sum()
    # The mean's chances of being the better one: that what served is no worse.
    skill = compare(
        record.outcome, record.benchmark, record.mean, record.positions, HORIZON_SESSIONS
    )
    held = coverage(record.lower_80, record.upper_80, record.outcome, known)
    band = chance_band(held.inside, held.given, sessions, _LEVEL, HORIZON_SESSIONS)
    if band is None:
        band = overlap_band(held.inside, held.given, record.positions, _LEVEL, HORIZON_SESSIONS)
    return Realised(
        sessions=sessions,
        rmse_to_naive=float(np.sqrt(ours / naive)) if naive > 0 else None,
        skill_p_value=skill.p_value if skill and skill.statistic is not None else None,
        coverage_80=held.share,
        band_80=band,
    )


def _served(build: WarehouseBuild) -> Record | None:
    with connect(build.path) as warehouse:
        rows = warehouse.sql(
            """
            with realised as (

                select *
                from forecast_result
                where horizon_sessions = $horizon and realised_log_return is not null

            ),

            last_sessions as (

                select distinct session_date
                from realised
                where serves
                order by session_date desc
                limit $window

            )

            select
                served.session_date,
                served.symbol,
                served.realised_log_return as outcome,
                served.expected_log_return as mean,
                benchmark.expected_log_return as benchmark,
                coalesce(served.lower_80_log_return, '-inf') as lower_80,
                coalesce(served.upper_80_log_return, 'inf') as upper_80
            from realised as served
            inner join last_sessions using (session_date)
            left join realised as benchmark
                on served.session_date = benchmark.session_date
                and served.symbol = benchmark.symbol
                and benchmark.model_name = $benchmark
            where served.serves
            order by served.session_date, served.symbol
            """,
            params={"horizon": HORIZON_SESSIONS, "window": WINDOW_SESSIONS, "benchmark": BENCHMARK},
        ).to_arrow_table()
    return _record(rows) if rows.num_rows else None


def _record(rows: pa.Table) -> Record:
    dates: list[dt.date] = rows["session_date"].unique().to_pylist()
    axis = sessions_between(dates[0], dates[-1])
    positions = {date: position for position, date in enumerate(axis)}
    symbols = sorted(rows["symbol"].unique().to_pylist())
    row_of = {date: row for row, date in enumerate(dates)}
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    places = (
        np.array([row_of[date] for date in rows["session_date"].to_pylist()]),
        np.array([column_of[symbol] for symbol in rows["symbol"].to_pylist()]),
    )
    shape = (len(dates), len(symbols))
    return Record(
        positions=np.array([positions[date] for date in dates]),
        **{
            name: _grid(shape, places, rows[name].to_numpy())
            for name in ("outcome", "mean", "benchmark", "lower_80", "upper_80")
        },
    )


def _grid(
    shape: tuple[int, int], places: tuple[NDArray[Any], NDArray[Any]], values: Floats
) -> Floats:
    grid = np.full(shape, np.nan)
    grid[places] = values
    return grid
