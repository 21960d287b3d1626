"""What the features of one symbol are computed from; nothing here imports the compiler."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.panel import EMA_SPANS, WARM_UP_SPANS

Floats = npt.NDArray[np.float64]

LOOKBACK = WARM_UP_SPANS * max(EMA_SPANS) - 1
"""Bars before a bar that its features depend on at most, anchored ones apart."""


@dataclass(frozen=True)
class Bars:
    """Consecutive accepted bars of one symbol, oldest first.

    Attributes
    ----------
    open, high, low, close, volume : (bars,), USD per share and shares as traded; NaN where
        missing, which a close never is; prices are above zero.
    share_ratio, cash : (bars,), shares that one share held since the bar before has become, and
        USD that it paid on the way (``pipelines.lake.adjustment.share_steps``); 1 and 0 where
        nothing happened.
    market_log_growth : (bars,), log total return of the market between the session of the bar
        before and this one's; NaN where it is unknown.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    share_ratio: Floats
    cash: Floats
    market_log_growth: Floats

    def __len__(self) -> int:
        return len(self.close)


@dataclass(frozen=True)
class Anchors:
    """What is counted from a symbol's first bar, as of one bar; see ``models.panel.ANCHORED``."""

    session_number: int
    cumulative_share_ratio: float
    cumulative_growth: float
    obv: float
