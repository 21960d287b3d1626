"""Compiled loops of ``rolling``; symbols are the lanes, so that no lane meets another.

Each takes C-ordered (rows, columns) of log returns, NaN where missing, and fills ``result`` for the
columns from ``begin`` to ``end``; so threads can share the work and no bit depends on how many.
Sums run on integers, which are exact whatever was added and taken away before.
Nothing is reassociated or contracted (``fastmath`` is off).
"""

import numpy as np
from numba import njit

SCALE = 2.0**40
LANES = 8


@njit(cache=True, nogil=True)
def trailing_mean(values, window, least, result, begin, end):  # type: ignore[no-untyped-def]
    """Fill in the mean of what is there in the last ``window`` rows, if ``least`` of them are."""
    sums, counts = np.zeros(end - begin, np.int64), np.zeros(end - begin, np.int64)
    for row in range(len(values)):
        _add(values[row, begin:end], sums, counts)
        if row >= window:
            _take_away(values[row - window, begin:end], sums, counts)
        _put_mean(sums, counts, least, result[row, begin:end])


@njit(cache=True, nogil=True)
def root_mean_square(values, window, least, result, begin, end):  # type: ignore[no-untyped-def]
    """Fill in the root of the mean square in the last ``window`` rows, as ``trailing_mean``."""
    sums, counts = np.zeros(end - begin, np.int64), np.zeros(end - begin, np.int64)
    squares = np.empty(end - begin)
    for row in range(len(values)):
        _square(values[row, begin:end], squares)
        _add(squares, sums, counts)
        if row >= window:
            _square(values[row - window, begin:end], squares)
            _take_away(squares, sums, counts)
        to = result[row, begin:end]
        _put_mean(sums, counts, least, to)
        for lane in range(len(to)):
            to[lane] = np.sqrt(to[lane])


@njit(cache=True, nogil=True)
def expanding_mean(values, least, result, begin, end):  # type: ignore[no-untyped-def]
    """Fill in the mean of all rows so far."""
    sums, counts = np.zeros(end - begin, np.int64), np.zeros(end - begin, np.int64)
    for row in range(len(values)):
        _add(values[row, begin:end], sums, counts)
        _put_mean(sums, counts, least, result[row, begin:end])


@njit(cache=True, nogil=True)
def forward_sum(values, horizon, least, result, begin, end):  # type: ignore[no-untyped-def]
    """Fill in the sum of the next ``horizon`` rows, if the last and ``least`` of them are there."""
    sums, counts = np.zeros(end - begin, np.int64), np.zeros(end - begin, np.int64)
    for row in range(len(values)):
        now = values[row, begin:end]
        _add(now, sums, counts)
        if row < horizon:
            continue
        _take_away(values[row - horizon, begin:end], sums, counts)
        to = result[row - horizon, begin:end]
        for lane in range(len(now)):
            is_known = (now[lane] == now[lane]) & (counts[lane] >= least)
            to[lane] = sums[lane] / SCALE if is_known else np.nan
    for row in range(max(0, len(values) - horizon), len(values)):
        result[row, begin:end] = np.nan


@njit(cache=True, nogil=True)
def gap_of_averages(values, fast, slow, least, result, begin, end):  # type: ignore[no-untyped-def]
    """Fill in the mean of the last ``fast`` running sums less that of the last ``slow`` ones.

    The sum of the last n running sums grows, from row to row, by the sum of the last n values.
    Whatever lies before the slow window cancels, in integers, to the last bit.
    """
    lanes = end - begin
    fast_sums, fast_counts = np.zeros(lanes, np.int64), np.zeros(lanes, np.int64)
    slow_sums, slow_counts = np.zeros(lanes, np.int64), np.zeros(lanes, np.int64)
    fast_levels, slow_levels = np.zeros(lanes, np.int64), np.zeros(lanes, np.int64)
    scale = SCALE * fast * slow
    for row in range(len(values)):
        now = values[row, begin:end]
        _add(now, fast_sums, fast_counts)
        _add(now, slow_sums, slow_counts)
        if row >= fast:
            _take_away(values[row - fast, begin:end], fast_sums, fast_counts)
        if row >= slow:
            _take_away(values[row - slow, begin:end], slow_sums, slow_counts)
        to = result[row, begin:end]
        for lane in range(lanes):
            fast_levels[lane] += fast_sums[lane]
            slow_levels[lane] += slow_sums[lane]
            gap = fast_levels[lane] * slow - slow_levels[lane] * fast
            to[lane] = gap / scale if slow_counts[lane] >= least else np.nan


@njit(cache=True, nogil=True)
def exponential_mean(values, decay, doublings, least_share, result, begin, end):  # type: ignore[no-untyped-def]
    """Fill in the mean of the last 2^doublings rows with weights decay^age.

    A window of 2 m rows is joined from two halves: the m rows that end with it, and the m before,
    which fade by decay^m. So each result is one fixed tree of additions.
    """
    rows = len(values)
    totals, weights = np.empty((2, rows * LANES)), np.empty((2, rows * LANES))
    for first in range(begin, end, LANES):
        width = min(LANES, end - first)
        for row in range(rows):
            for lane in range(LANES):
                value = values[row, first + lane] if lane < width else np.nan
                is_there = value == value
                totals[0, row * LANES + lane] = value if is_there else 0.0
                weights[0, row * LANES + lane] = 1.0 if is_there else 0.0
        fade, whole, side = decay, 1.0, 0
        for doubling in range(doublings):
            _join(totals[side], totals[1 - side], LANES << doubling, fade)
            _join(weights[side], weights[1 - side], LANES << doubling, fade)
            whole, fade, side = whole + fade * whole, fade * fade, 1 - side
        for row in range(rows):
            for lane in range(width):
                weight = weights[side, row * LANES + lane]
                if weight >= least_share * whole:
                    result[row, first + lane] = totals[side, row * LANES + lane] / weight
                else:
                    result[row, first + lane] = np.nan


@njit(cache=True, nogil=True)
def _square(values, squares):  # type: ignore[no-untyped-def]
    for lane in range(len(values)):
        squares[lane] = values[lane] * values[lane]


@njit(cache=True, nogil=True)
def _add(values, sums, counts):  # type: ignore[no-untyped-def]
    for lane in range(len(values)):
        value = values[lane]
        is_there = value == value
        sums[lane] += np.int64(np.rint((value if is_there else 0.0) * SCALE))
        counts[lane] += is_there


@njit(cache=True, nogil=True)
def _take_away(values, sums, counts):  # type: ignore[no-untyped-def]
    for lane in range(len(values)):
        value = values[lane]
        is_there = value == value
        sums[lane] -= np.int64(np.rint((value if is_there else 0.0) * SCALE))
        counts[lane] -= is_there


@njit(cache=True, nogil=True)
def _put_mean(sums, counts, least, to):  # type: ignore[no-untyped-def]
    for lane in range(len(to)):
        count = counts[lane]
        mean = sums[lane] / SCALE / max(count, 1)
        to[lane] = mean if count >= least else np.nan


@njit(cache=True, nogil=True)
def _join(half, joined, shift, fade):  # type: ignore[no-untyped-def]
    shift = min(shift, len(half))
    for place in range(shift):
        joined[place] = half[place]
    to, newer = joined[shift:], half[shift:]
    for place in range(len(to)):
        to[place] = newer[place] + fade * half[place]
