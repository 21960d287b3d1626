"""When simulated instruments split, and by how much: what keeps as-traded prices in a usual range.

Going back in time, a price that would have been very high or very low was split since; the ratio
brings it back. Others split now and then, as companies do.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.ingest.simulated.instruments import Instrument
from pipelines.ingest.simulated.timeline import Floats, generator, timeline

_USUAL = (12.0, 220.0)
"""USD per share: beyond these a split is made, once a year at most."""

_TARGET = 45.0
_SPLITS = np.array([1.5, 2.0, 2.0, 2.0, 3.0, 4.0])
_LARGE_SPLITS = np.array([2.0, 3.0, 5.0, 10.0, 20.0])
_REVERSE_SPLITS = np.array([0.5, 0.25, 0.2, 0.1, 0.05])
_SPLIT_RATE = 0.05
_REVERSE_RATE = 0.006
_REVERSE_BELOW = 30.0


def split_ratios(
    instruments: Sequence[Instrument], first: int, log_close: Floats
) -> tuple[Floats, Floats]:
    """Return each session's split ratio, and the product of those that come after it.

    Parameters
    ----------
    log_close : log of split-adjusted closes in USD, one row per instrument, from position
        ``first`` of the timeline on.

    Returns
    -------
    ratios : new shares per old one on the ex-date, 1 on other sessions.
    later : as-traded close over split-adjusted close.
    """
    ratios, later = np.ones_like(log_close), np.ones_like(log_close)
    years = timeline().year
    factor = np.ones(len(instruments))
    can_split = np.array([one.is_tradable for one in instruments])
    chances = _chances(instruments, int(years[-1] - years[first]) + 1)
    until = log_close.shape[1]
    for back, year in enumerate(range(years[-1], years[first] - 1, -1)):
        start, stop = np.searchsorted(years, [year, year + 1])
        when, whether, which = chances[:, back].T
        day = start + (when * (stop - start)).astype(np.int64) - first
        rows = np.flatnonzero(can_split & (day >= 0))
        prices = np.exp(log_close[rows, day[rows]]) * factor[rows]
        ratios[rows, day[rows]] = _ratio(prices, whether[rows], which[rows])
        begin = max(start - first, 0)
        block = ratios[:, begin:until]
        running = np.cumprod(block[:, ::-1], axis=1)[:, ::-1] * factor[:, None]
        later[:, begin:until] = np.column_stack([running[:, 1:], factor])
        factor, until = running[:, 0], begin
    return ratios, later


def _ratio(price: Floats, whether: Floats, which: Floats) -> Floats:
    """Return the ratio of a split after which the price is the given one; 1 for none."""
    few = (which * len(_SPLITS)).astype(np.int64)
    usual = np.where(whether < _SPLIT_RATE, _SPLITS[few], 1.0)
    reverse = _REVERSE_SPLITS[(which * len(_REVERSE_SPLITS)).astype(np.int64)]
    rescued = (whether > 1 - _REVERSE_RATE) & (price < _REVERSE_BELOW)
    usual = np.where(rescued, reverse, usual)
    usual = np.where(price < _USUAL[0], _nearest(_LARGE_SPLITS, _TARGET / price), usual)
    return np.where(price > _USUAL[1], _nearest(_REVERSE_SPLITS, _TARGET / price), usual)


def _nearest(choices: Floats, wanted: Floats) -> Floats:
    distance = np.abs(np.log(choices[None, :]) - np.log(wanted)[:, None])
    return choices[np.argmin(distance, axis=1)]


def _chances(instruments: Sequence[Instrument], years: int) -> Floats:
    return np.array([generator(3, one.number).random((years, 3)) for one in instruments])
