"""What all moving-average forecasts share: a trend, and how far to believe it."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.forecasters.base import horizon_volatility
from ml.forecasters.line import LineForecaster, Window
from ml.forecasters.line_sums import LineSums
from ml.forecasters.training_blocks import TrainingBlocks
from ml.panel import VOLATILITY_WINDOW_SESSIONS, Panel
from ml.rolling import Floats
from ml.splits import Split


class TrendForecaster(LineForecaster):
    r"""Forecast :math:`a + b h x_t`, with :math:`x_t` the trend per session of a window.

    The same :math:`a, b` for all symbols, by least squares on the training range weighted with
    one over squared volatility, so that volatile symbols do not decide alone. The window is chosen
    by cross-validation within training, each horizon :math:`h` for itself. A slope near 0 says that
    the trend is no news; a negative one that it reverts. A moving average of *prices* taken as the
    forecast of the level would only bet that the price falls back to it.
    """

    @abstractmethod
    def trend(self, log_return_1d: Floats, window: Window) -> Floats:
        """Return the trend as a log return per session, (sessions, symbols)."""

    @abstractmethod
    def window_sessions(self, window: Window) -> int:
        """Return how many returns the trend of a window is made of."""

    @property
    def history_sessions(self) -> int:
        """The longest of the trends' and the volatility's windows, and the row before it."""
        windows = [line.window for line in self.lines] or self.windows
        longest = max(self.window_sessions(window) for window in windows)
        return max(longest, VOLATILITY_WINDOW_SESSIONS) + 1

    def drift(self, panel: Panel, window: Window, sessions: range) -> Floats:
        """Return the trend, made of no more history than its window."""
        first = max(0, sessions.start - self.window_sessions(window) + 1)
        trend = self.trend(panel.log_return_1d[first : sessions.stop], window)
        return trend[sessions.start - first :]

    def choose(self, panel: Panel, split: Split) -> list[tuple[Window, float, float]]:
        """Choose each horizon's window by the errors of blocks held out, then fit its line."""
        rows = slice(split.train.start, split.train.stop)
        labels = [panel.forward_log_return(horizon)[rows] for horizon in self.horizons]
        scales = [horizon_volatility(panel, horizon)[rows] for horizon in self.horizons]
        # Longer windows know less of young symbols; all are judged by the same rows.
        common = np.logical_and.reduce([self._known(panel, split, each) for each in self.windows])
        judged = [
            np.where(common & np.isfinite(y / scale), y, np.nan)
            for y, scale in zip(labels, scales, strict=True)
        ]
        blocks = TrainingBlocks.cut(self.name, split, judged).blocks
        errors = np.zeros((len(self.windows), len(self.horizons)))
        for number, window in enumerate(self.windows):
            drift = self.drift(panel, window, split.train)
            for place, horizon in enumerate(self.horizons):
                sums = [
                    LineSums.of(horizon * drift, judged[place], scales[place], block)
                    for block in blocks
                ]
                errors[number, place] = _held_out_error(sums)
        chosen = []
        for place, horizon in enumerate(self.horizons):
            window = self.windows[int(np.argmin(errors[:, place]))]
            drift = self.drift(panel, window, split.train)
            all_rows = LineSums.of(horizon * drift, labels[place], scales[place], split.train)
            chosen.append((window, *all_rows.line()))
        return chosen

    def _known(self, panel: Panel, split: Split, window: Window) -> NDArray[np.bool_]:
        return np.isfinite(self.drift(panel, window, split.train))


def _held_out_error(blocks: Sequence[LineSums]) -> float:
    """Return the sum of squared errors of each block around the line of all others."""
    total = LineSums.sum(blocks)
    return sum(block.square_error(*total.less(block).line()) for block in blocks)
