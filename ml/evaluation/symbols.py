"""Scores of single symbols, corrected for testing all of them."""

import numpy as np

from ml.evaluation.comparison import diebold_mariano
from ml.evaluation.multiple import LEVEL, holm
from ml.evaluation.nullable import number_or_none, ratio_or_none
from ml.evaluation.outcomes import HorizonOutcomes
from ml.rolling import Floats
from ml.scores import SymbolScore


def score_symbols(
    realised: HorizonOutcomes, squared: Floats, symbols: tuple[str, ...]
) -> tuple[SymbolScore, ...]:
    """Return the scores of all symbols that have a forecast that counts.

    Each is tested against the zero forecast, all at once, and the p values are corrected for
    testing so many.

    Parameters
    ----------
    realised : outcomes of one horizon.
    squared : (sessions, symbols); squared errors, 0 where none counts.
    symbols : names of the columns.
    """
    nowhere = ~realised.where
    losses = np.where(nowhere, np.nan, squared)
    test = diebold_mariano(
        losses, realised.naive_errors, realised.positions, realised.horizon_sessions
    )
    p_values = np.where(np.isfinite(test.statistic), test.p_value, np.nan)
    corrected = holm(p_values)
    counts = realised.where.sum(axis=0)
    own, naive = np.sqrt(squared.sum(axis=0)), np.sqrt(realised.naive_errors.sum(axis=0))
    return tuple(
        SymbolScore(
            horizon_sessions=realised.horizon_sessions,
            symbol=symbols[column],
            forecasts=int(counts[column]),
            rmse_to_naive=ratio_or_none(own[column], naive[column]),
            dm_naive=number_or_none(test.statistic[column]),
            dm_naive_p_value=number_or_none(p_values[column]),
            dm_naive_p_value_corrected=number_or_none(corrected[column]),
        )
        for column in np.flatnonzero(counts)
    )


def symbols_apart(scores: tuple[SymbolScore, ...]) -> dict[str, int | None]:
    """Return how many symbols the model is better and worse on; None where none can be tested."""
    tested = [
        (each.dm_naive, each.dm_naive_p_value_corrected)
        for each in scores
        if each.dm_naive is not None and each.dm_naive_p_value_corrected is not None
    ]
    if not tested:
        return {"symbols_better": None, "symbols_worse": None}
    differing = [statistic for statistic, p_value in tested if p_value < LEVEL]
    better = sum(statistic < 0 for statistic in differing)
    return {"symbols_better": better, "symbols_worse": len(differing) - better}
