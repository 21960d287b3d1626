"""Moving averages of closes, and what compares prices with them."""

import numpy as np

from models.panel import EMA_SPANS, SMA_SPANS, WARM_UP_SPANS, WILDER_PERIOD, WILDER_WINDOW
from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.own_terms import ROUNDING, OwnTerms
from pipelines.warehouse.panel.windows import MEAN, SPREAD, over_windows

_MACD_SIGNAL_SPAN = 9
_BOLLINGER_SPAN = 20


def averages(terms: OwnTerms) -> dict[str, Floats]:
    """Return ``models.panel.AVERAGES``."""
    # Averages less the close: a difference of two of them keeps the digits that they share.
    close, series = terms.bars.close, np.stack((terms.bars.close,))
    means = over_windows(MEAN, series, np.array(SMA_SPANS), 1.0, terms.price_scales)
    sma = dict(zip(SMA_SPANS, means[:, 0], strict=True))
    ema = {span: exponential_mean(close, span, terms.price_scales) for span in EMA_SPANS}
    macd = ema[12] - ema[26]
    signal_less_macd = exponential_mean(macd, _MACD_SIGNAL_SPAN, terms.price_scales)
    return {
        **{f"close_to_sma_{span}": -mean / (close + mean) for span, mean in sma.items()},
        **{f"close_to_ema_{span}": -mean / (close + mean) for span, mean in ema.items()},
        "sma_cross_10_50": (sma[10] - sma[50]) / (close + sma[50]),
        "sma_cross_50_200": (sma[50] - sma[200]) / (close + sma[200]),
        "ema_cross_10_50": (ema[10] - ema[50]) / (close + ema[50]),
        "macd_12_26": macd,
        "macd_histogram_12_26_9": -signal_less_macd,
        "rsi_14": _relative_strength(terms),
        **_bollinger(terms),
    }


def exponential_mean(values: Floats, span: int, scales: Floats) -> Floats:
    """Return means with weights (1 - 2 / (span + 1)) ^ age, each less its window's last value."""
    window = np.array([WARM_UP_SPANS * span])
    return over_windows(MEAN, np.stack((values,)), window, 1 - 2 / (span + 1), scales)[0, 0]


def wilder_means(series: Floats, scales: Floats) -> Floats:
    """Return (series, bars), means with weights (1 - 1 / period) ^ age."""
    window = np.array([WILDER_WINDOW])
    return series + over_windows(MEAN, series, window, 1 - 1 / WILDER_PERIOD, scales)[0]


def _relative_strength(terms: OwnTerms) -> Floats:
    # A change is in terms of the share before; one share's part of it is in those of the bar.
    change = terms.change / terms.growth
    moves = np.stack((np.maximum(change, 0), np.maximum(-change, 0)))
    gain, loss = wilder_means(moves, terms.price_scales)
    return np.where(gain + loss == 0, 50.0, 100 * gain / (gain + loss))


def _bollinger(terms: OwnTerms) -> dict[str, Floats]:
    close, span = terms.bars.close, np.array([_BOLLINGER_SPAN])
    spread = over_windows(SPREAD, np.stack((close,)), span, 1.0, terms.price_scales)
    mean_less_close, squares = spread[0]
    mean, deviation = close + mean_less_close, np.sqrt(squares / _BOLLINGER_SPAN)
    moved = deviation > ROUNDING * mean
    return {
        "bollinger_z_20": np.where(moved, -mean_less_close / deviation, np.nan),
        "bollinger_width_20": 4 * deviation / mean,
    }
