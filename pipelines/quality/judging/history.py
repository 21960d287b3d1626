"""Derive what the history rules speak of: a bar beside the last accepted one and its own limits."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from expectations.prices import HIGHEST_MOVE
from pipelines.quality.judging.past import FEWEST_MOVES, WINDOW_BARS, Past

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SIGMAS_OF_BASKET = 14.0
LOWEST_BASKET_LIMIT, HIGHEST_BASKET_LIMIT = 0.04, 0.35
"""19 October 1987 was 10 usual moves of the S&P 500 and -0.229; 26 September 1955 was 10, too."""

SIGMAS_OF_STOCK, LOWEST_STOCK_LIMIT = 20.0, 0.6
"""Without volumes: Merck fell by 36 usual moves on 30 September 2004, but by 0.31; Apple by 0.73
on 29 September 2000, but by 11 usual moves."""

SIGMAS_WITHOUT_VOLUME, LOWEST_LIMIT_WITHOUT_VOLUME = 9.0, 0.12
SPEAKING_VOLUME = 1.0
"""A stock moves by more than nine usual moves on news, and news trade at more than the usual
volume: Apple's five such days since 1980 had 3 to 25 times."""

LOUD_VOLUME = 6.0
"""With so much a stock may move as far as any: it is news, and no split that leaves the traded
money as it was could bring it."""

MARKET_SHARE = 3.0
"""A limit grows by so many times the median move of the session's other symbols."""

SPLIT_RATIOS = np.array([1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50])
SPLIT_VOLUME = 1.5
"""A split alone leaves the traded money as it was, so volume grows by its ratio; news by more."""
SIGMAS_AROUND_SPLIT, WIDEST_AROUND_SPLIT = 1.5, 0.06

FEWEST_TRUSTED_BARS = 5
LONGEST_UNTRUSTED_SESSIONS = 5
"""A reference of so few bars gives way after so many sessions without an accepted bar: else one
bad first bar would keep its symbol out for ever."""

FLAT_VOLUME = 0.5
"""Of the usual volume: with more, a symbol whose bars have a range does not trade at one price."""

STALE_SESSIONS = (4, 21)
_RAREST_STANDSTILL = np.log(1e-7)


@dataclass(frozen=True)
class Bars:
    """Bars in order of symbol and session, as arrays; NaN where there is no value.

    ``split_log`` is the log of how many of today's shares one of the symbol's first bar became,
    where prices do not contain that already; ``dividend`` is the session's cash per new share;
    ``strict`` says that the source delivers its actions, so they must explain every return.
    """

    symbol: Ints
    session: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    adjusted_return: Floats
    split_log: Floats
    dividend: Floats
    strict: Mask
    basket: Mask

    def take(self, rows: npt.NDArray[np.intp] | slice) -> "Bars":
        """Return some of the bars."""
        return Bars(*(getattr(self, field.name)[rows] for field in fields(self)))

    def followed_by(self, others: "Bars") -> "Bars":
        """Return these bars and then the others."""
        pairs = ((getattr(self, field.name), getattr(others, field.name)) for field in fields(self))
        return Bars(*(np.concatenate(pair) for pair in pairs))

    def __len__(self) -> int:
        return len(self.symbol)


Derived = dict[str, Floats]


def derive(bars: Bars, accepted: Bars, past: Past, reference: Ints, market_move: Floats) -> Derived:
    """Return the columns of ``HISTORY_COLUMNS`` but the cross-sectional one.

    Parameters
    ----------
    bars : the bars to look at.
    accepted, past : accepted bars and what is known after each.
    reference : position in ``accepted`` of the last accepted bar before each bar; -1: none.
    market_move : median log move of the session's other symbols; 0 where unknown.
    """
    none = reference < 0
    ref = np.where(none, 0, reference)
    hole = (bars.session - accepted.session[ref] - 1).astype(np.float64)
    none |= (past.bars[ref] < FEWEST_TRUSTED_BARS) & (hole >= LONGEST_UNTRUSTED_SESSIONS)
    hole[none] = np.nan
    close = accepted.close[ref]
    split = bars.split_log - accepted.split_log[ref]
    with np.errstate(divide="ignore", invalid="ignore"):
        move = np.log(bars.close / close) + split
        volume_ratio = bars.volume / past.mean_volume[ref]
        gap = np.log(bars.open / close) + split
    for values in (move, volume_ratio, gap):
        values[none | ~np.isfinite(values)] = np.nan
    # A stock that hardly trades says nothing about how far it moves when it does.
    idle = ~bars.basket & (past.moved[ref] < FEWEST_MOVES)
    usual = np.where(idle, np.nan, past.usual_move[ref])
    upper, lower = _limits(bars.basket, usual, hole, volume_ratio, market_move)
    with np.errstate(divide="ignore"):
        rounding = np.fmin(_LAST_DIGIT / np.minimum(bars.close, close), _WIDEST_ROUNDING)
    return {
        "log_move": move,
        "upper_move": upper + rounding,
        "lower_move": lower - rounding,
        "gap_to_adjusted": _gap_to_adjusted(bars, close, split, hole),
        "split_likeness": _split_likeness(
            bars.basket, gap, past.usual_move[ref], volume_ratio, market_move
        ),
        "unchanged_sessions": np.where(
            none, np.nan, np.where(bars.close == close, past.unchanged[ref] + 1.0, 0)
        ),
        "unchanged_limit": _unchanged_limit(past, ref),
        "hole_sessions": hole,
        "volume_ratio": volume_ratio,
        "bars_repeated": np.where(none, np.nan, _repeats(bars, accepted, ref)),
        "bars_flat": np.where(
            (bars.close == close) & is_flat(bars) & (volume_ratio > FLAT_VOLUME), 1.0, 0.0
        )
        * ((past.flat[ref] <= past.unchanged[ref]) & (past.bars[ref] >= WINDOW_BARS // 3) & ~none),
    }


def _limits(
    basket: Mask, usual: Floats, hole: Floats, volume_ratio: Floats, market_move: Floats
) -> tuple[Floats, Floats]:
    """Return the largest and the least plausible log move.

    Without a usual move (a young symbol) only the class bounds it. A hole widens the limit like
    a random walk. Where the volume is known and ordinary, a stock's limit is narrower.
    """
    spread = usual * np.sqrt(1 + np.maximum(np.where(np.isnan(hole), 0, hole), 0))
    wide = np.where(
        basket,
        np.clip(SIGMAS_OF_BASKET * spread, LOWEST_BASKET_LIMIT, HIGHEST_BASKET_LIMIT),
        np.clip(SIGMAS_OF_STOCK * spread, LOWEST_STOCK_LIMIT, HIGHEST_MOVE),
    )
    quiet = ~basket & (volume_ratio < SPEAKING_VOLUME)
    narrow = np.clip(SIGMAS_WITHOUT_VOLUME * spread, LOWEST_LIMIT_WITHOUT_VOLUME, HIGHEST_MOVE)
    limit = np.where(quiet, narrow, wide)
    limit = np.where(~basket & (volume_ratio > LOUD_VOLUME), HIGHEST_MOVE, limit)
    limit = np.where(np.isnan(usual), np.where(basket, HIGHEST_BASKET_LIMIT, HIGHEST_MOVE), limit)
    upper = limit + MARKET_SHARE * np.maximum(market_move, 0)
    lower = -limit + MARKET_SHARE * np.minimum(market_move, 0)
    return upper, lower


def _gap_to_adjusted(bars: Bars, close: Floats, split: Floats, hole: Floats) -> Floats:
    """Return how far our return and the source's adjusted one lie apart, in logs.

    Only beside the bar of the session before: across a hole the source may speak of a bar that
    was rejected. Where the source delivers no actions, a dividend can only make its return the
    larger one; up to a tenth of the price it is taken for one. The last digit that prices were
    rounded to is allowed for.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        theirs = np.log1p(bars.adjusted_return)
        value, paid = bars.close * np.exp(split), bars.dividend * np.exp(split)
        by_factor = theirs - np.log(value / (close - paid))
        by_sum = theirs - np.log((value + paid) / close)
    gap = np.fmin(np.abs(by_factor), np.abs(by_sum))
    dividend = ~bars.strict & (by_factor > 0) & (by_factor < _LARGEST_UNKNOWN_DIVIDEND)
    gap[dividend] = 0
    gap -= _LAST_DIGIT / np.minimum(bars.close, close)
    gap[(hole != 0) | ~np.isfinite(gap)] = np.nan
    return gap


_LARGEST_UNKNOWN_DIVIDEND = 0.1
_LAST_DIGIT = 0.01
_WIDEST_ROUNDING = 0.01


def _split_likeness(
    basket: Mask, gap: Floats, usual: Floats, volume_ratio: Floats, market_move: Floats
) -> Floats:
    """Return how far a stock's opening gap lies inside the neighbourhood of a split's, or below 0.

    A split leaves the day's own move around the ratio; without a volume nothing is said.
    """
    likeness = np.full(len(gap), -1.0)
    smallest = np.log(SPLIT_RATIOS[0]) - WIDEST_AROUND_SPLIT
    wide = np.flatnonzero(~basket & (np.abs(gap) > smallest))
    if wide.size:
        away = np.abs(np.abs(gap[wide, None]) - np.log(SPLIT_RATIOS))
        # A rise is a split in reverse or one applied twice; none of those is 3 for 2.
        away[gap[wide] > 0, 0] = np.inf
        nearest = np.argmin(away, axis=1)
        grown = np.where(gap[wide] < 0, SPLIT_RATIOS[nearest], 1.0)
        around = np.minimum(SIGMAS_AROUND_SPLIT * usual[wide], WIDEST_AROUND_SPLIT)
        quiet = volume_ratio[wide] < SPLIT_VOLUME * grown
        calm = np.abs(market_move[wide]) < LOWEST_BASKET_LIMIT
        likeness[wide] = np.where(quiet & calm, around - away.min(axis=1), -1.0)
    likeness[np.isnan(gap)] = np.nan
    return likeness


def _unchanged_limit(past: Past, ref: Ints) -> Floats:
    """Return for how many bars a close may stand still, given how often this symbol's does.

    The run that is looked at does not count, or it would excuse itself.
    """
    bars = past.bars[ref]
    run = np.minimum(past.unchanged[ref], bars)
    share = (np.maximum(past.standstills[ref] - run, 0) + 1) / (bars - run + 2)
    fewest, most = STALE_SESSIONS
    limit = np.ceil(_RAREST_STANDSTILL / np.log(share))
    return np.where(bars - run < WINDOW_BARS // 3, most, np.clip(limit, fewest, most))


def _repeats(bars: Bars, accepted: Bars, ref: Ints) -> Floats:
    """Say whether a bar that moved during the day equals its reference in all five numbers."""
    same = (bars.high > bars.low) & (bars.volume > 0)
    for name in ("close", "open", "high", "low", "volume"):
        same &= getattr(bars, name) == getattr(accepted, name)[ref]
    return same.astype(np.float64)


def is_flat(bars: Bars) -> Mask:
    """Say of each bar whether its four prices are one."""
    return (bars.open == bars.close) & (bars.high == bars.close) & (bars.low == bars.close)
