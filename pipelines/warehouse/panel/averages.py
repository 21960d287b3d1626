"""Moving averages of closes, and what compares prices with them."""

import numpy as np

from models.panel import EMA_SPANS, SMA_SPANS, WARM_UP_SPANS, WILDER_PERIOD, WILDER_WINDOW
from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.own_terms import ROUNDING, OwnTerms
from pipelines.warehouse.panel.windows import MEAN, SPREAD, over_windows, spread_of

_MACD_SIGNAL_SPAN = 9
_BOLLINGER_SPAN = 20


def averages(terms: OwnTerms) -> dict[str, Floats]:
    """Return ``models.panel.AVERAGES``."""
    close = terms.bars.close
    means = over_windows(MEAN, np.stack((close,)), np.array(SMA_SPANS), 1.0, terms.price_scales)
    sma = dict(zip(SMA_SPANS, means[:, 0], strict=True))
    ema = {span: exponential_mean(close, span, terms.price_scales) for span in EMA_SPANS}
    macd = ema[12] - ema[26]
    return {
        **{f"close_to_sma_{span}": close / mean - 1 for span, mean in sma.items()},
        **{f"close_to_ema_{span}": close / mean - 1 for span, mean in ema.items()},
        "sma_cross_10_50": sma[10] / sma[50] - 1,
        "sma_cross_50_200": sma[50] / sma[200] - 1,
        "ema_cross_10_50": ema[10] / ema[50] - 1,
        "macd_12_26": macd,
        "macd_histogram_12_26_9": macd
        - exponential_mean(macd, _MACD_SIGNAL_SPAN, terms.price_scales),
        "rsi_14": _relative_strength(terms),
        **_bollinger(terms),
    }


def exponential_mean(values: Floats, span: int, scales: Floats) -> Floats:
    """Return the means with weights (1 - 2 / (span + 1)) ^ age over the window of ``span``."""
    window = np.array([WARM_UP_SPANS * span])
    return over_windows(MEAN, np.stack((values,)), window, 1 - 2 / (span + 1), scales)[0, 0]


def wilder_means(series: tuple[Floats, ...], scales: Floats) -> Floats:
    """Return (series, bars), means with weights (1 - 1 / period) ^ age."""
    window = np.array([WILDER_WINDOW])
    return over_windows(MEAN, np.stack(series), window, 1 - 1 / WILDER_PERIOD, scales)[0]


def _relative_strength(terms: OwnTerms) -> Floats:
    # A change is in terms of the share before; one share's part of it is in those of the bar.
    change = terms.change / terms.growth
    moves = (np.maximum(change, 0), np.maximum(-change, 0))
    gain, loss = wilder_means(moves, terms.price_scales)
    return np.where(gain + loss == 0, 50.0, 100 * gain / (gain + loss))


def _bollinger(terms: OwnTerms) -> dict[str, Floats]:
    close, span = terms.bars.close, np.array([_BOLLINGER_SPAN])
    mean, squares = over_windows(SPREAD, spread_of(close), span, 1.0, terms.price_scales)[0]
    deviation = np.sqrt(squares / _BOLLINGER_SPAN)
    moved = deviation > ROUNDING * mean
    return {
        "bollinger_z_20": np.where(moved, (close - mean) / deviation, np.nan),
        "bollinger_width_20": 4 * deviation / mean,
    }
