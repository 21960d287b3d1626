"""Means, spreads, products and highest values over windows, each in log2(window) operations.

A window of 2 m bars is joined from two halves, the m bars that end with it and the m before;
a window of n bars from the powers of two whose sum is n, the oldest and shortest first. So every
value is one fixed tree of IEEE operations on the values of its window: its bits depend on nothing
outside of it, not on how much history there is, and rounding errors grow with the tree's depth
instead of the window's length. Bars are the inner loop, as lanes that never meet.

What the older half holds is multiplied by its scale first, which puts it in the terms of the newer.
Means are held as the distance of the window's last value from them, and spreads are joined from
such distances (Chan, Golub, LeVeque 1979), so that nearly equal prices lose no digits and equal
ones have no spread.
NaN spreads to the windows that contain it and no further; a window that begins before the first
bar is NaN.

Nothing is reassociated or contracted (``fastmath`` is off, and the machine code for AVX-512 holds
no fused multiply-add), so lanes and remainders of a loop round alike.
"""

import numpy as np
from numba import njit

MEAN, SPREAD, PRODUCT, HIGHEST = range(4)
"""What is made of the windows of each series, by rows:

``MEAN``     last value less the weighted mean, of any number of series
``SPREAD``   last value less the mean, of one series or two; then the sum of squared deviations from
             the mean, or of the products of two series' deviations
``PRODUCT``  product, of any number of series
``HIGHEST``  highest value, of any number of series
"""


@njit(cache=True, nogil=True)
def over_windows(rule, series, spans, fading, scales):  # type: ignore[no-untyped-def]
    """Return what a rule makes of windows of several spans.

    Parameters
    ----------
    rule : ``MEAN``, ``SPREAD``, ``PRODUCT`` or ``HIGHEST``.
    series : (series, bars), float64.
    spans : (spans,), int64, numbers of bars.
    fading : weight of a value relative to the one after it; ``MEAN`` alone takes another than 1.
    scales : (levels, bars), what is of 2^level bars before is multiplied by; no level where
        nothing is scaled.

    Returns
    -------
    (spans, rows, bars)
    """
    bars = series.shape[1]
    rows = len(series) + (rule == SPREAD)
    half, wholes, unscaled = np.zeros((rows, bars)), np.empty((2, rows, bars)), np.ones(bars)
    if rule in (PRODUCT, HIGHEST):
        _copy(series, half)
    joined = np.empty((len(spans), rows, bars))
    tails = np.empty((2, len(spans), rows, bars))
    gaps = np.empty_like(series)
    tail_weight, side = np.zeros(len(spans)), np.zeros(len(spans), np.int64)
    length, weight, fade, level = 1, 1.0, fading, 0
    while True:
        scale = scales[level] if len(scales) else unscaled
        is_last = True
        for number in range(len(spans)):
            is_last &= spans[number] < 2 * length
            if not spans[number] & length:
                continue
            tail, older_weight = tails[side[number], number], fade * tail_weight[number]
            side[number] = 1 - side[number]
            result = joined[number] if spans[number] < 2 * length else tails[side[number], number]
            if older_weight == 0.0:
                _copy(half, result)
            else:
                _join(rule, series, half, tail, length, weight, older_weight, scale, gaps, result)
            tail_weight[number] = weight + older_weight
        if is_last:
            return joined
        whole = wholes[level % 2]
        _join(rule, series, half, half, length, weight, fade * weight, scale, gaps, whole)
        half = whole
        weight, fade, length, level = weight + fade * weight, fade * fade, 2 * length, level + 1


@njit(cache=True, nogil=True)
def _copy(values, copy):  # type: ignore[no-untyped-def]
    for row in range(len(values)):
        for bar in range(values.shape[1]):
            copy[row, bar] = values[row, bar]


@njit(cache=True, nogil=True)
def _join(rule, series, newer, older, lag, newer_weight, older_weight, scale, gaps, joined):  # type: ignore[no-untyped-def]
    """Join windows of ``lag`` bars with the older windows that end where they begin."""
    share = older_weight / (newer_weight + older_weight)
    for row in range(len(joined)):
        to = joined[row]
        for bar in range(min(lag, len(to))):
            to[bar] = np.nan
        # Slices from zero on need no test for indices that count from the end, and become lanes.
        to, now, before, by = to[lag:], newer[row, lag:], older[row], scale[lag:]
        if rule == PRODUCT:
            for bar in range(len(to)):
                to[bar] = now[bar] * before[bar]
        elif rule == HIGHEST:
            for bar in range(len(to)):
                high, high_before = now[bar], by[bar] * before[bar]
                to[bar] = high if high >= high_before or high != high else high_before
        elif row < len(series):
            x, x_before, gap = series[row, lag:], series[row], gaps[row]
            for bar in range(len(to)):
                apart = x[bar] - by[bar] * x_before[bar]
                gap[bar] = apart + (by[bar] * before[bar] - now[bar])
                to[bar] = now[bar] + share * gap[bar]
        else:
            between, x_gap, y_gap = newer_weight * share, gaps[0], gaps[-1]
            for bar in range(len(to)):
                within = now[bar] + by[bar] * by[bar] * before[bar]
                to[bar] = within + between * (x_gap[bar] * y_gap[bar])
