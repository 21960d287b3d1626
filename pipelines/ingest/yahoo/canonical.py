"""One number for each price, however Yahoo's single precision happens to write it.

Yahoo keeps prices in single precision and divided by later splits, so the same old price comes
back with other low digits after a split. Snapping to the grids that prices live on makes it the
same number again; otherwise every split would look like a restatement of the whole history.
"""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_FINE = 40_000.0
"""Steps per unit below 100: holds cents, hundredths of cents and sixty-fourths."""
_MIDDLE = 1_600.0
"""Steps per unit below 2,500: holds cents and sixty-fourths."""
_COARSE = 100.0
"""Steps per unit above: cents."""


def snapped_prices(prices: Numbers) -> Numbers:
    """Return as-traded prices on the nearest step of the grid of their size; NaN stays NaN.

    Half a step exceeds two roundings to single precision (1.2e-7 of the price) on every grid up to
    40,000 per share. Prices below 1 keep six significant digits.
    """
    steps = np.select([prices < 100, prices < 2500], [_FINE, _MIDDLE], _COARSE)
    snapped = np.round(prices * steps) / steps
    small = (np.abs(prices) < 1) & (prices != 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = 5 - np.floor(np.log10(np.abs(np.where(small, prices, 1.0))))
    scale = 10.0**digits
    return np.where(small, np.round(prices * scale) / scale, snapped)


def snapped_cash(amounts: Numbers, factors: Numbers) -> Numbers:
    """Return cash per share to four decimals, or as many as Yahoo's precision leaves.

    ``factors`` are the splits since: Yahoo writes six decimals of the amount divided by them.
    """
    decimals = np.minimum(4, np.floor(6 - np.log10(np.maximum(factors, 1.0))))
    scale = 10.0**decimals
    return np.round(amounts * scale) / scale
