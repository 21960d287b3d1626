"""Scores of the published forecasts whose horizon ends at a session."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from ml.evaluation import Mask, Outcomes, score
from ml.rolling import Floats
from ml.scores import OutOfSample
from models.vocabulary import ScoredPeriod
from pipelines.monitor.realised import BENCHMARK
from pipelines.warehouse import WarehouseBuild, connect

_UNKNOWN = (
    # Of one session's forecasts there is nothing to say: what was common before is not read, and
    # seeds are not told apart once a forecast is published.
    *("hit_rate", "majority_rate", "hit_rate_t"),
    *("seeds", "rmse_to_naive_seed_lowest", "rmse_to_naive_seed_highest"),
    "rmse_to_naive_seed_stdev",
)

_SAID = ("training_run_id", "model_version", "mlflow_run_id", "confidence", "serves")
"""What a forecast's row says of its model. No training where its session's choice was replaced."""


def live_scores(build: WarehouseBuild) -> list[dict[str, Any]]:
    """Return the rows of ``model_score`` of the forecasts that are realised at the build's session.

    One of each horizon and model, over the symbols that all models forecast.
    """
    with connect(build.path) as warehouse:
        rows = warehouse.sql(
            """
            select forecast_result.*, run_lineage.training_run_id
            from forecast_result
            left join run_lineage using (run_id)
            where end_session_date = ? and realised_log_return is not null
            order by horizon_sessions, model_name, symbol
            """,
            params=[build.session_date],
        ).to_arrow_table()
    return [
        row
        for horizon in sorted(set(rows["horizon_sessions"].to_pylist()))
        for row in _of_horizon(build, horizon, rows.filter(_is(rows, "horizon_sessions", horizon)))
    ]


def _of_horizon(build: WarehouseBuild, horizon: int, rows: pa.Table) -> Iterator[dict[str, Any]]:
    symbols = sorted(set(rows["symbol"].to_pylist()))
    models = {
        name: _Model(rows.filter(_is(rows, "model_name", name)), symbols)
        for name in sorted(set(rows["model_name"].to_pylist()))
    }
    if BENCHMARK not in models:
        return
    realised = models[BENCHMARK].column("realised_log_return")
    means = [model.column("expected_log_return") for model in models.values()]
    counts: Mask = np.all(np.isfinite(np.stack([realised, *means])), axis=0)
    if not counts.any():
        return
    outcomes = Outcomes(
        horizons=(horizon,),
        positions=np.zeros(1, np.int64),
        sessions=np.array([rows["session_date"][0].as_py()], "datetime64[D]"),
        symbols=tuple(symbols),
        log_return=realised[None, None],
        benchmark=models[BENCHMARK].column("expected_log_return")[None, None],
        majority=np.zeros((1, 1), np.int64),
        where=counts[None, None],
        models=len(models),
    )
    for name, model in models.items():
        [found] = score(outcomes, model.forecasts(), ScoredPeriod.LIVE).scores
        yield {
            **asdict(found),
            **dict.fromkeys(_UNKNOWN),
            "source": build.source,
            "session_date": build.session_date,
            "model_name": name,
            **{key: model.said(key) for key in _SAID},
        }


class _Model:
    """One model's forecasts of one session, in the order of the symbols."""

    def __init__(self, rows: pa.Table, symbols: list[str]) -> None:
        self._rows = rows
        self._places = np.searchsorted(symbols, rows["symbol"].to_pylist())
        self._count = len(symbols)

    def column(self, name: str, missing: float = np.nan) -> Floats:
        """Return a column by symbol; NaN where there is no forecast."""
        values = np.full(self._count, np.nan)
        given = self._rows[name].fill_null(missing)
        values[self._places] = given.to_numpy()
        return values

    def said(self, name: str) -> Any:
        """Return what is the same of all symbols."""
        return self._rows[name][0].as_py()

    def forecasts(self) -> OutOfSample:
        """Return the forecasts as scoring takes them."""
        mean = self.column("expected_log_return")[None, None]
        ends = {
            side: np.stack(
                [self.column(f"{side}_{level}_log_return", end)[None, None] for level in (80, 95)]
            )
            for side, end in (("lower", -np.inf), ("upper", np.inf))
        }
        return OutOfSample(
            positions=np.zeros(1, np.int64),
            mean=mean,
            stdev=np.full_like(mean, np.nan),
            seed_means=mean[None],
            **ends,
        )


def _is(rows: pa.Table, column: str, value: object) -> pa.Array:
    import pyarrow.compute as pc

    return pc.equal(rows[column], value)
