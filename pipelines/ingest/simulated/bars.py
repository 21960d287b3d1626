"""From paths to bars: as-traded prices in cents, ranges, volumes, dividends and splits.

Given a session's open and close, its high and low are drawn from the exact law of the maximum of
a Brownian bridge, P(max > m) = exp(-2 m (m - x) / s^2) for a bridge from 0 to x with variance s^2
(Borodin and Salminen, Handbook of Brownian Motion, 2002, 1.2.8 of part II).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.vocabulary import AssetClass
from pipelines.ingest.simulated.instruments import Instrument
from pipelines.ingest.simulated.paths import Paths, paths
from pipelines.ingest.simulated.splits import split_ratios
from pipelines.ingest.simulated.timeline import Floats, generator

OVERNIGHT_SHARE = 0.35
"""Share of a session's variance that happens before its open."""

_SMALLEST_DIVIDEND = 0.01
_TICK_BELOW_ONE_DOLLAR = 0.0001


@dataclass(frozen=True)
class Bars:
    """As-traded bars of a batch, one row per instrument and one column per session.

    Prices are USD per share and volumes shares as they traded. ``dividends`` are USD per share
    as paid, 0 where none, on the ex-date of a split per new share; ``ratios`` new shares per old
    one, 1 where none. ``adjusted_return`` is the simple return from the close before, less the
    dividend, to the close times the ratio: what a source's adjusted closes would show. It is NaN
    in the first column.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    dividends: Floats
    ratios: Floats
    adjusted_return: Floats


def bars(instruments: Sequence[Instrument], first: int) -> Bars:
    """Return the bars of some instruments from a position of the timeline to its end."""
    path = paths(instruments, first)
    price_return = path.log_return + np.log1p(-path.paid)
    after = np.cumsum(price_return[:, ::-1], axis=1)[:, ::-1] - price_return
    last_close: Floats = np.log(np.array([[one.last_close] for one in instruments]))
    log_close = last_close - after
    ratios, later_ratios = split_ratios(instruments, first, log_close)
    log_traded = log_close + np.log(later_ratios)
    is_idle = path.is_idle & (ratios == 1)
    gap, up, down = _range(instruments, path)
    close = _ticks(log_traded)
    before_open = log_traded - path.log_return
    opened = np.where(is_idle, close, _ticks(before_open + gap))
    high = np.where(is_idle, close, _ticks(before_open + up))
    low = np.where(is_idle, close, _ticks(before_open + down))
    dividends, adjusted_return = _income(close, path.paid, ratios)
    return Bars(
        open=opened,
        high=np.maximum.reduce([high, opened, close]),
        low=np.minimum.reduce([low, opened, close]),
        close=close,
        volume=np.where(is_idle, 0.0, _volume(instruments, path, log_traded)),
        dividends=dividends,
        ratios=ratios,
        adjusted_return=adjusted_return,
    )


def _range(instruments: Sequence[Instrument], path: Paths) -> tuple[Floats, Floats, Floats]:
    """Return open, high and low as log distances from the last close less what was paid."""
    count = path.log_return.shape[1]
    gaps, ups, downs = [], [], []
    for one in instruments:
        dice = generator(13, one.number)
        gaps.append(dice.standard_normal((count,))[::-1])
        ups.append(generator(14, one.number).standard_exponential((count,))[::-1])
        downs.append(generator(15, one.number).standard_exponential((count,))[::-1])
    share = OVERNIGHT_SHARE
    gap = share * path.log_return + np.sqrt(share * (1 - share)) * path.sigma * np.array(gaps)
    inside = path.log_return - gap
    spread = 2 * (1 - share) * path.sigma**2
    up = (inside + np.sqrt(inside**2 + spread * np.array(ups))) / 2
    down = (inside - np.sqrt(inside**2 + spread * np.array(downs))) / 2
    return gap, gap + up, gap + down


def _ticks(log_price: Floats) -> Floats:
    """Return prices in cents; below a dollar in hundredths of a cent, the exchange's tick there."""
    price = np.exp(log_price)
    cents = np.round(price, 2)
    return np.where(price < 1, np.maximum(np.round(price, 4), _TICK_BELOW_ONE_DOLLAR), cents)


def _income(close: Floats, paid: Floats, ratios: Floats) -> tuple[Floats, Floats]:
    before = np.full_like(close, np.nan)
    before[:, 1:] = close[:, :-1]
    dividends = np.nan_to_num(np.round(paid * before / ratios, 4))
    dividends[dividends < _SMALLEST_DIVIDEND] = 0.0
    return dividends, np.round(close * ratios / (before - dividends * ratios) - 1, 6)


def _volume(instruments: Sequence[Instrument], path: Paths, log_traded: Floats) -> Floats:
    dollars = np.array([[one.dollar_volume] for one in instruments])
    shares = np.round(dollars * np.exp(path.busy - log_traded))
    is_index = np.array([[one.asset_class is AssetClass.INDEX] for one in instruments])
    return np.where(is_index, np.round(1e9 * np.exp(path.busy)), shares)
