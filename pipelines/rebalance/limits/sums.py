"""Sums of weights, added up symbol by symbol: the same bits for a goal in any shard."""

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers, Mask


def class_sums(weights: Floats, class_of: Integers, classes: int) -> Floats:
    """Return (goals, classes) sums of (goals, symbols) weights.

    Parameters
    ----------
    class_of : (symbols,) number of each symbol's class.
    """
    sums = np.zeros((len(weights), classes))
    for symbol, number in enumerate(class_of):
        sums[:, number] += weights[:, symbol]
    return sums


def total(weights: Floats, where: Mask | None = None) -> Floats:
    """Return (goals,) sums of (goals, columns) weights, of all columns or some."""
    columns = range(weights.shape[1]) if where is None else np.flatnonzero(where)
    sums = np.zeros(len(weights))
    for column in columns:
        sums += weights[:, column]
    return sums
