"""Forecasts that were known at each session, and the confidence that they had earned by then."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.choice.validation_record import ValidationRecord
from ml.errors import TrainingError
from ml.evaluation.skill import confidence
from ml.forecasters import forecaster_class
from ml.forecasters.expanding_mean import expanding_mean_forecast
from ml.panel import Panel
from ml.rolling import Floats
from ml.splits import LEAST_TRAINING_SESSIONS, Split
from ml.work import Work
from models.vocabulary import HORIZON_SESSIONS
from pipelines.backtest.history import History
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.market.forecasts import Forecast

MOVING_AVERAGES = ("sma", "ema", "crossover")
"""Of equal records the first is taken."""

REFIT_SESSIONS = 252
"""Moving averages are fitted anew, and all confidences asked again, once in so many sessions."""


@dataclass(frozen=True)
class ViewRecord:
    """Out-of-sample forecasts of the log return over the horizon, and what they had earned.

    Attributes
    ----------
    mean, stdev : (sessions, symbols); NaN where there is no forecast.
    confidence : (sessions,) proven by the outcomes realised by the session.
    """

    mean: Floats
    stdev: Floats
    confidence: Floats

    def known_at(
        self, position: int, symbols: tuple[str, ...], columns: Integers
    ) -> tuple[Forecast, ...]:
        """Return the forecasts made after a session, for those of the columns that have one."""
        earned = float(self.confidence[position])
        mean, stdev = self.mean[position], self.stdev[position]
        return tuple(
            Forecast(symbols[column], float(mean[column]), float(stdev[column]), earned)
            for column in columns
            if np.isfinite(mean[column]) and np.isfinite(stdev[column])
        )

    @property
    def sessions_with_forecasts(self) -> int:
        """How many sessions have any."""
        return int(np.isfinite(self.mean).any(axis=1).sum())

    @property
    def first(self) -> int | None:
        """Position of the first session that has any; None if there is none."""
        rows = np.flatnonzero(np.isfinite(self.mean).any(axis=1))
        return int(rows[0]) if len(rows) else None


def panel_of(history: History) -> Panel:
    """Return the history as models see it; without features, which moving averages ask not for."""
    sessions, symbols = history.observed.shape
    return Panel(
        sessions=history.sessions,
        symbols=history.symbols,
        features=(),
        values=np.empty((sessions, symbols, 0), np.float32),
        log_return_1d=np.ascontiguousarray(history.log_return),
        observed=history.observed,
        session_features=(),
        session_values=np.empty((sessions, 0), np.float32),
    )


def reviews(panel: Panel) -> range:
    """Return positions after which models are fitted anew and confidences asked again."""
    first = LEAST_TRAINING_SESSIONS + HORIZON_SESSIONS
    return range(first, len(panel), REFIT_SESSIONS)


def moving_average_view(panel: Panel) -> ViewRecord:
    """Return the view of the moving averages, fitted year by year on what was realised by then.

    Each year the model serves whose forecasts so far had the lowest squared error, and its
    confidence allows for having been picked from all. In the first year, without a record, that is
    the first of them and the confidence 0.
    """
    fitted = [_walk(panel, name) for name in MOVING_AVERAGES]
    mean, stdev = np.full((2, *panel.observed.shape), np.nan)
    earned = np.zeros(len(panel))
    for start in reviews(panel):
        year = slice(start, start + REFIT_SESSIONS)
        best = _lowest_error(panel, [means for means, _ in fitted], start)
        mean[year], stdev[year] = fitted[best][0][year], fitted[best][1][year]
        earned[year] = _earned(panel, fitted[best][0], start, len(MOVING_AVERAGES))
    return ViewRecord(mean, stdev, earned)


def recorded_view(panel: Panel, record: ValidationRecord | None) -> ViewRecord:
    """Return the view of a network whose training kept what it forecast out of sample.

    A training keeps the forecasts of its validation ranges, each made by networks that were fitted
    on earlier sessions alone. Where there is none, there is no view. Their own spread is not kept:
    that of the last 63 sessions stands for it.
    """
    if record is None:
        nothing = np.full(panel.observed.shape, np.nan)
        return ViewRecord(nothing, nothing, np.zeros(len(panel)))
    mean = record.on(panel.sessions, panel.symbols, HORIZON_SESSIONS)
    stdev = panel.daily_volatility * np.sqrt(HORIZON_SESSIONS)
    earned = np.zeros(len(panel))
    for start in reviews(panel):
        earned[start : start + REFIT_SESSIONS] = _earned(panel, mean, start, models=1)
    return ViewRecord(mean, stdev, earned)


def _walk(panel: Panel, name: str) -> tuple[Floats, Floats]:
    """Return mean and spread of a model that is fitted anew at each review, (sessions, symbols)."""
    mean, stdev = np.full((2, *panel.observed.shape), np.nan)
    for start in reviews(panel):
        split = Split(
            train=range(start - HORIZON_SESSIONS + 1),
            validation=range(start, start),
            test=range(start, start),
            purge_sessions=HORIZON_SESSIONS,
            embargo_sessions=0,
        )
        model = forecaster_class(name)((HORIZON_SESSIONS,))
        try:
            model.fit(_first(panel, start + 1), split, Work(seed=0))
        except TrainingError:
            continue  # too few symbols so early; next year there is more
        year = range(start, min(start + REFIT_SESSIONS, len(panel)))
        found = model.predict(panel, year)
        mean[year.start : year.stop], stdev[year.start : year.stop] = found.mean[0], found.stdev[0]
    return mean, stdev


def _first(panel: Panel, count: int) -> Panel:
    return panel.until(panel.session(count - 1))


def _realised(position: int) -> slice:
    """Return the sessions whose outcome over the horizon is known after a session."""
    return slice(0, max(position - HORIZON_SESSIONS + 1, 0))


def _lowest_error(panel: Panel, means: Sequence[Floats], position: int) -> int:
    known = _realised(position)
    outcomes = panel.forward_log_return(HORIZON_SESSIONS)[known]
    errors = np.square(np.stack([outcomes - mean[known] for mean in means]))
    common = np.isfinite(errors).all(axis=0)
    return int(np.argmin(np.where(common, errors, 0.0).sum(axis=(1, 2))))


def _earned(panel: Panel, mean: Floats, position: int, models: int) -> float:
    known = _realised(position)
    outcomes = panel.forward_log_return(HORIZON_SESSIONS)[known]
    benchmark = expanding_mean_forecast(panel, HORIZON_SESSIONS)[known]
    where = np.isfinite(outcomes) & np.isfinite(benchmark) & np.isfinite(mean[known])
    if not where.any():
        return 0.0
    outcomes, forecast, benchmark = (
        np.where(where, values, 0.0) for values in (outcomes, mean[known], benchmark)
    )
    positions = np.arange(len(outcomes))
    return confidence(outcomes, forecast, benchmark, where, positions, HORIZON_SESSIONS, models)
