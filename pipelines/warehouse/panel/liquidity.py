"""How much is traded, how unusual that is, and how far a price moves for it."""

import numpy as np

from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.own_terms import ROUNDING, UNSCALED, OwnTerms
from pipelines.warehouse.panel.windows import MEAN, SPREAD, over_windows

_MONTH, _QUARTER = 21, 63


def liquidity(terms: OwnTerms) -> dict[str, Floats]:
    """Return ``models.panel.LIQUIDITY``."""
    dollar_volume = terms.bars.close * terms.bars.volume
    impact = np.abs(terms.simple_return) / (dollar_volume / 1e6)
    impact[dollar_volume == 0] = np.nan
    series, span = np.stack((dollar_volume, impact)), np.array([_MONTH])
    means = series - over_windows(MEAN, series, span, 1.0, UNSCALED)[0]
    return {
        "dollar_volume": dollar_volume,
        "dollar_volume_21d": means[0],
        "volume_z_63d": _unusual_volume(terms),
        "amihud_21d": means[1],
    }


def _unusual_volume(terms: OwnTerms) -> Floats:
    volume, span = terms.bars.volume, np.array([_QUARTER])
    spread = over_windows(SPREAD, np.stack((volume,)), span, 1.0, terms.volume_scales)
    volume_less_mean, squares = spread[0]
    deviation = np.sqrt(squares / (_QUARTER - 1))
    varied = deviation > ROUNDING * (volume - volume_less_mean)
    return np.where(varied, volume_less_mean / deviation, np.nan)
