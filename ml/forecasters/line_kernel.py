"""The compiled loop of ``line``."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def fill_line(drift, slope, intercept, volatility, spread, mean, stdev, begin, end):  # type: ignore[no-untyped-def]
    """Fill in means and standard deviations of columns; both NaN where either is unknown."""
    for row in range(len(drift)):
        x, scale = drift[row, begin:end], volatility[row, begin:end]
        to_mean, to_stdev = mean[row, begin:end], stdev[row, begin:end]
        for lane in range(len(x)):
            is_known = (x[lane] == x[lane]) & (scale[lane] == scale[lane])
            to_mean[lane] = intercept + slope * x[lane] if is_known else np.nan
            to_stdev[lane] = spread * scale[lane] if is_known else np.nan
