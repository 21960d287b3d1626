"""Hit rate: how often the sign was right, beside always saying the commoner one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.nullable import number_or_none
from ml.evaluation.overlap import Positions, overlap_t_test
from ml.evaluation.skill import Mask
from ml.rolling import Floats


@dataclass(frozen=True)
class Hits:
    """Shares of signs right; None where no forecast has a sign.

    Attributes
    ----------
    rate : of the forecasts.
    majority_rate : of always saying the sign that was the commoner one until then.
    statistic : t value of their mean difference over sessions; None where it cannot be said.
    """

    rate: float | None
    majority_rate: float | None
    statistic: float | None


def hits(
    mean: Floats,
    outcomes: Floats,
    majority: NDArray[np.int64],
    where: Mask,
    positions: Positions,
    horizon_sessions: int,
) -> Hits:
    """Count signs that were right.

    A forecast of exactly 0 makes no call, and an outcome of exactly 0 proves none right: both are
    left out, of the majority's rate too, so the two rates are of the same outcomes. Left out as
    well are sessions before which neither sign had been the commoner.

    Parameters
    ----------
    mean, outcomes, where : (sessions, symbols), of one horizon.
    majority : (sessions,), 1 or -1: what was commoner among outcomes realised by the session.
    positions : (sessions,) on the exchange's axis, ascending.
    horizon_sessions : how far outcomes reach.
    """
    calls = where & (mean != 0) & (outcomes != 0) & (majority != 0)[:, None]
    counts = calls.sum(axis=1)
    total = int(counts.sum())
    if total == 0:
        return Hits(None, None, None)
    rises = outcomes > 0
    right = (calls & ((mean > 0) == rises)).sum(axis=1)
    majority_right = (calls & ((majority > 0)[:, None] == rises)).sum(axis=1)
    called = counts > 0
    differences = (right - majority_right)[called] / counts[called]
    statistic = overlap_t_test(differences, positions[called], horizon_sessions).statistic
    return Hits(
        rate=float(right.sum() / total),
        majority_rate=float(majority_right.sum() / total),
        statistic=number_or_none(statistic),
    )
