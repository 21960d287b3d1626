"""How much is traded, how unusual that is, and how far a price moves for it."""

import numpy as np

from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.own_terms import ROUNDING, UNSCALED, OwnTerms
from pipelines.warehouse.panel.windows import MEAN, SPREAD, over_windows

_MONTH, _QUARTER = 21, 63


def liquidity(terms: OwnTerms) -> dict[str, Floats]:
    """Return ``models.panel.LIQUIDITY``."""
    impact = np.abs(terms.simple_return) / (dollar_volume(terms) / 1e6)
    return {
        "dollar_volume": dollar_volume(terms),
        "dollar_volume_21d": monthly_mean(dollar_volume(terms)),
        "volume_z_63d": _unusual_volume(terms),
        "amihud_21d": monthly_mean(np.where(dollar_volume(terms) == 0, np.nan, impact)),
    }


def dollar_volume(terms: OwnTerms) -> Floats:
    """Return the worth of the shares that were traded, at the close."""
    return terms.bars.close * terms.bars.volume


def monthly_mean(values: Floats) -> Floats:
    """Return the means of 21 bars."""
    distances = over_windows(MEAN, np.stack((values,)), np.array([_MONTH]), 1.0, UNSCALED)
    return values - distances[0, 0]


def _unusual_volume(terms: OwnTerms) -> Floats:
    volume, span = terms.bars.volume, np.array([_QUARTER])
    spread = over_windows(SPREAD, np.stack((volume,)), span, 1.0, terms.volume_scales)
    volume_less_mean, squares = spread[0]
    deviation = np.sqrt(squares / (_QUARTER - 1))
    varied = deviation > ROUNDING * (volume - volume_less_mean)
    return np.where(varied, volume_less_mean / deviation, np.nan)
