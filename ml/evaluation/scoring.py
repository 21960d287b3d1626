"""The honest table: one model's scores of a period, of each horizon, symbol and year."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.errors import TrainingError
from ml.evaluation.comparison import diebold_mariano, session_means
from ml.evaluation.hits import hits
from ml.evaluation.intervals import Coverage, coverage, coverage_by_year
from ml.evaluation.nullable import number_or_none, ratio_or_none
from ml.evaluation.outcomes import HorizonOutcomes, Outcomes
from ml.evaluation.overlap import apart_t_test, overlap_t_test
from ml.evaluation.ranks import average_ranks, rank_correlations
from ml.evaluation.skill import r2_out_of_sample
from ml.evaluation.symbols import score_symbols, symbols_apart
from ml.panel import date_of
from ml.rolling import Floats
from ml.scores import OutOfSample, Score, SymbolScore, YearCoverage
from models.vocabulary import INTERVAL_LEVELS, ScoredPeriod


@dataclass(frozen=True)
class Scores:
    """What one period says about a model.

    Attributes
    ----------
    scores : one of each horizon.
    symbol_scores : one of each horizon and symbol that has a forecast that counts.
    coverage : of each horizon and level: the whole period, then each year.
    """

    scores: tuple[Score, ...]
    symbol_scores: tuple[SymbolScore, ...]
    coverage: tuple[YearCoverage, ...]


def score(outcomes: Outcomes, forecasts: OutOfSample, period: ScoredPeriod) -> Scores:
    """Score a model's forecasts of a period, on what all models have forecast.

    Raises
    ------
    TrainingError
        A forecast that counts is missing, or the positions are not those of the outcomes.
    """
    if not np.array_equal(outcomes.positions, forecasts.positions):
        raise TrainingError(
            "forecasts that are scored", f"{len(forecasts.positions)} sessions",
            f"outcomes are of {len(outcomes.positions)}, or of others",
            "Score forecasts beside the outcomes of the same sessions.",
        )  # fmt: skip
    parts = [_score_horizon(realised, outcomes.symbols, forecasts, period)
             for realised in outcomes.by_horizon]  # fmt: skip
    return Scores(
        scores=tuple(part.scores[0] for part in parts),
        symbol_scores=tuple(row for part in parts for row in part.symbol_scores),
        coverage=tuple(row for part in parts for row in part.coverage),
    )


def _score_horizon(
    realised: HorizonOutcomes,
    symbols: tuple[str, ...],
    forecasts: OutOfSample,
    period: ScoredPeriod,
) -> Scores:
    mean = _complete(realised, forecasts.mean)
    squared = np.square(realised.log_return - mean)
    by_symbol = score_symbols(realised, squared, symbols)
    intervals = _intervals(realised, forecasts)
    values = {
        "horizon_sessions": realised.horizon_sessions,
        "period": period,
        "period_start": date_of(realised.sessions[0]),
        "period_end": date_of(realised.sessions[-1]),
        "forecasts": realised.forecasts,
        "sessions": len(realised.rows),
        "symbols": int(realised.where.any(axis=0).sum()),
        **_errors(realised, mean, squared),
        **_order(realised, mean),
        **_signs(realised, mean),
        **_against("naive", realised, squared, realised.naive_losses),
        **_against("mean", realised, squared, realised.benchmark_losses),
        **symbols_apart(by_symbol),
        **_widths(intervals),
        **_seeds(realised, forecasts.seed_means),
    }
    by_year = [
        row
        for level, found in intervals.items()
        for row in coverage_by_year(found, realised.sessions, level, realised.horizon_sessions)
    ]
    return Scores((Score(**values),), by_symbol, tuple(by_year))


def _complete(realised: HorizonOutcomes, means: Floats) -> Floats:
    mean = realised.of(means)
    if not np.isfinite(mean).all():
        raise TrainingError(
            "forecasts that are scored", int((~np.isfinite(mean)).sum()),
            "these are missing where all models were said to have one",
            "Give all models' forecasts when choosing which count.",
        )  # fmt: skip
    return mean


def _errors(realised: HorizonOutcomes, mean: Floats, squared: Floats) -> dict[str, Any]:
    count = realised.forecasts
    mse, naive_mse = squared.sum() / count, realised.naive_errors.sum() / count
    mae = np.abs(realised.log_return - mean).sum() / count
    naive_mae = np.abs(realised.log_return).sum() / count
    return {
        "mae": float(mae),
        "rmse": float(np.sqrt(mse)),
        "mae_to_naive": ratio_or_none(mae, naive_mae),
        "rmse_to_naive": ratio_or_none(np.sqrt(mse), np.sqrt(naive_mse)),
        "r2_out_of_sample": r2_out_of_sample(
            realised.log_return, mean, realised.benchmark, realised.where
        ),
    }


def _order(realised: HorizonOutcomes, mean: Floats) -> dict[str, Any]:
    ranks = average_ranks(np.where(realised.where, mean, np.nan))
    correlations = rank_correlations(ranks, realised.ranks)
    said = np.isfinite(correlations)
    if not said.any():
        return {"rank_ic": None, "rank_ic_t": None}
    test = overlap_t_test(correlations[said], realised.positions[said], realised.horizon_sessions)
    return {"rank_ic": float(test.mean), "rank_ic_t": number_or_none(test.statistic)}


def _signs(realised: HorizonOutcomes, mean: Floats) -> dict[str, Any]:
    found = hits(
        mean,
        realised.log_return,
        realised.majority,
        realised.where,
        realised.positions,
        realised.horizon_sessions,
    )
    return {
        "hit_rate": found.rate,
        "majority_rate": found.majority_rate,
        "hit_rate_t": found.statistic,
    }


def _against(
    other: str, realised: HorizonOutcomes, squared: Floats, other_losses: Floats
) -> dict[str, Any]:
    losses = session_means(squared, realised.where)
    horizon = realised.horizon_sessions
    test = diebold_mariano(losses, other_losses, realised.positions, horizon)
    said = bool(np.isfinite(test.statistic))
    return {
        f"dm_{other}": number_or_none(test.statistic),
        f"dm_{other}_p_value": number_or_none(test.p_value),
        f"dm_{other}_p_value_apart": (
            apart_t_test(losses - other_losses, realised.positions, horizon) if said else None
        ),
    }


def _intervals(realised: HorizonOutcomes, forecasts: OutOfSample) -> dict[float, Coverage]:
    return {
        level: coverage(
            lower[realised.number][realised.rows],
            upper[realised.number][realised.rows],
            realised.log_return,
            realised.where,
        )
        for level, lower, upper in zip(
            INTERVAL_LEVELS, forecasts.lower, forecasts.upper, strict=True
        )
    }


def _widths(intervals: dict[float, Coverage]) -> dict[str, float | None]:
    columns: dict[str, float | None] = {}
    for level, found in intervals.items():
        percent = round(100 * level)
        columns[f"coverage_{percent}"] = found.share
        columns[f"width_{percent}"] = found.width
        columns[f"unbounded_{percent}"] = found.unbounded
    return columns


def _seeds(realised: HorizonOutcomes, seed_means: Floats) -> dict[str, Any]:
    """Return the spread of the error over single seeds; of one seed there is none."""
    naive = np.sqrt(realised.naive_errors.sum())
    spread: tuple[float | None, ...] = (None, None, None)
    if len(seed_means) > 1 and naive > 0:
        ratios = [
            np.sqrt(np.square(realised.log_return - _complete(realised, mean)).sum()) / naive
            for mean in seed_means
        ]
        spread = float(min(ratios)), float(max(ratios)), float(np.std(ratios, ddof=1))
    names = ("lowest", "highest", "stdev")
    columns = {
        f"rmse_to_naive_seed_{name}": value for name, value in zip(names, spread, strict=True)
    }
    return {"seeds": max(len(seed_means), 1), **columns}
