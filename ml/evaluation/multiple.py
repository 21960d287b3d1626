"""Many tests at once: p values that allow for the number of tests."""

import numpy as np

from ml.rolling import Floats

LEVEL = 0.05
"""Chance of being wrong at which something is said to be more than chance."""


def holm(p_values: Floats) -> Floats:
    """Return p values corrected by Holm's method; NaN where a test was not made.

    Rejecting those below 5 % is wrong about any at all in at most 5 % of cases, however the tests
    hang together.

    Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    made = np.flatnonzero(np.isfinite(p_values))
    order = made[np.argsort(p_values[made], kind="stable")]
    remaining = np.arange(len(order), 0, -1)
    corrected = np.full(p_values.shape, np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * remaining), 1.0)
    return corrected


def bonferroni(p_value: float, tests: int) -> float:
    """Return a p value corrected for having picked the best of so many."""
    return min(1.0, p_value * tests)
