"""The forecasts of a run: those that serve it, and those that it is compared with."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from models.vocabulary import HORIZON_SESSIONS
from pipelines.errors import RebalanceError
from pipelines.store import tables

LSTM_MODEL = "smartinvest-lstm"
"""The network, as the registry calls it."""

MOVING_AVERAGE_MODELS = tuple(f"smartinvest-{name}" for name in ("sma", "ema", "crossover"))
"""The moving-average models, in the order in which one of equal errors is taken."""


@dataclass(frozen=True)
class Forecast:
    """A forecast of the log return over the horizon, and the confidence that it earned."""

    symbol: str
    expected_log_return: float
    stdev_log_return: float
    confidence: float


@dataclass(frozen=True)
class RunForecasts:
    """Forecasts over the horizon of the optimiser, each in symbol order.

    Attributes
    ----------
    serving : what targets are made with.
    lstm, moving_average : of the network, and of the moving-average model with the lowest
        validation error; empty where a run has none.
    moving_average_model : which one that is; None where there is none.
    """

    serving: tuple[Forecast, ...]
    lstm: tuple[Forecast, ...] = ()
    moving_average: tuple[Forecast, ...] = ()
    moving_average_model: str | None = None


def read_forecasts(connection: sa.Connection, run_id: str) -> RunForecasts:
    """Read a run's forecasts from the store.

    Raises
    ------
    RebalanceError
        None of them serves the run.
    """
    forecast = tables["forecast"]
    found = connection.execute(
        sa.select(
            forecast.c.model_name,
            forecast.c.symbol,
            forecast.c.expected_log_return,
            forecast.c.stdev_log_return,
            forecast.c.confidence,
            forecast.c.serves,
            forecast.c.validation_rmse,
        ).where(forecast.c.run_id == run_id, forecast.c.horizon_sessions == HORIZON_SESSIONS)
    ).all()
    by_model: dict[str, list[Forecast]] = {}
    for row in sorted(found, key=lambda row: (row.model_name, row.symbol)):
        by_model.setdefault(row.model_name, []).append(
            Forecast(row.symbol, row.expected_log_return, row.stdev_log_return, row.confidence)
        )
    serving = {row.model_name for row in found if row.serves}
    if len(serving) != 1:
        raise RebalanceError(
            "run",
            run_id,
            f"{'more than one' if serving else 'no'} forecast over {HORIZON_SESSIONS} sessions "
            "serves it",
            "Run `smartinvest forecast` again.",
        )
    best = _best_moving_average({row.model_name: row.validation_rmse for row in found})
    return RunForecasts(
        serving=tuple(by_model[serving.pop()]),
        lstm=tuple(by_model.get(LSTM_MODEL, ())),
        moving_average=tuple(by_model[best]) if best else (),
        moving_average_model=best,
    )


def _best_moving_average(errors: Mapping[str, float | None]) -> str | None:
    """Return the moving-average model of lowest validation error among those of a run.

    A model without an error comes after those with one: it was trained before scores were kept.
    """
    candidates = [name for name in MOVING_AVERAGE_MODELS if name in errors]

    def error_of(name: str) -> float:
        error = errors[name]
        return math.inf if error is None else error

    return min(candidates, key=error_of, default=None)
