"""Percent ranks of a measure among the members of each session."""

from concurrent.futures import Executor
from itertools import repeat

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]

_SESSIONS_AT_ONCE = 16


def rank_sessions(values: Matrix, pool: Executor) -> None:
    """Replace values by their percent ranks among those of their session.

    The rank is the count of smaller values over the count of other values, so that ties share the
    lower rank; NaN where the value is, and where it is the session's only one.

    Parameters
    ----------
    values : (symbols, sessions), as they are stored; NaN where there is none to rank.
    """
    begins = range(0, values.shape[1], _SESSIONS_AT_ONCE)
    for _ in pool.map(_rank_some, repeat(values), begins):
        pass


def _rank_some(values: Matrix, begin: int) -> None:
    block = np.ascontiguousarray(values[:, begin : begin + _SESSIONS_AT_ONCE].T)
    sessions, symbols = block.shape
    is_missing = np.isnan(block)
    block[is_missing] = np.inf  # last, and sorted six times as fast as NaN
    order = np.argsort(block, axis=1)
    order += (np.arange(sessions) * symbols)[:, None]
    ordered = block.ravel()[order]
    smaller = np.zeros(block.shape, np.int32)
    is_larger = ordered[:, 1:] != ordered[:, :-1]
    np.multiply(is_larger, np.arange(1, symbols, dtype=np.int32), out=smaller[:, 1:])
    np.maximum.accumulate(smaller, axis=1, out=smaller)
    counts = symbols - np.count_nonzero(is_missing, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ranks = smaller / (counts - 1.0)[:, None]
    for row, count in zip(ranks, counts.tolist(), strict=True):
        row[count if count > 1 else 0 :] = np.nan
    block.ravel()[order] = ranks.astype(np.float32)
    values[:, begin : begin + _SESSIONS_AT_ONCE] = block.T
