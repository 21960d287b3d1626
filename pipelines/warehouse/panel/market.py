"""What the market did between two sessions of a symbol."""

from dataclasses import dataclass

import numpy as np

from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.layout import Days


@dataclass(frozen=True)
class Market:
    """The market's bars, oldest first.

    Attributes
    ----------
    days : (bars,), their sessions.
    log_return_1d : (bars,), log total return since the bar before; NaN in the first.
    """

    days: Days
    log_return_1d: Floats

    def log_growth(self, days: Days) -> Floats:
        """Return the market's log total return between each of these sessions and the one before.

        NaN in the first, and where the market lacks a bar on one of the two. Over a hole, its
        returns are added from the oldest on, so that nothing outside of it counts.
        """
        growth = np.full(len(days), np.nan)
        if not len(self.days) or not len(days):
            return growth
        at = np.searchsorted(self.days, days)
        is_there = self.days[np.minimum(at, len(self.days) - 1)] == days
        is_known = is_there[1:] & is_there[:-1]
        growth[1:][is_known] = self.log_return_1d[at[1:][is_known]]
        for row in 1 + np.flatnonzero(is_known & (np.diff(at) > 1)):
            growth[row] = sum(self.log_return_1d[at[row - 1] + 1 : at[row] + 1].tolist())
        return growth


NO_MARKET = Market(np.empty(0, np.int32), np.empty(0))
"""Of a build without bars of any market symbol."""
