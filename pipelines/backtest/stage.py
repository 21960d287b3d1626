"""The backtest of a home's published build: read, walk, judge, write."""

import datetime as dt
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.vocabulary import HORIZON_SESSIONS
from pipelines.errors import ModelError, RebalanceError
from pipelines.progress import step
from pipelines.rebalance.market.aversion import HIGHEST_SCORE, LOWEST_SCORE
from pipelines.rebalance.policy import POLICY
from pipelines.settings import Settings

if TYPE_CHECKING:
    from ml.choice.validation_record import ValidationRecord
    from pipelines.backtest.results import Row

logger = logging.getLogger(__name__)

SCORES = (30, 60, 90)
"""Risk scores that are tried where none is named."""


@dataclass(frozen=True)
class BacktestReport:
    """What a backtest found, and the files that say it: a page, tables and the raw figures."""

    first: dt.date
    last: dt.date
    rows: "tuple[Row, ...]"
    remarks: tuple[str, ...]
    files: tuple[Path, ...]


def backtest(
    settings: Settings,
    begin: dt.date | None = None,
    scores: tuple[int, ...] = SCORES,
    folder: Path | None = None,
) -> BacktestReport:
    """Walk through the current build's history and write what every strategy came to.

    Parameters
    ----------
    begin : no decision is made before.
    scores : risk scores of our portfolios.
    folder : where files go; ``backtest`` in the home if not said.

    Raises
    ------
    RebalanceError
        A score is none, or there is too little history.
    WarehouseError
        There is no build.
    """
    from threadpoolctl import threadpool_limits

    from pipelines.backtest.history import read_history
    from pipelines.backtest.output import Backtest, write
    from pipelines.backtest.results import remarks, rows_of
    from pipelines.backtest.views import moving_average_view, panel_of, recorded_view
    from pipelines.backtest.walk import walk_forward
    from pipelines.warehouse import connect
    from pipelines.warehouse.places import published_folder

    scores = _checked(scores)
    with connect(published_folder(settings)) as warehouse:
        history = read_history(warehouse, settings.source.value)
    with threadpool_limits(limits=1), step("forecast with moving averages, year by year"):
        panel = panel_of(history)
        moving_average = moving_average_view(panel)
    lstm = recorded_view(panel, _network_record(settings))
    with threadpool_limits(limits=1), step("walk through the history"):
        first = int(np.searchsorted(history.sessions, np.datetime64(begin or dt.date.min, "D")))
        walk = walk_forward(history, lstm, moving_average, POLICY, scores, first)
    done = Backtest(
        history=history,
        walk=walk,
        rows=rows_of(walk, history),
        remarks=remarks(walk, history, lstm, moving_average, POLICY),
    )
    files = write(done, folder or settings.home / "backtest")
    return BacktestReport(done.first, done.last, done.rows, done.remarks, files)


def _checked(scores: tuple[int, ...]) -> tuple[int, ...]:
    for score in scores:
        if not LOWEST_SCORE <= score <= HIGHEST_SCORE:
            raise RebalanceError(
                "risk score", score, "there is none such", f"Name {LOWEST_SCORE}..{HIGHEST_SCORE}."
            )
    return tuple(sorted(set(scores)))


def _network_record(settings: Settings) -> "ValidationRecord | None":
    """Return what the network of the last training forecast out of sample; None if nothing."""
    from ml.forecasters import LSTM
    from ml.tracking import Registry
    from pipelines.forecast.failures import model_errors

    if not settings.mlflow.exists() and not settings.mlflow_url:
        return None
    try:
        with model_errors():
            registry = Registry(settings.mlflow, settings.mlflow_url)
            for training in registry.finished(settings.source.value):
                record = registry.validation_record(training, LSTM)
                if record is not None and HORIZON_SESSIONS in record.horizons:
                    return record
    except ModelError as error:
        logger.warning("the network's forecasts cannot be read; there is no LSTM view (%s)", error)
    return None
