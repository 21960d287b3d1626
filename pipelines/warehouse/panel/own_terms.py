"""What a share held became from bar to bar, and what turns older values into a window's own terms.

Over a step one share becomes n shares and c dollars (``share_ratio`` and ``cash``). With the cash
reinvested at the bar's close it is n + c / close shares: its **growth**. A price of an older bar,
in the terms of a later one, is divided by the growth of the steps between (for the 52-week high by
their share ratios alone), and a volume is multiplied by their share ratios. The products come from
inside the window only, as everything in ``windows`` does.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.panel import EMA_SPANS, WARM_UP_SPANS
from pipelines.warehouse.panel.bars import Bars, Floats
from pipelines.warehouse.panel.windows import PRODUCT, over_windows

ROUNDING = 1e-12
"""A difference of less than this, of what is compared, is rounding and counts as none."""

_LEVELS = np.array(
    [1 << level for level in range((WARM_UP_SPANS * max(EMA_SPANS)).bit_length())], np.int64
)
UNSCALED = np.empty((0, 0))


@dataclass(frozen=True)
class OwnTerms:
    """The steps between one symbol's bars. Whatever needs a bar before is NaN in the first."""

    bars: Bars

    @cached_property
    def previous_close(self) -> Floats:
        """Return the close of the bar before, USD per share as traded then."""
        return lagged(self.bars.close, 1)

    @cached_property
    def growth(self) -> Floats:
        """Return the shares that one share of the bar before became, cash reinvested."""
        return self.bars.share_ratio + self.bars.cash / self.bars.close

    @cached_property
    def change(self) -> Floats:
        """Return what one share of the bar before gained, in USD."""
        worth = self.bars.share_ratio * self.bars.close + self.bars.cash
        gain = worth - self.previous_close
        return np.where(np.abs(gain) <= ROUNDING * self.previous_close, 0.0, gain)

    @cached_property
    def simple_return(self) -> Floats:
        """Return the total return since the bar before, as a fraction."""
        return self.change / self.previous_close

    def log_return(self, span: int) -> Floats:
        """Return the log total return since ``span`` bars ago."""
        before = lagged(self.bars.close, span)
        if self._has_growth:
            before = (
                before
                / over_windows(PRODUCT, np.stack((self.growth,)), np.array([span]), 1.0, UNSCALED)[
                    0, 0
                ]
            )
        return log_of_ratio(self.bars.close, before)

    @cached_property
    def log_return_1d(self) -> Floats:
        """Return the log total return since the bar before."""
        return log_of_ratio(self.previous_close + self.change, self.previous_close)

    @cached_property
    def price_scales(self) -> Floats:
        """Return (levels, bars), what a price of 2^level bars before is multiplied by."""
        return 1 / _products(self.growth) if self._has_growth else UNSCALED

    @cached_property
    def split_price_scales(self) -> Floats:
        """Return (levels, bars), the same for splits alone."""
        return 1 / self.volume_scales

    @cached_property
    def volume_scales(self) -> Floats:
        """Return (levels, bars), what a volume of 2^level bars before is multiplied by."""
        ratios = self.bars.share_ratio
        return _products(ratios) if (ratios[1:] != 1).any() else UNSCALED

    @cached_property
    def _has_growth(self) -> bool:
        # The first bar's step begins before all windows. Products of ones are left out, since
        # they would change nothing, and most symbols have years without an action.
        return bool((self.bars.share_ratio[1:] != 1).any() or (self.bars.cash[1:] != 0).any())


def lagged(values: Floats, bars: int) -> Floats:
    """Return the values of so many bars before; NaN where there is none."""
    before = np.full(len(values), np.nan)
    before[bars:] = values[: max(len(values) - bars, 0)]
    return before


def log_of_ratio(value: Floats, before: Floats) -> Floats:
    """Return ln(value / before), near 1 to the last digits of the difference."""
    gap = (value - before) / before
    logs = np.log1p(gap)
    [far] = np.nonzero(np.abs(gap) > 0.5)
    logs[far] = np.log(value[far] / before[far])
    return logs


def _products(factors: Floats) -> Floats:
    return over_windows(PRODUCT, np.stack((factors,)), _LEVELS, 1.0, UNSCALED)[:, 0]
