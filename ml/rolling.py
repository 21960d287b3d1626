"""Sums over windows of sessions whose bits depend only on the values inside the window.

Sums run on integers (fixed point, 2**-40), which are exact: neither the history before the window
nor the order of addition can change them. A difference of floating-point running sums could.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FIXED_POINT = 2.0**40
LARGEST_VALUE = 64.0
"""Largest magnitude that may be summed: 100,000 sessions of it stay inside 64 bits."""


def to_fixed_point(values: Floats) -> Integers:
    """Return the values in units of 2**-40, missing ones as 0."""
    return np.rint(np.nan_to_num(values, nan=0.0) * FIXED_POINT).astype(np.int64)


def trailing_sum(values: Integers, window: int) -> Integers:
    """Return for each row the sum of it and the ``window - 1`` rows before it.

    Rows with less history than the window get the sum of what there is.
    """
    running = np.zeros((len(values) + 1, *values.shape[1:]), np.int64)
    np.cumsum(values, axis=0, out=running[1:])
    ends = np.arange(1, len(values) + 1)
    return running[ends] - running[np.maximum(ends - window, 0)]


def trailing_mean(values: Floats, window: int, least_share: float = 0.8) -> Floats:
    """Return the mean of what is observed in the last ``window`` rows, of shape (rows, columns).

    NaN where less than ``least_share`` of the window is observed.
    """
    return _mean(
        trailing_sum(to_fixed_point(values), window),
        trailing_sum(np.isfinite(values).astype(np.int64), window),
        least=max(1, int(np.ceil(least_share * window))),
    )


def expanding_mean(values: Floats, least: int) -> Floats:
    """Return the mean of all observed rows so far; NaN before the ``least``-th observation."""
    return _mean(
        np.cumsum(to_fixed_point(values), axis=0),
        np.cumsum(np.isfinite(values), axis=0, dtype=np.int64),
        least,
    )


def forward_sum(values: Floats, horizon: int, least_share: float = 0.8) -> Floats:
    """Return for row t the sum of what is observed in rows t+1 .. t+horizon.

    NaN unless the last of these rows and at least ``least_share`` of them are observed: a hole in
    the middle is closed by the next return, which reaches back over it; a hole at the end is not.
    """
    sums = trailing_sum(to_fixed_point(values), horizon)[horizon:]
    seen = np.isfinite(values)
    counts = trailing_sum(seen.astype(np.int64), horizon)[horizon:]
    complete = seen[horizon:] & (counts >= least_share * horizon)
    result = np.full(values.shape, np.nan)
    result[: len(sums)] = np.where(complete, sums / FIXED_POINT, np.nan)
    return result


def _mean(sums: Integers, counts: Integers, least: int) -> Floats:
    means = sums / FIXED_POINT / np.maximum(counts, 1)
    return np.where(counts >= least, means, np.nan)
