"""Which lever asks for the least of a client."""

from dataclasses import dataclass

import numpy as np

from models.vocabulary import GoalLever
from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.goals.lever_kernel import (
    NONE,
    SAVE_MORE,
    TAKE_MORE_RISK,
    WAIT_LONGER,
    WANT_LESS,
)

_COLUMNS = {
    GoalLever.SAVE_MORE: SAVE_MORE,
    GoalLever.WAIT_LONGER: WAIT_LONGER,
    GoalLever.WANT_LESS: WANT_LESS,
    GoalLever.TAKE_MORE_RISK: TAKE_MORE_RISK,
}


@dataclass(frozen=True)
class Levers:
    """What would reach the aimed probability, each alone, (goals,); -1 where nothing would.

    Attributes
    ----------
    extra_monthly_cents : further deposit each month.
    later_months : to put the target date off by.
    lower_target_cents : target.
    higher_risk_score : risk score.
    best : as ``tuple(GoalLever)`` numbers them, that with the least change; -1: none does.
    """

    extra_monthly_cents: Integers
    later_months: Integers
    lower_target_cents: Integers
    higher_risk_score: Integers
    best: Integers


def choose_levers(
    found: Integers, target_cents: Integers, months: Floats, score: Integers
) -> Levers:
    """Compare levers by how much of the plan they change.

    More deposits count as a share of the target in total, a later date as a share of the time
    left, a lower target as the share given up, and more risk as the share by which the score
    rises. The smallest is the best; of equal ones the first in the order of ``GoalLever``.

    Parameters
    ----------
    found : (goals, 4) as ``find_levers`` fills them in.
    months, score : (goals,) to the date, and the risk score in force.
    """
    target, time = np.maximum(target_cents, 1), np.maximum(months, 1e-9)
    change = np.column_stack(
        (
            found[:, SAVE_MORE] * time / target,
            found[:, WAIT_LONGER] / time,
            (target_cents - found[:, WANT_LESS]) / target,
            (found[:, TAKE_MORE_RISK] - score) / np.maximum(score, 1),
        )
    )
    change[found == NONE] = np.inf
    best = np.where(np.isfinite(change).any(axis=1), change.argmin(axis=1), NONE)
    order = np.array([list(_COLUMNS).index(lever) for lever in GoalLever])
    numbered = np.argsort(order)[best]
    return Levers(
        extra_monthly_cents=found[:, SAVE_MORE],
        later_months=found[:, WAIT_LONGER],
        lower_target_cents=found[:, WANT_LESS],
        higher_risk_score=found[:, TAKE_MORE_RISK],
        best=np.where(best == NONE, NONE, numbered),
    )
