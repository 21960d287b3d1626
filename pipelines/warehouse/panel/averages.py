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
    # The close less each average: so nothing of what two long prices share is lost.
    close, series = terms.bars.close, np.stack((terms.bars.close,))
    distances = over_windows(MEAN, series, np.array(SMA_SPANS), 1.0, terms.price_scales)
    to_sma = dict(zip(SMA_SPANS, distances[:, 0], strict=True))
    to_ema = {span: less_exponential_mean(close, span, terms.price_scales) for span in EMA_SPANS}
    macd = to_ema[26] - to_ema[12]
    return {
        **{f"close_to_sma_{span}": less / (close - less) for span, less in to_sma.items()},
        **{f"close_to_ema_{span}": less / (close - less) for span, less in to_ema.items()},
        "sma_cross_10_50": (to_sma[50] - to_sma[10]) / (close - to_sma[50]),
        "sma_cross_50_200": (to_sma[200] - to_sma[50]) / (close - to_sma[200]),
        "ema_cross_10_50": (to_ema[50] - to_ema[10]) / (close - to_ema[50]),
        "macd_12_26": macd,
        "macd_histogram_12_26_9": less_exponential_mean(
            macd, _MACD_SIGNAL_SPAN, terms.price_scales
        ),
        "rsi_14": _relative_strength(terms),
        **_bollinger(terms),
    }


def less_exponential_mean(values: Floats, span: int, scales: Floats) -> Floats:
    """Return values less their means with weights (1 - 2 / (span + 1)) ^ age."""
    window = np.array([WARM_UP_SPANS * span])
    return over_windows(MEAN, np.stack((values,)), window, 1 - 2 / (span + 1), scales)[0, 0]


def wilder_means(series: Floats, scales: Floats) -> Floats:
    """Return (series, bars), means with weights (1 - 1 / period) ^ age."""
    window = np.array([WILDER_WINDOW])
    return series - over_windows(MEAN, series, window, 1 - 1 / WILDER_PERIOD, scales)[0]


def _relative_strength(terms: OwnTerms) -> Floats:
    # A change is in terms of the share before; one share's part of it is in those of the bar.
    change = terms.change / terms.growth
    moves = np.stack((np.maximum(change, 0), np.maximum(-change, 0)))
    gain, loss = wilder_means(moves, terms.price_scales)
    return np.where(gain + loss == 0, 50.0, 100 * gain / (gain + loss))


def _bollinger(terms: OwnTerms) -> dict[str, Floats]:
    close, span = terms.bars.close, np.array([_BOLLINGER_SPAN])
    spread = over_windows(SPREAD, np.stack((close,)), span, 1.0, terms.price_scales)
    close_less_mean, squares = spread[0]
    mean, deviation = close - close_less_mean, np.sqrt(squares / _BOLLINGER_SPAN)
    moved = deviation > ROUNDING * mean
    return {
        "bollinger_z_20": np.where(moved, close_less_mean / deviation, np.nan),
        "bollinger_width_20": 4 * deviation / mean,
    }
