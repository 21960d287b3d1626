"""Sums and means over windows of sessions whose bits depend only on the values inside the window.

Sums run on integers (fixed point, 2**-40), which are exact: neither the history before the window
nor the order of addition can change them. A difference of floating-point running sums could.
All arrays are (rows, columns): sessions and symbols. NaN is missing; nothing is infinite.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LARGEST_VALUE = 64.0
"""Largest magnitude that may be summed: 100,000 sessions of it stay inside 64 bits."""

LEAST_SHARE_OBSERVED = 0.8
"""Of a window, for a mean or a sum over it."""

_MOST_THREADS = 4
_FEW_VALUES = 1 << 18


def trailing_mean(values: Floats, window: int, least_share: float = LEAST_SHARE_OBSERVED) -> Floats:
    """Return the mean of what is observed in the last ``window`` rows.

    NaN where less than ``least_share`` of the window is observed.
    """
    least = max(1, int(np.ceil(least_share * window)))
    return _filled("trailing_mean", values, window, least)


def root_mean_square(
    values: Floats, window: int, least_share: float = LEAST_SHARE_OBSERVED
) -> Floats:
    """Return the root of the mean square of what is observed in the last ``window`` rows.

    NaN where less than ``least_share`` of the window is observed.
    """
    least = max(1, int(np.ceil(least_share * window)))
    return _filled("root_mean_square", values, window, least)


def expanding_mean(values: Floats, least: int) -> Floats:
    """Return the mean of all observed rows so far; NaN before the ``least``-th observation."""
    return _filled("expanding_mean", values, least)


def forward_sum(values: Floats, horizon: int, least_share: float = LEAST_SHARE_OBSERVED) -> Floats:
    """Return for row t the sum of what is observed in rows t+1 .. t+horizon.

    NaN unless the last of these rows and at least ``least_share`` of them are observed: a hole in
    the middle is closed by the next return, which reaches back over it; a hole at the end is not.
    """
    least = int(np.ceil(least_share * horizon))
    return _filled("forward_sum", values, horizon, least)


def gap_of_averages(
    values: Floats, fast: int, slow: int, least_share: float = LEAST_SHARE_OBSERVED
) -> Floats:
    """Return the mean of the last ``fast`` running sums of the values less that of ``slow``.

    Of log returns: the fast moving average of the log price less the slow one. NaN where less than
    ``least_share`` of the slow window is observed.
    """
    least = max(1, int(np.ceil(least_share * slow)))
    return _filled("gap_of_averages", values, fast, slow, least)


def exponential_mean(
    values: Floats, span: int, rows: int, least_share: float = LEAST_SHARE_OBSERVED
) -> Floats:
    """Return the mean of the last ``rows`` rows with weights (1 - 2 / (span + 1))^age.

    Weights are normalised over what is observed; NaN where less than ``least_share`` of them is.

    Parameters
    ----------
    rows : a power of two.
    """
    decay, doublings = 1.0 - 2.0 / (span + 1.0), rows.bit_length() - 1
    if rows != 1 << doublings:
        raise ValueError(f"rows = {rows} is no power of two")
    return _filled("exponential_mean", values, decay, doublings, least_share)


def by_columns(kernel: Callable[..., None], shape: tuple[int, ...], *arguments: Any) -> None:
    """Run a kernel over all columns of a shape, shared among threads where there is much to do.

    Parameters
    ----------
    kernel : compiled; takes the arguments and the first and the last column, exclusive, that it
        shall fill.
    """
    columns = shape[1]
    threads = min(_MOST_THREADS, os.cpu_count() or 1) if np.prod(shape) > _FEW_VALUES else 1
    if threads == 1:
        kernel(*arguments, 0, columns)
        return
    bounds = [columns * number // threads for number in range(threads + 1)]
    with ThreadPoolExecutor(threads, "columns") as pool:
        shares = [pool.submit(kernel, *arguments, *share) for share in pairwise(bounds)]
    for share in shares:
        share.result()


def _filled(name: str, values: Floats, *settings: float) -> Floats:
    # The compiler takes a second to load, and who reads results only never needs it.
    from ml import rolling_kernels

    values = np.ascontiguousarray(values, np.float64)
    result = np.empty(values.shape)
    by_columns(getattr(rolling_kernels, name), values.shape, values, *settings, result)
    return result
