"""Volatility from closes and from ranges, and the relation to the market."""

import math
from collections.abc import Sequence

import numpy as np

from models.panel import RANGE_SPANS, VOLATILITY_SPANS
from pipelines.warehouse.panel.averages import wilder_means
from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.own_terms import ROUNDING, UNSCALED, OwnTerms, log_of_ratio
from pipelines.warehouse.panel.windows import MEAN, SPREAD, over_windows

_YEAR = 252


def risk(terms: OwnTerms) -> dict[str, Floats]:
    """Return ``models.panel.RISK``."""
    squares = squared_deviations(terms, VOLATILITY_SPANS)
    return {
        **{f"vol_{span}d_annual": volatility(squares[span], span) for span in squares},
        **_range_volatility(terms),
        "atr_14": _average_true_range(terms),
        **_market_relation(terms, squares[_YEAR]),
    }


def squared_deviations(terms: OwnTerms, spans: Sequence[int]) -> dict[int, Floats]:
    """Return the sums of squared deviations of log returns from their means, by span."""
    log_return = np.stack((terms.log_return_1d,))
    spreads = over_windows(SPREAD, log_return, np.array(spans), 1.0, UNSCALED)
    return dict(zip(spans, spreads[:, -1], strict=True))


def volatility(squares: Floats, span: int) -> Floats:
    """Return the annual volatility."""
    return np.sqrt(squares / (span - 1) * _YEAR)


def _range_volatility(terms: OwnTerms) -> dict[str, Floats]:
    bars = terms.bars
    range_squared = log_of_ratio(bars.high, bars.low) ** 2
    body_squared = log_of_ratio(bars.close, bars.open) ** 2
    variances = np.stack(
        (
            range_squared / (4 * math.log(2)),
            range_squared / 2 - (2 * math.log(2) - 1) * body_squared,
        )
    )
    means = variances - over_windows(MEAN, variances, np.array(RANGE_SPANS), 1.0, UNSCALED)
    annual = np.sqrt(means * _YEAR)
    return {
        f"{name}_vol_{span}d_annual": annual[at, row]
        for row, name in enumerate(("parkinson", "garman_klass"))
        for at, span in enumerate(RANGE_SPANS)
    }


def _average_true_range(terms: OwnTerms) -> Floats:
    high, low = terms.bars.high, terms.bars.low
    before = terms.previous_close / terms.growth
    true_range = np.maximum(high - low, np.maximum(np.abs(high - before), np.abs(low - before)))
    return wilder_means(np.stack((true_range,)), terms.price_scales)[0]


def _market_relation(terms: OwnTerms, own_squares: Floats) -> dict[str, Floats]:
    own, market, span = terms.log_return_1d, terms.bars.market_log_growth, np.array([_YEAR])
    market_squares = over_windows(SPREAD, np.stack((market,)), span, 1.0, UNSCALED)[0, -1]
    products = over_windows(SPREAD, np.stack((market, own)), span, 1.0, UNSCALED)[0, -1]
    # Log returns compare prices, so what is rounding to them is the same for all.
    still = _YEAR * ROUNDING**2
    correlation = products / np.sqrt(market_squares * own_squares)
    return {
        "beta_252d": np.where(market_squares > still, products / market_squares, np.nan),
        "market_correlation_252d": np.where(
            (market_squares > still) & (own_squares > still), correlation.clip(-1, 1), np.nan
        ),
    }
