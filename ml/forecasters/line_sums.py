"""Weighted least squares of a line from sums, so that parts can be held out without a new pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.rolling import Floats

LEAST_SPREAD = 1e-12
"""Of x, as a share of its mean square, below which it is constant but for rounding."""


@dataclass(frozen=True)
class LineSums:
    """Sums of products of (1, x, y), each over the scale of its row.

    Attributes
    ----------
    products : (3, 3); sums over rows, so that those of parts add up to those of the whole.
    """

    products: Floats

    @classmethod
    def of(cls, x: Floats, y: Floats, scale: Floats, rows: range) -> "LineSums":
        """Sum over the rows of which all is known; arrays of (sessions, symbols)."""
        some = slice(rows.start, rows.stop)
        x, y, scale = x[some], y[some], scale[some]
        known = np.isfinite(x) & np.isfinite(y) & np.isfinite(scale)
        weight = 1.0 / scale[known]
        columns = (weight, x[known] * weight, y[known] * weight)
        # Sum by sum: the bits of a product of matrices may depend on the number of threads.
        return cls(np.array([[np.sum(one * other) for other in columns] for one in columns]))

    @classmethod
    def sum(cls, parts: Sequence["LineSums"]) -> "LineSums":
        """Return the sums over the rows of all parts."""
        return cls(np.sum([part.products for part in parts], axis=0))

    def less(self, part: "LineSums") -> "LineSums":
        """Return the sums without the rows of a part."""
        return LineSums(self.products - part.products)

    def line(self) -> tuple[float, float]:
        """Return intercept and slope of the least weighted squares; slope 0 where x is constant."""
        (weight, x, y), (_, xx, xy) = self.products[:2]
        if not weight > 0:
            return 0.0, 0.0
        spread = xx - x * x / weight
        slope = (xy - x * y / weight) / spread if spread > LEAST_SPREAD * xx else 0.0
        return float((y - slope * x) / weight), float(slope)

    def square_error(self, intercept: float, slope: float) -> float:
        """Return the weighted sum of squared errors around a line."""
        error = np.array([-intercept, -slope, 1.0])
        return float(error @ self.products @ error)
