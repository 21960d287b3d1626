"""What forecasts out of sample are scored by, and what the scores say."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.rolling import Floats
from models.vocabulary import ScoredPeriod


@dataclass(frozen=True)
class OutOfSample:
    """A model's forecasts of one period: those of all folds, one after the other.

    Attributes
    ----------
    positions : (n,) on the panel's session axis, ascending; none is in two folds.
    mean, stdev : (horizons, n, symbols), log return; calibrated; NaN where there is none.
    seed_means : (seeds, horizons, n, symbols); the means of each seed alone.
    lower, upper : (levels, horizons, n, symbols), ends of the intervals; infinite where an
        interval has none.
    """

    positions: NDArray[np.int64]
    mean: Floats
    stdev: Floats
    seed_means: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Score:
    """A model's row in the honest table, of one horizon and period.

    The fields are the columns of the table ``model_score`` of those names; None, never NaN, where
    something cannot be said: a ratio to losses of zero, a test of too few sessions, a rank
    correlation of a forecast that is the same for all symbols.
    """

    horizon_sessions: int
    period: ScoredPeriod
    period_start: dt.date
    period_end: dt.date
    forecasts: int
    sessions: int
    symbols: int
    mae: float
    rmse: float
    mae_to_naive: float | None
    rmse_to_naive: float | None
    r2_out_of_sample: float | None
    rank_ic: float | None
    rank_ic_t: float | None
    hit_rate: float | None
    majority_rate: float | None
    hit_rate_t: float | None
    dm_naive: float | None
    dm_naive_p_value: float | None
    dm_naive_p_value_apart: float | None
    dm_mean: float | None
    dm_mean_p_value: float | None
    dm_mean_p_value_apart: float | None
    symbols_better: int | None
    symbols_worse: int | None
    coverage_80: float | None
    width_80: float | None
    unbounded_80: float | None
    coverage_95: float | None
    width_95: float | None
    unbounded_95: float | None
    seeds: int
    rmse_to_naive_seed_lowest: float | None
    rmse_to_naive_seed_highest: float | None
    rmse_to_naive_seed_stdev: float | None


@dataclass(frozen=True)
class SymbolScore:
    """A model's test of one symbol; the columns of ``model_symbol_score``."""

    horizon_sessions: int
    symbol: str
    forecasts: int
    rmse_to_naive: float | None
    dm_naive: float | None
    dm_naive_p_value: float | None
    dm_naive_p_value_corrected: float | None


@dataclass(frozen=True)
class YearCoverage:
    """Coverage of one year's intervals beside what chance allows; shares.

    ``year`` is None for the whole period. Of as many sessions whose intervals hold their level,
    95 % of the shares lie between ``lowest`` and ``highest``, as a block bootstrap over sessions
    finds; None where the period is too short for one.
    """

    horizon_sessions: int
    level: float
    year: int | None
    coverage: float
    lowest: float | None
    highest: float | None
    forecasts: int


@dataclass(frozen=True)
class Evidence:
    """One comparison that a choice rests on; the columns of ``model_evidence``.

    ``statistic`` is None, and the p values 1, where too little is common to both.
    """

    model_name: str
    against: str
    horizon_sessions: int
    from_session_date: dt.date
    to_session_date: dt.date
    sessions: int
    loss_difference: float
    statistic: float | None
    p_value: float
    p_value_corrected: float
    passed: bool
