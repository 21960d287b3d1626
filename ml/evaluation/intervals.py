"""Coverage of intervals: how much they hold, how wide they are, what chance allows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ml.evaluation.overlap import Positions, overlap_t_test
from ml.evaluation.skill import Mask
from ml.rolling import Floats
from ml.scores import YearCoverage

BLOCK_HORIZONS = 3
LEAST_BLOCKS = 4
"""A period of fewer blocks says too little of what chance allows."""

DRAWS = 4000
SEED = 20080521
BAND = (0.025, 0.975)


@dataclass(frozen=True)
class Coverage:
    """What the intervals of one horizon and level hold.

    Attributes
    ----------
    inside, given : (sessions,); outcomes inside their interval, and intervals that were given.
    share : of the outcomes that are inside; None where no interval was given.
    width : mean of those with two ends, log return; None where there are none.
    unbounded : share without one end or both; None where no interval was given.
    """

    inside: NDArray[np.int64]
    given: NDArray[np.int64]
    share: float | None
    width: float | None
    unbounded: float | None


def coverage(lower: Floats, upper: Floats, outcomes: Floats, where: Mask) -> Coverage:
    """Count outcomes inside their intervals, ends included; all arrays (sessions, symbols).

    An end of plus or minus infinity is none; NaN means that no interval was given.
    """
    given = where & ~np.isnan(lower) & ~np.isnan(upper)
    ended = given & np.isfinite(lower) & np.isfinite(upper)
    inside = given & (lower <= outcomes) & (outcomes <= upper)
    total, bounded = int(given.sum()), int(ended.sum())
    width = np.subtract(upper, lower, out=np.zeros_like(lower), where=ended).sum()
    return Coverage(
        inside=inside.sum(axis=1),
        given=given.sum(axis=1),
        share=float(inside.sum() / total) if total else None,
        width=float(width / bounded) if bounded else None,
        unbounded=1.0 - bounded / total if total else None,
    )


def coverage_by_year(
    found: Coverage, sessions: NDArray[np.datetime64], level: float, horizon_sessions: int
) -> tuple[YearCoverage, ...]:
    """Return coverage of the whole period, then of each year, beside what chance allows.

    ``sessions`` are the dates, (sessions,), in order of time.
    """
    years = sessions.astype("datetime64[Y]").astype(np.int64) + 1970
    return tuple(
        _of_year(found, years == year if year else years > 0, year, level, horizon_sessions)
        for year in (None, *np.unique(years[found.given > 0]).tolist())
        if found.given.any()
    )


def chance_band(
    inside: NDArray[np.int64],
    given: NDArray[np.int64],
    sessions: int,
    level: float,
    horizon_sessions: int,
) -> tuple[float, float] | None:
    """Return between which shares 95 % of runs of so many sessions lie, if intervals hold.

    A circular moving-block bootstrap (Politis and Romano 1992): whole sessions, their symbols kept
    together, in blocks longer than the horizon, since outcomes that overlap are missed together.
    It draws from the whole record; the shares missed that it finds are scaled so that the record
    misses what the level allows.

    Parameters
    ----------
    inside, given : (n,) outcomes inside their interval and intervals given, in order of time.
    sessions : length of the runs.
    level : what the intervals are to hold.
    horizon_sessions : how far outcomes reach.

    Returns
    -------
    None where the record is shorter than four blocks, or misses nothing.
    """
    block = BLOCK_HORIZONS * horizon_sessions
    total = int(given.sum())
    missed = total - int(inside.sum())
    if len(given) < LEAST_BLOCKS * block or missed == 0:
        return None
    shares_missed = 1.0 - block_bootstrap(inside, given, sessions, block)
    scale = (1.0 - level) * total / missed
    lowest, highest = 1.0 - scale * np.quantile(shares_missed, BAND[::-1])
    return max(float(lowest), 0.0), float(highest)


def overlap_band(
    inside: NDArray[np.int64],
    given: NDArray[np.int64],
    positions: Positions,
    level: float,
    horizon_sessions: int,
) -> tuple[float, float] | None:
    """Return between which shares 95 % of such runs lie if intervals hold, from the run alone.

    For a run too short to draw blocks from, as those of the last sessions are: the level and, to
    either side, the error of the mean share per session that overlap allows.

    Parameters
    ----------
    inside, given : (n,) outcomes inside their interval and intervals given, in order of time.
    positions : (n,) of the sessions on the exchange's axis, ascending.
    level : what the intervals are to hold.
    horizon_sessions : how far outcomes reach.

    Returns
    -------
    None where the run is shorter than three horizons, or all its sessions hold the same share.
    """
    said = given > 0
    test = overlap_t_test(inside[said] / given[said], positions[said], horizon_sessions)
    if not np.isfinite(test.standard_error):
        return None
    reach = float(test.standard_error * stdtrit(test.degrees_of_freedom, BAND[1]))
    return max(level - reach, 0.0), min(level + reach, 1.0)


def block_bootstrap(
    inside: NDArray[np.int64], given: NDArray[np.int64], sessions: int, block: int
) -> Floats:
    """Return shares inside of runs of so many sessions drawn in blocks, (draws,).

    The record closes into a circle, so each session is drawn equally often. The draws are the same
    each time.
    """
    generator = np.random.default_rng(SEED)
    blocks = -(-sessions // block)
    starts = generator.integers(len(given), size=(DRAWS, blocks))
    lengths = np.full(blocks, block)
    lengths[-1] = sessions - block * (blocks - 1)
    drawn = [_circular_sums(counts, starts, lengths).sum(axis=1) for counts in (inside, given)]
    shares: Floats = drawn[0] / np.maximum(drawn[1], 1)
    return shares


def _circular_sums(
    counts: NDArray[np.int64], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    repeats = 1 + -(-int(lengths.max()) // len(counts))
    running = np.concatenate([[0], np.cumsum(np.tile(counts, repeats))])
    sums: NDArray[np.int64] = running[starts + lengths] - running[starts]
    return sums


def _of_year(
    found: Coverage,
    within: Mask,
    year: int | None,
    level: float,
    horizon_sessions: int,
) -> YearCoverage:
    sessions = int((within & (found.given > 0)).sum())
    band = chance_band(found.inside, found.given, sessions, level, horizon_sessions)
    total = int(found.given[within].sum())
    return YearCoverage(
        horizon_sessions=horizon_sessions,
        level=level,
        year=year,
        coverage=float(found.inside[within].sum() / total),
        lowest=band[0] if band else None,
        highest=band[1] if band else None,
        forecasts=total,
    )
