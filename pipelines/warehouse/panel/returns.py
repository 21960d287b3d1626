"""Total returns, and how far a close is from its window's highest."""

import numpy as np

from models.panel import RETURN_SPANS
from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.own_terms import OwnTerms, lagged
from pipelines.warehouse.panel.windows import HIGHEST, over_windows

_MONTH, _YEAR = 21, 252


def returns(terms: OwnTerms) -> dict[str, Floats]:
    """Return ``models.panel.RETURNS``."""
    bars = terms.bars
    highest_close = _highest(bars.close, terms.price_scales)
    highest_high = _highest(bars.high, terms.split_price_scales)
    return {
        "log_return_1d": terms.log_return_1d,
        **{f"log_return_{span}d": terms.log_return(span) for span in RETURN_SPANS},
        "momentum_12_1": momentum(terms),
        "drawdown_252d": bars.close / highest_close - 1,
        "close_to_high_252d": bars.close / highest_high - 1,
    }


def momentum(terms: OwnTerms) -> Floats:
    """Return the log return of a year without its last month."""
    return lagged(terms.log_return(_YEAR - _MONTH), _MONTH)


def _highest(prices: Floats, scales: Floats) -> Floats:
    return over_windows(HIGHEST, np.stack((prices,)), np.array([_YEAR]), 1.0, scales)[0, 0]
