"""What a symbol's accepted bars say about the next one: its usual move, volume and standstill.

Every number is a sum over a fixed window of accepted bars, in whole numbers, so its bits depend on
that window alone and not on how much history lies before it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WINDOW_BARS = 63
"""Accepted bars that a verdict may look back on; a quarter's sessions."""

_RECENT_BARS = 10
"""A calm quarter says little about a week in a crash: the livelier of the two counts."""

FEWEST_MOVES = 10
"""Moves from which a usual one is estimated at all."""

_UNITS = 1e9
_LARGEST_MOVE_COUNTED = 0.25
"""So that one jump does not widen the limits for a quarter."""

_ABS_TO_STANDARD_DEVIATION = 1.2533
"""sqrt(pi / 2): the ratio for a normal variable."""


@dataclass(frozen=True)
class Past:
    """What is known after each bar, one number per bar.

    ``usual_move`` is a standard deviation of log moves, NaN with fewer than ten of them; ``moved``
    counts those that were not zero;
    ``mean_volume`` is NaN where no bar has a volume; ``unchanged`` counts the bars that repeat the
    close before them, up to this one; ``standstills`` and ``bars`` count, within the window, the
    repeated closes and all bars; ``flat`` those whose four prices are one.
    """

    usual_move: Floats
    moved: Ints
    mean_volume: Floats
    unchanged: Ints
    standstills: Ints
    bars: Ints
    flat: Ints


def past_of_each(
    starts: Mask, log_moves: Floats, same_close: Mask, volume: Floats, flat: Mask
) -> Past:
    """Return what is known after each accepted bar.

    Parameters
    ----------
    starts : marks each symbol's first bar; rows are ordered by symbol and session.
    log_moves : log of the close over the close before, splits taken out; NaN at starts.
    same_close : whether the close repeats the one before.
    volume : shares; NaN where missing.
    flat : whether the four prices are one.
    """
    rows = np.arange(len(starts), dtype=np.int64)
    first = np.maximum.accumulate(np.where(starts, rows, 0))
    sizes = np.minimum(np.abs(log_moves), _LARGEST_MOVE_COUNTED)
    moves = _cumulated(np.where(np.isnan(sizes), 0, np.rint(sizes * _UNITS)).astype(np.int64))
    # The symbol's first bar has no move, so its moves start one row later than its bars.
    long_count = np.minimum(rows - first, WINDOW_BARS - 1)
    usual = _window(moves, rows, long_count) / np.maximum(long_count, 1)
    short_count = np.minimum(long_count, _RECENT_BARS)
    lately = _window(moves, rows, short_count) / np.maximum(short_count, 1)
    usual = np.maximum(usual, lately) * (_ABS_TO_STANDARD_DEVIATION / _UNITS)
    usual[long_count < FEWEST_MOVES] = np.nan
    moved = _window(_cumulated((sizes > 0).astype(np.int64)), rows, long_count)

    bars = np.minimum(rows - first + 1, WINDOW_BARS)
    if np.isnan(volume).all():
        mean_volume = np.full(len(rows), np.nan)
    else:
        traded = ~np.isnan(volume)
        counts = _window(_cumulated(traded.astype(np.int64)), rows, bars)
        total = _window(_cumulated(np.where(traded, volume, 0).astype(np.int64)), rows, bars)
        mean_volume = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)

    standing = same_close & ~starts
    since = np.maximum.accumulate(np.where(standing, 0, rows))
    standstills = _window(_cumulated(standing.astype(np.int64)), rows, bars)
    flat_bars = _window(_cumulated(flat.astype(np.int64)), rows, bars)
    return Past(usual, moved, mean_volume, rows - since, standstills, bars, flat_bars)


def _cumulated(values: Ints) -> Ints:
    out = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=out[1:])
    return out


def _window(cumulated: Ints, rows: Ints, count: Ints) -> Ints:
    """Return the sum over the last ``count`` rows up to each row."""
    return cumulated[rows + 1] - cumulated[rows + 1 - count]
