"""A bar beside the others of its session: whether the market moved, whether two are the same."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.quality.judging.history import Bars, Derived

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

FEWEST_SYMBOLS = 5
"""Symbols whose median move counts as the market's."""


SMALLEST_MARKET_MOVE = 0.02
"""A median below it is a usual day, which excuses nothing."""


@dataclass(frozen=True)
class MarketMoves:
    """The median log move of each session; 0 on usual days and in sessions with few symbols."""

    first_session: int
    median: Floats

    @classmethod
    def unknown(cls) -> "MarketMoves":
        """Return the market of which nothing is known."""
        return cls(0, np.zeros(0))

    @classmethod
    def of(cls, bars: Bars, log_moves: Floats) -> "MarketMoves":
        """Return the medians of the moves of some bars."""
        moved = ~np.isnan(log_moves)
        session, moves = bars.session[moved], log_moves[moved]
        if not session.size:
            return cls.unknown()
        first = int(session.min())
        order = np.lexsort((moves, session))
        moves = moves[order]
        counts = np.bincount(session - first)
        start = np.cumsum(counts) - counts
        middle = start + np.maximum(counts - 1, 0) // 2
        other = start + counts // 2
        enough = counts >= FEWEST_SYMBOLS
        median = np.zeros(len(counts))
        median[enough] = (moves[middle[enough]] + moves[other[enough]]) / 2
        median[np.abs(median) < SMALLEST_MARKET_MOVE] = 0.0
        return cls(first, median)

    def at(self, sessions: Ints) -> Floats:
        """Return the market's move in each of some sessions; 0 where unknown."""
        if not self.median.size:
            return np.zeros(len(sessions))
        place = sessions - self.first_session
        inside = (place >= 0) & (place < len(self.median))
        return np.where(inside, self.median[np.where(inside, place, 0)], 0.0)


def shared_bars(bars: Bars, is_new: Mask, derived: Derived) -> Floats:
    """Mark the bars that are another symbol's: 1, else 0.

    Two symbols of one session agree in four prices and the volume, the bar moved during the day,
    and their closes were different before. Of the two, the one that moved further in terms of
    its limit is the copy; both are, if that does not tell them apart.
    """
    out = np.zeros(len(bars))
    candidates = np.flatnonzero((bars.volume > 0) & (bars.high > bars.low))
    if candidates.size < 2:
        return out
    key = _mixed(bars, candidates)
    order = np.argsort(key, kind="stable")
    key = key[order]
    twin = np.flatnonzero(key[1:] == key[:-1])
    if not twin.size:
        return out
    with np.errstate(invalid="ignore"):
        strangeness = np.maximum(
            derived["log_move"] / derived["upper_move"], derived["log_move"] / derived["lower_move"]
        )
    for place in twin:
        one, two = candidates[order[place]], candidates[order[place + 1]]
        if not _equal(bars, one, two) or not _came_from_elsewhere(derived, one, two):
            continue
        difference = strangeness[one] - strangeness[two]
        if not difference <= 0:
            out[one] = 1
        if not difference >= 0:
            out[two] = 1
    out[~is_new] = 0
    return out


def _mixed(bars: Bars, rows: Ints) -> npt.NDArray[np.uint64]:
    """Return a number per bar that equal bars of one session share, and others hardly ever."""
    mixed = bars.session[rows].astype(np.uint64)
    for values in (bars.close, bars.high, bars.volume):
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed += np.ascontiguousarray(values[rows]).view(np.uint64)
    return mixed


def _equal(bars: Bars, one: int, two: int) -> bool:
    return all(
        getattr(bars, name)[one] == getattr(bars, name)[two]
        for name in ("session", "close", "open", "high", "low", "volume")
    )


def _came_from_elsewhere(derived: Derived, one: int, two: int) -> bool:
    """Say whether the two closes before differed; a symbol's first bar has none to compare."""
    moves = derived["log_move"][one], derived["log_move"][two]
    return bool(np.isnan(moves).any() or abs(moves[0] - moves[1]) > _SAME_MOVE)


_SAME_MOVE = 1e-9
