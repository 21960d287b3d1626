"""A bar beside its symbol's accepted past: how far the price moved, how long it has stood still."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


def with_history(bars: pd.DataFrame, move_limit: Callable[[str | None], float]) -> pd.DataFrame:
    """Add ``log_move`` and ``unchanged_sessions`` to the bars.

    Parameters
    ----------
    bars : one row per symbol and session, in that order, with ``symbol``, ``asset_class``,
        ``close`` (positive) and ``is_new``; rows that are not new were accepted before.
    move_limit : largest plausible absolute log move of an asset class.

    Notes
    -----
    The reference of a move is the last close that was itself plausible. So one bad tick is one
    bad row, not two, and a price that jumps and stays is rejected until somebody looks at it.
    A bar depends on earlier bars only.
    """
    limits = bars["asset_class"].map(
        {name: move_limit(name) for name in bars["asset_class"].unique()}
    )
    symbols = bars["symbol"].to_numpy()
    log_close = np.log(bars["close"].to_numpy(dtype=float))
    limit = limits.to_numpy(dtype=float)
    is_new = bars["is_new"].to_numpy(dtype=bool)

    starts = np.ones(len(bars), dtype=bool)
    starts[1:] = symbols[1:] != symbols[:-1]
    moves = np.where(starts, np.nan, np.diff(log_close, prepend=np.nan))
    bounds = [*np.flatnonzero(starts), len(bars)]
    for first, end in pairwise(bounds):
        one = slice(first, end)
        if np.any(is_new[one] & (np.abs(moves[one]) > limit[one])):
            moves[one] = _moves_from_plausible(log_close[one], limit[one], is_new[one])

    plausible = ~(is_new & (np.abs(moves) > limit))
    return bars.assign(log_move=moves, unchanged_sessions=_unchanged(symbols, log_close, plausible))


def _moves_from_plausible(
    log_close: Floats, limit: Floats, is_new: npt.NDArray[np.bool_]
) -> Floats:
    moves = np.full(len(log_close), np.nan)
    reference = log_close[0]
    for position in range(1, len(log_close)):
        moves[position] = log_close[position] - reference
        if not is_new[position] or abs(moves[position]) <= limit[position]:
            reference = log_close[position]
    return moves


def _unchanged(
    symbols: npt.NDArray[np.object_], log_close: Floats, plausible: npt.NDArray[np.bool_]
) -> Floats:
    """Count repeats of the close among the plausible bars; NaN for the others."""
    kept = np.flatnonzero(plausible)
    changed = np.ones(len(kept), dtype=bool)
    changed[1:] = (symbols[kept][1:] != symbols[kept][:-1]) | (np.diff(log_close[kept]) != 0)
    run_start = np.maximum.accumulate(np.where(changed, np.arange(len(kept)), 0))
    unchanged = np.full(len(log_close), np.nan)
    unchanged[kept] = np.arange(len(kept)) - run_start
    return unchanged
