"""Numbers for a table: None where there is nothing to say, never NaN."""

import numpy as np

from ml.rolling import Floats


def number_or_none(value: float | Floats) -> float | None:
    """Return a number, or None for NaN and infinity."""
    return float(value) if np.isfinite(value) else None


def ratio_or_none(part: float | Floats, whole: float | Floats) -> float | None:
    """Return a ratio to something positive, or None where that is zero."""
    return float(part / whole) if whole > 0 else None
