"""Percent ranks of a measure among the members of each session."""

from concurrent.futures import Executor
from itertools import repeat

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

_SESSIONS_AT_ONCE = 64


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
    order = np.argsort(block, axis=1)  # NaN comes last
    ordered = np.take_along_axis(block, order, axis=1)
    places = np.arange(block.shape[1], dtype=np.int32)
    is_first = np.ones(block.shape, bool)
    is_first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    smaller = np.maximum.accumulate(np.where(is_first, places, 0), axis=1)
    is_missing = np.isnan(ordered)
    others = block.shape[1] - np.count_nonzero(is_missing, axis=1) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        ranks = smaller / others[:, None].astype(np.float64)
    ranks[is_missing | (others < 1)[:, None]] = np.nan
    np.put_along_axis(block, order, ranks.astype(np.float32), axis=1)
    values[:, begin : begin + _SESSIONS_AT_ONCE] = block.T
