"""Problems as the compiled loops take them."""

from typing import NamedTuple

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers, Mask, Matrix
from pipelines.rebalance.solver.problems import Problems, Risk


class Scaled(NamedTuple):
    """A risk and its problems, divided by the mean variance; else as ``Risk`` and ``Problems``.

    So multipliers are of the order of weights. ``is_risky`` is of symbols, and arrays are
    C-contiguous.
    """

    covariance: Matrix
    class_of: Integers
    is_risky: Mask
    expected: Floats
    tolerance: Floats
    current: Floats
    buy_cost: Floats
    sell_cost: Floats
    lower: Floats
    upper: Floats
    class_lower: Floats
    class_upper: Floats
    invested_lower: Floats
    invested_upper: Floats
    risky_upper: Floats
    turnover: Floats


def scaled(risk: Risk, problems: Problems) -> Scaled:
    """Return a batch of problems in units of the symbols' mean variance."""
    unit = float(np.mean(np.diag(risk.covariance)))
    columns = vars(problems) | {"tolerance": problems.tolerance / unit}
    covariance = np.ascontiguousarray(risk.covariance / unit)
    return Scaled(covariance, risk.class_of, risk.is_risky[risk.class_of], **columns)
