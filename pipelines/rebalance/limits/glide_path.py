"""The glide path: as a goal's date comes near, its risk score is lowered."""

import numpy as np

from models.vocabulary import GoalKind
from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.inputs.shard import Codes, Goals
from pipelines.rebalance.policy import Policy

DAYS_PER_YEAR = 365.25
_KINDS = tuple(GoalKind)


def score_in_force(goals: Goals, policy: Policy) -> Integers:
    """Return the whole risk scores that goals are advised by: the profile's, or the glide path's.

    The glide path never raises a score. Goals without a profile keep 0.
    """
    highest = highest_score(goals.kind, goals.horizon_days / DAYS_PER_YEAR, policy)
    return np.minimum(goals.risk_score, np.floor(highest).astype(np.int64))


def highest_score(kind: Codes, years: Floats, policy: Policy) -> Floats:
    """Return the highest risk score that kinds of goals allow so many years before their date.

    Parameters
    ----------
    kind : (goals,) as ``tuple(GoalKind)`` numbers them.
    years : (goals,) until the target date; below 0 after it.
    """
    highest = np.full(len(kind), 100.0)
    for number, name in enumerate(_KINDS):
        rows = np.flatnonzero(kind == number)
        knots, scores = zip(*policy.glide_paths[name], strict=True)
        highest[rows] = np.interp(years[rows], knots, scores)
    return highest
